// Unix time derived from the monotonic clock, for the timestamps that a peer echoes.
//
// The offset is read once, at start, so a step of the system's clock in the middle of a run cannot
// falsify a round trip. Pure.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace wyndrvr::engine {

class WallClock {
 public:
  WallClock() = default;
  // `wall` and `now` were read together.
  WallClock(WallTime wall, Instant now)
      : offset_(wall.time_since_epoch() - now.time_since_epoch()) {}
  explicit WallClock(Duration offset) : offset_(offset) {}

  [[nodiscard]] Duration offset() const { return offset_; }
  // Microseconds since 1970.
  [[nodiscard]] std::int64_t micros(Instant now) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch() + offset_)
        .count();
  }

 private:
  Duration offset_{};
};

}  // namespace wyndrvr::engine
