// What heartbeats are made of in each dialect: the parameters of the two heartbeat halves, whose
// logic is one. A Time is what a side makes from its clock and gets back; only the side that made
// one reads it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "wire/heartbeat.hpp"

namespace wyndrvr::engine {

struct OriginalHeartbeats {
  using Time = wire::Timestamp;
  using Request = wire::Heartbeat0;
  using Reply = wire::HeartbeatReply;
  using Earlier = wire::EarlierTurnaround;
};

// Dialect 1: nanoseconds, of which ours are whole microseconds.
struct PathTime {
  std::uint64_t ns = 0;

  [[nodiscard]] static PathTime from_micros(std::int64_t micros) {
    return {static_cast<std::uint64_t>(micros) * kMicrosecond};
  }
  // Nothing for one that is not of our making.
  [[nodiscard]] std::optional<std::int64_t> to_micros() const {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (ns % kMicrosecond != 0 || ns > kMost) return std::nullopt;
    return static_cast<std::int64_t>(ns / kMicrosecond);
  }
  bool operator==(const PathTime&) const = default;

 private:
  static constexpr std::uint64_t kMicrosecond = 1000;
};

struct PathHeartbeats {
  using Time = PathTime;
  struct Request {
    Time timestamp;
  };
  struct Earlier {
    Time server;
    std::uint64_t turnaround_ns = 0;
  };
  struct Reply {
    Time client;
    Time server;
    std::optional<std::uint64_t> turnaround_ns;
    std::optional<Earlier> earlier;
  };
};

}  // namespace wyndrvr::engine
