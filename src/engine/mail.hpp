// The outgoing messages of one actor, in order.
//
// Bounded by what one event can cause times the events of a turn. The message's type decides what
// happens there (delivery_of): a full box is our own bug, for commands and events are never lost;
// what may be is dropped and counted. There is memory for two: that of more is given back, for a
// message is large, and a server has three boxes for each client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "base/growing_queue.hpp"
#include "engine/message.hpp"

namespace wyndrvr::engine {

class Mail {
 public:
  // `self` is whose mail it is.
  explicit Mail(Mailbox self) : self_(self), queue_({.most = kCapacity, .kept = kUsual}) {}

  // What may be lost leaves half of the box to what may not.
  void post(Mailbox to, Message message) {
    if (delivery_of(message) != Delivery::kAlways && queue_.size() >= kCapacity / 2) {
      ++dropped_;
      return;
    }
    WYNDRVR_CHECK(queue_.push({self_, to, std::move(message)}));
  }
  [[nodiscard]] std::optional<Outgoing> pop() { return queue_.pop(); }
  [[nodiscard]] bool empty() const { return queue_.empty(); }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  static constexpr std::size_t kCapacity =
      32;  // messages; the host empties the box after every batch
  // Of two heartbeats that came together; most events cause one or none.
  static constexpr std::size_t kUsual = 2;

  Mailbox self_;
  base::GrowingQueue<Outgoing> queue_;
  std::uint64_t dropped_ = 0;
};

}  // namespace wyndrvr::engine
