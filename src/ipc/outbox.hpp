// Frames that wait because a channel has no room for them, in order.
//
// Bounded: what may not be lost is refused once the box is full, which means that the other end
// has stopped reading and that the caller gives it up. State is kept in its newest version alone,
// and samples and debug lines go first (engine::Delivery, by which Mail goes as well). Allocates
// nothing while nothing waits. Pure; does no sending. One thread.
//
// Example:
//   if (!outbox.push(frame, keep_of(letter.message), key_of(letter))) return give_up();
//   while (!outbox.empty() && send(outbox.front())) outbox.pop();
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "base/bytes.hpp"
#include "engine/message.hpp"
#include "ipc/message_codec.hpp"

namespace wyndrvr::ipc {

using Keep = engine::Delivery;

[[nodiscard]] inline Keep keep_of(const engine::Message& message) {
  return engine::delivery_of(message);
}
// Tells states apart: which kind, and whose.
[[nodiscard]] std::uint8_t key_of(const Letter& letter);

class Outbox {
 public:
  // Frames, at most kMaxFrameSize octets each: half a megabyte at the very most.
  static constexpr std::size_t kCapacity = 256;

  // False where the box is full and the frame may not be lost; it is not taken then.
  // kNewest replaces the waiting state of that key in its place; without one it waits at the end,
  // or, the box being full, is dropped. kMayLose is dropped when the box is more than half full.
  [[nodiscard]] bool push(ByteView frame, Keep keep, std::uint8_t key);

  // The oldest frame, valid until the next push or pop; the box must not be empty.
  [[nodiscard]] ByteView front() const;
  void pop();

  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  // Frames that were lost here; a state that a newer one replaced is none.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Waiting {
    std::vector<std::byte> frame;
    Keep keep = Keep::kAlways;
    std::uint8_t key = 0;
  };

  [[nodiscard]] bool replace(ByteView frame, std::uint8_t key);

  std::list<Waiting> waiting_;  // unlike a deque it owns no memory while it is empty
  std::uint64_t dropped_ = 0;
};

}  // namespace wyndrvr::ipc
