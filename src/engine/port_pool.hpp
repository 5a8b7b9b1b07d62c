// The UDP ports that a server hands out to clients: lowest free first (protocol 0.14 section 1).
//
// A port that the system would not give (another program has it) is set aside for kRetryAfter.
// Pure: it only keeps the books; binding is done elsewhere. A port costs O(log n).
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/config.hpp"

namespace wyndrvr::engine {

class PortPool {
 public:
  static constexpr Duration kRetryAfter = 60s;

  explicit PortPool(std::span<const PortRange> ranges) {
    for (const PortRange& range : ranges) {
      for (std::uint32_t port = range.first.value; port <= range.last.value; ++port) {
        free_.insert(Port{static_cast<std::uint16_t>(port)});
      }
    }
    size_ = free_.size();
  }

  // The lowest free port; nothing when all are taken.
  [[nodiscard]] std::optional<Port> take(Instant now) {
    return_set_aside(now);
    if (free_.empty()) return std::nullopt;
    const Port port = *free_.begin();
    free_.erase(free_.begin());
    return port;
  }
  void give_back(Port port) { free_.insert(port); }
  void set_aside(Instant now, Port port) { set_aside_.emplace_back(now + kRetryAfter, port); }

  [[nodiscard]] std::size_t free_count() const { return free_.size(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void return_set_aside(Instant now) {
    for (; !set_aside_.empty() && set_aside_.front().first <= now; set_aside_.pop_front()) {
      free_.insert(set_aside_.front().second);
    }
  }

  std::set<Port> free_;
  std::deque<std::pair<Instant, Port>> set_aside_;  // in order; at most as many as there are ports
  std::size_t size_ = 0;
};

}  // namespace wyndrvr::engine
