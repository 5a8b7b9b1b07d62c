// RateMeter: octets at instants, as a rate over all and as amounts per interval.
//
// It reads no clock and knows no headers: which octets count is the caller's choice. Kernel receive
// times may go back a little; first and last are the earliest and the latest. A plain value; not
// thread-safe.
//
// Invariant: the octets of all intervals taken, and those since, add up to `total`.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "base/time.hpp"
#include "base/units.hpp"

namespace wyndrvr::stats {

class RateMeter {
 public:
  struct Interval {
    Duration duration{};
    ByteCount bytes;
    bool operator==(const Interval&) const = default;
  };

  // A datagram of `bytes` was there at `at`.
  void add(Instant at, ByteCount bytes) {
    if (!first_ || at < *first_) {
      first_ = at;
      first_bytes_ = bytes;
    }
    last_ = last_ ? std::max(*last_, at) : at;
    total_ += bytes;
  }

  [[nodiscard]] ByteCount total() const { return total_; }
  // Nothing before the first datagram.
  [[nodiscard]] std::optional<Instant> first() const { return first_; }
  [[nodiscard]] std::optional<Instant> last() const { return last_; }
  // The octets that came after the first datagram, over the time from that to the last; nothing
  // where no time lies between them. n datagrams span n - 1 gaps: with the first one, a count of
  // few would overstate the rate.
  [[nodiscard]] std::optional<BitRate> rate() const {
    if (!first_ || *first_ == *last_) return std::nullopt;
    return rate_of(total_ - first_bytes_, *last_ - *first_);
  }

  // What came since the previous call, and how long ago that was. The first interval begins with
  // the first datagram; before any datagram it is empty. Time never runs backwards here: an earlier
  // `now` makes an interval of no duration.
  Interval take_interval(Instant now) {
    const Instant begin = taken_at_ ? *taken_at_ : first_.value_or(now);
    const Instant end = std::max(begin, now);
    taken_at_ = end;
    return {end - begin, total_ - std::exchange(taken_, total_)};
  }

 private:
  std::optional<Instant> first_;
  std::optional<Instant> last_;
  ByteCount first_bytes_;
  ByteCount total_;
  std::optional<Instant> taken_at_;  // end of the interval taken last
  ByteCount taken_;                  // octets in all intervals taken
};

}  // namespace wyndrvr::stats
