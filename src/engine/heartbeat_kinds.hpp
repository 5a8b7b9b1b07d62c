// What heartbeats are made of in each dialect: the parameters of the two heartbeat halves, whose
// logic is one. A Time is what a side makes from its clock and gets back; only the side that made
// one reads it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/time.hpp"
#include "wire/heartbeat.hpp"

namespace wyndrvr::engine {

// Datagrams that a port is given at most before it may send. Each finds room for its answer: of
// those that did not, the other side would think that the path had lost them.
inline constexpr std::size_t kMostHeartbeatsAtOnce = 64;

// What an answer that leaves at `now` tells of the time that it took us.
[[nodiscard]] inline std::uint64_t turnaround_ns(Instant arrival, Instant now) {
  return static_cast<std::uint64_t>(std::max(now - arrival, Duration(0)).count());
}

// What of a round trip was not the peer's. A turnaround longer than the whole trip is a peer's
// mistake or lie: not measured.
[[nodiscard]] inline std::optional<Duration> less_turnaround(
    Duration total, const std::optional<std::uint64_t>& turnaround_ns) {
  if (!turnaround_ns || total < Duration(0)) return std::nullopt;
  if (*turnaround_ns > static_cast<std::uint64_t>(total.count())) return std::nullopt;
  return total - Duration(static_cast<std::int64_t>(*turnaround_ns));
}

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
