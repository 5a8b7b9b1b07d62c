// GapSet against a table of what became of each number.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/random.hpp"
#include "seq/gap_set.hpp"

namespace wyndrvr::seq {
namespace gap_set_test {

constexpr std::uint64_t kUniverse = 160;

// The slow and obvious way to do what GapSet does.
class Model {
 public:
  explicit Model(std::size_t max_gaps) : max_gaps_(max_gaps) {}

  Marked mark(Range range) {
    Marked marked;
    const std::uint64_t tail_before = tail_;
    for (std::uint64_t number = range.begin; number < range.end; ++number) {
      if (number >= tail_before) {
        ++marked.fresh;
      } else if (states_[number] == State::kMissing) {
        ++marked.refilled;
      } else {
        ++marked.duplicate;
        continue;
      }
      states_[number] = State::kReceived;
      tail_ = std::max(tail_, number + 1);
    }
    while (gaps().size() > max_gaps_) {
      const Range lowest = gaps().front();
      std::fill_n(states_.begin() + static_cast<std::ptrdiff_t>(lowest.begin), lowest.size(),
                  State::kWrittenOff);
    }
    return marked;
  }

  [[nodiscard]] std::vector<Range> gaps() const {
    std::vector<Range> result;
    for (std::uint64_t number = 0; number < tail_; ++number) {
      if (states_[number] != State::kMissing) continue;
      if (result.empty() || result.back().end != number) result.push_back({number, number});
      result.back().end = number + 1;
    }
    return result;
  }

  [[nodiscard]] std::vector<Range> lowest(std::size_t room) const {
    std::vector<Range> result = gaps();
    result.push_back({tail_, kEnd});
    result.resize(std::min(room, result.size()));
    return result;
  }

  [[nodiscard]] std::uint64_t tail() const { return tail_; }
  [[nodiscard]] std::uint64_t missing() const { return count_below_tail(State::kMissing); }
  [[nodiscard]] std::uint64_t received() const { return count_below_tail(State::kReceived); }
  [[nodiscard]] std::uint64_t written_off() const { return count_below_tail(State::kWrittenOff); }

 private:
  enum class State { kMissing, kReceived, kWrittenOff };

  [[nodiscard]] std::uint64_t count_below_tail(State state) const {
    const auto end = states_.begin() + static_cast<std::ptrdiff_t>(tail_);
    return static_cast<std::uint64_t>(std::count(states_.begin(), end, state));
  }

  std::size_t max_gaps_;
  std::uint64_t tail_ = 0;
  std::vector<State> states_ = std::vector<State>(kUniverse, State::kMissing);
};

// Singles and ranges, forwards, backwards and repeated; short ones, so that many gaps are made.
std::vector<Range> arbitrary_marks() {
  using Mark = std::pair<std::uint64_t, std::uint64_t>;
  const auto begin = rc::gen::inRange<std::uint64_t>(0, kUniverse);
  const auto length = rc::gen::weightedOneOf<std::uint64_t>(
      {{4, rc::gen::just<std::uint64_t>(1)}, {2, rc::gen::inRange<std::uint64_t>(0, 30)}});
  std::vector<Range> marks;
  const auto count = *rc::gen::inRange<std::size_t>(0, 120);
  for (const auto& [at, size] :
       *rc::gen::container<std::vector<Mark>>(count, rc::gen::pair(begin, length))) {
    marks.push_back({at, std::min(at + size, kUniverse)});
  }
  return marks;
}

std::vector<Range> lowest_of(const GapSet& gaps, std::size_t room) {
  std::vector<Range> out(room);
  out.resize(gaps.lowest(out));
  return out;
}

void compare(std::size_t max_gaps) {
  GapSet gaps(max_gaps);
  Model model(max_gaps);
  for (const Range mark : arbitrary_marks()) {
    const Marked marked = mark.size() == 1 ? gaps.mark(mark.begin) : gaps.mark(mark);
    RC_ASSERT(marked == model.mark(mark));
    RC_ASSERT(marked.fresh + marked.refilled + marked.duplicate == mark.size());
    RC_ASSERT(gaps.tail_begin() == model.tail());
    RC_ASSERT(gaps.missing() == model.missing());
    RC_ASSERT(gaps.written_off() == model.written_off());
    RC_ASSERT(gaps.unique() == model.received());
    RC_ASSERT(gaps.gap_count() == model.gaps().size());
    for (const std::size_t room : {std::size_t{3}, std::size_t{kUniverse}}) {
      RC_ASSERT(lowest_of(gaps, room) == model.lowest(room));
    }
  }
}

RC_GTEST_PROP(GapSet, AgreesWithATable, ()) {
  compare(kUniverse);
}

RC_GTEST_PROP(GapSet, AgreesWithATableWhereGapsAreWrittenOff, ()) {
  compare(*rc::gen::inRange<std::size_t>(0, 8));
}

// Unless the set is full and the range begins below the tail.
RC_GTEST_PROP(GapSet, RangeDoesAsItsNumbersOneAfterTheOther, ()) {
  const auto max_gaps = *rc::gen::inRange<std::size_t>(1, 8);
  GapSet by_range(max_gaps);
  GapSet by_number(max_gaps);
  const auto mark_each = [](GapSet& gaps, const Range& mark) {
    Marked sum;
    for (std::uint64_t number = mark.begin; number < mark.end; ++number) {
      const Marked one = gaps.mark(number);
      sum.fresh += one.fresh;
      sum.refilled += one.refilled;
      sum.duplicate += one.duplicate;
    }
    return sum;
  };
  for (const Range mark : arbitrary_marks()) {
    const bool alike = mark.begin >= by_range.tail_begin() || !by_range.full();
    const Marked marked = alike ? by_range.mark(mark) : mark_each(by_range, mark);
    RC_ASSERT(marked == mark_each(by_number, mark));
    RC_ASSERT(by_range.written_off() == by_number.written_off());
    RC_ASSERT(lowest_of(by_range, kUniverse) == lowest_of(by_number, kUniverse));
  }
}

RC_GTEST_PROP(GapSet, OrderOfArrivalDoesNotMatterInTheEnd, ()) {
  std::vector<std::uint64_t> numbers(kUniverse);
  for (std::uint64_t i = 0; i < kUniverse; ++i) numbers[i] = i;
  base::Random random(*rc::gen::arbitrary<std::uint64_t>());
  std::shuffle(numbers.begin(), numbers.end(), random);
  GapSet gaps(kUniverse);
  for (const std::uint64_t number : numbers) RC_ASSERT(gaps.mark(number).duplicate == 0U);
  RC_ASSERT(gaps.missing() == 0U);
  RC_ASSERT(gaps.gap_count() == 0U);
  RC_ASSERT(gaps.tail_begin() == kUniverse);
}

}  // namespace gap_set_test
}  // namespace wyndrvr::seq
