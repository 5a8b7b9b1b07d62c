// True time, which only the simulator knows, and the clock that a host reads instead.
//
// A host's clock starts anywhere and runs a little fast or slow; actors and coordinators see
// nothing else. Converting back is exact: `when` gives the first true instant at which the clock
// shows at least what was asked for.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace wyndrvr::sim {

struct TrueClockTag {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
};
// Since the simulation began.
using TrueTime = std::chrono::time_point<TrueClockTag, Duration>;

[[nodiscard]] constexpr TrueTime true_time(Duration since_begin) {
  return TrueTime(since_begin);
}

class HostClock {
 public:
  struct Options {
    Instant start{Duration(0)};  // what it shows at true time 0
    std::int64_t drift_ppb = 0;  // how much too fast, in parts per 10^9
    Duration wall_offset{};      // Unix time less what it shows
  };

  explicit HostClock(const Options& options) : options_(options) {}

  [[nodiscard]] Instant local(TrueTime at) const {
    return options_.start + stretch(at.time_since_epoch());
  }
  // What a true duration measures by this clock. Whole seconds apart, for a day of nanoseconds
  // times the drift does not fit into 64 bits.
  [[nodiscard]] Duration stretch(Duration duration) const {
    const std::int64_t seconds = duration.count() / kBillion;
    const std::int64_t rest = duration.count() % kBillion;
    return duration + Duration(seconds * options_.drift_ppb + rest * options_.drift_ppb / kBillion);
  }
  [[nodiscard]] TrueTime when(Instant shown) const {
    TrueTime at(shown - options_.start);
    // Each step leaves less than a thousandth of the error.
    for (int step = 0; step < 4; ++step) at += shown - local(at);
    while (local(at) < shown) at += Duration(1);
    while (local(at - Duration(1)) >= shown) at -= Duration(1);
    return at;
  }
  [[nodiscard]] Duration wall_offset() const { return options_.wall_offset; }

 private:
  static constexpr std::int64_t kBillion = 1'000'000'000;

  Options options_;
};

}  // namespace wyndrvr::sim
