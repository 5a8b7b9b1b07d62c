#include "os/clock.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <sys/prctl.h>

#include "base/check.hpp"

namespace wyndrvr::os {
namespace {

// Two readings further apart than this were torn by the scheduler; such a pair is read again.
constexpr Duration kTornReading = 20us;
constexpr int kReadingTries = 3;

Duration read_clock(clockid_t clock) {
  timespec time{};
  WYNDRVR_CHECK(clock_gettime(clock, &time) == 0);
  return std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec);
}

}  // namespace

Instant monotonic_now() {
  return Instant(read_clock(CLOCK_MONOTONIC));
}

WallTime wall_now() {
  return WallTime(read_clock(CLOCK_REALTIME));
}

ClockReading read_clocks() {
  ClockReading reading{};
  for (int i = 0; i < kReadingTries; ++i) {
    const Instant before = monotonic_now();
    reading.wall = wall_now();
    const Duration took = monotonic_now() - before;
    reading.monotonic = before + took / 2;
    if (took < kTornReading) break;
  }
  return reading;
}

Instant instant_of(WallTime stamp, const ClockReading& now) {
  return now.monotonic - std::clamp(now.wall - stamp, Duration::zero(), kLongestStampAge);
}

void sleep_for(Duration duration) {
  if (duration > Duration::zero()) sleep_until(monotonic_now() + duration);
}

void sleep_until(Instant deadline) {
  const Duration since_boot = deadline.time_since_epoch();
  if (since_boot <= Duration::zero()) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  const timespec time{.tv_sec = seconds.count(), .tv_nsec = (since_boot - seconds).count()};
  // An absolute deadline, so an interrupted sleep goes on without drift.
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
  }
}

void set_timer_slack(Duration slack) {
  const auto nanoseconds = static_cast<unsigned long>(std::max<Duration::rep>(slack.count(), 1));
  WYNDRVR_CHECK(prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0) == 0);
}

}  // namespace wyndrvr::os
