// The host's clocks, sleeping, and the step from the kernel's wall-clock stamps to `Instant`.
//
// Thread-safe. Nothing here fails: both clocks exist on every Linux (clock_gettime(2)).
#pragma once

#include "base/time.hpp"

namespace wyndrvr::os {

[[nodiscard]] Instant monotonic_now();
[[nodiscard]] WallTime wall_now();

// Both clocks at one moment.
struct ClockReading {
  Instant monotonic;
  WallTime wall;
};
[[nodiscard]] ClockReading read_clocks();

// The longest that a datagram is believed to have waited between its stamp and `now`; a larger
// distance means that the wall clock was stepped meanwhile.
inline constexpr Duration kLongestStampAge = 1s;
// The kernel stamps datagrams by the wall clock: counts back from `now` by the stamp's age, which
// is held within [0, kLongestStampAge].
[[nodiscard]] Instant instant_of(WallTime stamp, const ClockReading& now);

// Sleeps at least `duration`, signals notwithstanding; returns at once when it is not positive.
void sleep_for(Duration duration);
void sleep_until(Instant deadline);

// How late the kernel may wake the calling thread to merge timers; default 50 us
// (PR_SET_TIMERSLACK, prctl(2)). At least 1 ns is set: 0 would mean "back to the default".
void set_timer_slack(Duration slack);

}  // namespace wyndrvr::os
