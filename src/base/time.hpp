// Time as types: Instant (monotonic), WallTime (Unix), Duration, all in nanoseconds.
//
// Values only: nothing here reads a clock. `Instant`s of different hosts do not compare; those of
// processes on one host do (CLOCK_MONOTONIC is system-wide, clock_gettime(2)).
#pragma once

#include <chrono>
#include <cstdint>

namespace wyndrvr {

using Duration = std::chrono::nanoseconds;

// Tags, not readable clocks: engine code cannot call now() on them.
struct MonotonicClockTag {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
};
struct WallClockTag {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
};

using Instant = std::chrono::time_point<MonotonicClockTag, Duration>;
using WallTime = std::chrono::time_point<WallClockTag, Duration>;

using namespace std::chrono_literals;  // NOLINT: 100ms and the like, everywhere

[[nodiscard]] constexpr double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
[[nodiscard]] constexpr double to_milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}
// Rounds towards zero; saturates beyond what 64 bits of nanoseconds hold (292 years).
[[nodiscard]] constexpr Duration from_seconds(double seconds) {
  constexpr double kLimit = 9.2e9;
  if (!(seconds > -kLimit)) return Duration::min();
  if (!(seconds < kLimit)) return Duration::max();
  return Duration(static_cast<std::int64_t>(seconds * 1e9));
}

}  // namespace wyndrvr
