"""What a flow reaches from moment to moment, by its device's count.

Others on the same host take half of the memory's speed for a second, and then nothing for another.
What a flow reaches in the best of its moments says what it can do where it is let.
"""

import pathlib
import statistics
import time
from typing import NamedTuple

WATCHED = 0.7  # of a test
_SLICE_S = 0.1
_FEWEST = 10   # slices; with fewer there is no tenth


class Slice(NamedTuple):
    """A tenth of a second; times by CLOCK_MONOTONIC."""

    begin: float
    end: float
    octets: int   # headers count

    @property
    def bps(self):
        return 8 * self.octets / (self.end - self.begin)


def slices(pid, device, seconds):
    """The slices of so many seconds, of the device in a process's network namespace. Those are
    missing in which it is not there."""
    found = []
    end = time.monotonic() + seconds
    before = _reading(pid, device)
    while time.monotonic() < end:
        time.sleep(_SLICE_S)
        now = _reading(pid, device)
        if before and now:
            # What comes in goes out as well on loopback; else the data is by far the most.
            octets = max(after - earlier for after, earlier in zip(now[1:], before[1:]))
            found.append(Slice(before[0], now[0], octets))
        before = now
    return found


def best_tenth(found):
    """The rate that a tenth of the slices exceeds, in a sample's form; empty with too few of them."""
    if len(found) < _FEWEST:
        return {}
    rates = [one.bps for one in found]
    return {"best_tenth_bps": statistics.quantiles(rates, n=10, method="inclusive")[-1]}


def _reading(pid, device):
    """(time, octets received, octets sent), or None."""
    try:
        text = pathlib.Path(f"/proc/{pid}/net/dev").read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, counts = line.partition(":")
        if name.strip() == device:
            fields = counts.split()
            return time.monotonic(), int(fields[0]), int(fields[8])
    return None
