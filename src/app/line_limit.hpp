// How many lines of a kind are shown: a token bucket, and the count of those left out. Pure.
//
// Example: LineLimit limit(30, 10); if (limit.allow(now)) show(); else limit.left_out() grows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/time.hpp"

namespace wyndrvr::app {

class LineLimit {
 public:
  // `burst` lines at once, then so many a second.
  LineLimit(unsigned burst, unsigned per_second)
      : burst_(burst), per_second_(per_second), tokens_(burst) {}

  // Time never goes back.
  [[nodiscard]] bool allow(Instant now) {
    if (last_) tokens_ = std::min(burst_, tokens_ + per_second_ * to_seconds(now - *last_));
    last_ = now;
    if (tokens_ < 1) return refuse();
    tokens_ -= 1;
    return true;
  }
  // Counts a line that was allowed as left out after all; false.
  bool refuse() {
    ++left_out_;
    return false;
  }
  // Lines refused since it was asked last.
  [[nodiscard]] std::uint64_t take_left_out() { return std::exchange(left_out_, 0); }

 private:
  double burst_;
  double per_second_;
  double tokens_;
  std::optional<Instant> last_;
  std::uint64_t left_out_ = 0;
};

}  // namespace wyndrvr::app
