// The UDP ports that a server hands out to clients: the lowest free one in 0.14 (protocol section
// 1), any free one in dialect 1, so that nobody off the path knows where a session is.
//
// A port that the system would not give at one of our addresses (another program has it) is set
// aside for that address, for kRetryAfter: which address it is, a client chooses, and its choice
// must cost the clients of other addresses nothing. Pure: it only keeps the books; binding is done
// elsewhere. A port costs O(log n), and one step for each that is set aside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/endpoint.hpp"
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
        give_back(Port{static_cast<std::uint16_t>(port)});
      }
    }
    size_ = free_.size();
  }

  // The lowest free port for a socket at `local`; nothing when all are taken or set aside there.
  [[nodiscard]] std::optional<Port> take_lowest(Instant now, const IpAddress& local) {
    forget_old(now);
    for (const Port port : free_) {
      if (!is_set_aside(local, port)) return take(port);
    }
    return std::nullopt;
  }
  // One of the free ports, each as likely; `drawn` is a random number.
  [[nodiscard]] std::optional<Port> take_any(Instant now, const IpAddress& local,
                                             std::uint64_t drawn) {
    forget_old(now);
    for (std::size_t i = 0; i < list_.size(); ++i) {
      const Port port = list_[(drawn + i) % list_.size()];
      if (!is_set_aside(local, port)) return take(port);
    }
    return std::nullopt;
  }
  void give_back(Port port) {
    if (!free_.insert(port).second) return;
    places_[port.value] = list_.size();
    list_.push_back(port);
  }
  // Gives back one that cannot be had at `local`. Remembers as many as there are ports, so that
  // the oldest of more is tried again early.
  void set_aside(Instant now, Port port, const IpAddress& local) {
    give_back(port);
    if (aside_.size() == size_) forget_oldest();
    if (set_aside_.emplace(local, port).second) aside_.push_back({now + kRetryAfter, local, port});
  }

  [[nodiscard]] std::size_t free_count() const { return free_.size(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Aside {
    Instant until;
    IpAddress local;
    Port port;
  };

  [[nodiscard]] bool is_set_aside(const IpAddress& local, Port port) const {
    return !set_aside_.empty() && set_aside_.contains({local, port});
  }
  std::optional<Port> take(Port port) {
    const std::size_t place = places_.at(port.value);
    list_[place] = list_.back();
    places_[list_[place].value] = place;
    list_.pop_back();
    places_.erase(port.value);
    free_.erase(port);
    return port;
  }
  void forget_old(Instant now) {
    while (!aside_.empty() && aside_.front().until <= now) forget_oldest();
  }
  void forget_oldest() {
    set_aside_.erase({aside_.front().local, aside_.front().port});
    aside_.pop_front();
  }

  std::set<Port> free_;
  std::vector<Port> list_;                                 // the same, in any order
  std::unordered_map<std::uint16_t, std::size_t> places_;  // of each in the list
  std::set<std::pair<IpAddress, Port>> set_aside_;
  std::deque<Aside> aside_;  // the same, oldest first
  std::size_t size_ = 0;
};

}  // namespace wyndrvr::engine
