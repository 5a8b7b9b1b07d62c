// When the next datagrams may leave, at a given rate.
//
// An absolute schedule: lateness of the loop is made up for, but never more than a catch-up time of
// it, so a stall does not end in a burst. Without a rate, at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "base/units.hpp"

namespace wyndrvr::engine {

class Pacer {
 public:
  static constexpr Duration kMaxCatchUp = 2ms;
  // Where the rate is what was asked for, it is to be kept over a busy host's pauses as well.
  static constexpr Duration kMaxFixedCatchUp = 50ms;

  explicit Pacer(Duration max_catch_up = kMaxCatchUp) : max_catch_up_(max_catch_up) {}

  void start(Instant now) { next_ = now; }
  [[nodiscard]] bool may_send(Instant now) const { return now >= next_; }
  [[nodiscard]] Instant next() const { return next_; }

  // `bytes` have left at `now`, at `rate`.
  void on_sent(Instant now, ByteCount bytes, BitRate rate) {
    const double seconds = static_cast<double>(bytes.value) * 8.0 / rate.bps;
    next_ = std::max(next_, now - max_catch_up_) + from_seconds(seconds);
  }

 private:
  Duration max_catch_up_;
  Instant next_;
};

}  // namespace wyndrvr::engine
