// InterarrivalJitter: the smoothed mean deviation of transit times (RFC 3550, section 6.4.1).
//
// J += (|D| - J) / 16, where D is how much the transit time differs from that of the datagram
// before, in order of arrival. An unknown but constant difference of the two clocks cancels out;
// round trips may be fed instead of transit times. A plain value; not thread-safe.
//
// The estimate starts at 0, as the RFC has it, so it is low for the first dozens of datagrams.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace wyndrvr::stats {

class InterarrivalJitter {
 public:
  void record(Duration transit) {
    if (last_) {
      jitter_ += (distance(*last_, transit) - jitter_) / kGain;
      measured_ = true;
    }
    last_ = transit;
  }

  // Nothing before two transit times.
  [[nodiscard]] std::optional<Duration> value() const {
    if (!measured_) return std::nullopt;
    if (jitter_ >= static_cast<double>(Duration::max().count())) return Duration::max();
    return Duration(std::llround(jitter_));
  }

 private:
  static constexpr double kGain = 16;  // RFC 3550: "a good noise reduction ratio"

  // |a - b| in ns. Clocks of different hosts may lie so far apart that neither a signed difference
  // nor a double of each would do.
  static double distance(Duration a, Duration b) {
    const auto low = static_cast<std::uint64_t>(a < b ? a.count() : b.count());
    const auto high = static_cast<std::uint64_t>(a < b ? b.count() : a.count());
    return static_cast<double>(high - low);
  }

  std::optional<Duration> last_;
  double jitter_ = 0;  // ns
  bool measured_ = false;
};

}  // namespace wyndrvr::stats
