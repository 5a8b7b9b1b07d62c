"""Sets of 64-bit sequence numbers as sorted, disjoint, closed ranges."""

from bisect import bisect_left, bisect_right

TOP = 2**64 - 1


class SpanSet:
    """A set of numbers in 0..2^64-1. Adjacent and overlapping ranges are always merged."""

    def __init__(self, ranges=()):
        self._begins, self._ends = [], []
        for begin, end in ranges:
            self.add(begin, end)

    @classmethod
    def everything(cls):
        """The set that every test starts with."""
        return cls([(0, TOP)])

    def ranges(self):
        """The ranges as a list of (begin, end), lowest first."""
        return list(zip(self._begins, self._ends))

    def __len__(self):
        return len(self._begins)

    def __eq__(self, other):
        return self.ranges() == other.ranges()

    def __repr__(self):
        return f"SpanSet({self.ranges()[:10]}{'…' if len(self) > 10 else ''})"

    def __contains__(self, number):
        at = bisect_right(self._begins, number) - 1
        return at >= 0 and number <= self._ends[at]

    def add(self, begin, end):
        """Puts begin..end in, merging with what it touches."""
        if not 0 <= begin <= end <= TOP:
            raise ValueError(f"bad range {begin}..{end}")
        low = bisect_left(self._ends, begin - 1)
        high = bisect_right(self._begins, end + 1)
        if low < high:
            begin = min(begin, self._begins[low])
            end = max(end, self._ends[high - 1])
        self._begins[low:high] = [begin]
        self._ends[low:high] = [end]

    def discard(self, number):
        """Takes one number out; says whether it was there."""
        at = bisect_right(self._begins, number) - 1
        if at < 0 or number > self._ends[at]:
            return False
        begin, end = self._begins[at], self._ends[at]
        if begin == end:
            del self._begins[at], self._ends[at]
        elif number == begin:
            self._begins[at] = number + 1
        elif number == end:
            self._ends[at] = number - 1
        else:
            self._begins.insert(at + 1, number + 1)
            self._ends.insert(at, number - 1)
        return True

    def pop_lowest(self):
        """Takes the lowest number out and returns it; None where the set is empty."""
        if not self._begins:
            return None
        number = self._begins[0]
        self.discard(number)
        return number

    def tail(self):
        """Begin of the open range up to 2^64-1, or None where there is none."""
        return self._begins[-1] if self._ends and self._ends[-1] == TOP else None

    def intersection(self, other):
        """What is in both."""
        mine, theirs = self.ranges(), other.ranges()
        result, i, j = SpanSet(), 0, 0
        while i < len(mine) and j < len(theirs):
            begin, end = max(mine[i][0], theirs[j][0]), min(mine[i][1], theirs[j][1])
            if begin <= end:
                result._begins.append(begin)
                result._ends.append(end)
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return result

    def below(self, limit):
        """What is lower than `limit`."""
        return self.intersection(SpanSet([(0, limit - 1)])) if limit > 0 else SpanSet()

    def update(self, other):
        """Puts all of `other` in."""
        for begin, end in other.ranges():
            self.add(begin, end)


def lost_numbers(oldest, newest, legacy_tail=False):
    """The loss rule: missing in both reports, and not above what the newest can speak of.

    `legacy_tail` keeps the open tail as the original does, so that numbers in flight count too.
    """
    both = oldest.intersection(newest)
    if legacy_tail or newest.tail() is None:
        return both
    return both.below(newest.tail())
