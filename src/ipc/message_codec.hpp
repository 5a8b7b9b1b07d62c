// Messages as bytes: what goes through a channel between two processes, and, in debug builds,
// through every local mailbox as well, so that no test in one process can rely on shared memory.
//
// A frame is the sender's mailbox and the receiver's (one octet each), the message's kind (one
// octet, its index in engine::Message) and the fields in order. It must decode to exactly its
// length.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "engine/message.hpp"

namespace wyndrvr::ipc {

// No frame is longer; a PortReport is the longest. Octets.
inline constexpr std::size_t kMaxFrameSize = 2048;

struct Letter {
  engine::Mailbox from = engine::Mailbox::kCoordinator;
  engine::Message message;
  engine::Mailbox to = engine::Mailbox::kCoordinator;
  bool operator==(const Letter&) const = default;
};

// Replaces the contents of `frame`.
void encode(const Letter& letter, std::vector<std::byte>& frame);
// Nothing where the frame is not one of ours.
[[nodiscard]] std::optional<Letter> decode(ByteView frame);

}  // namespace wyndrvr::ipc
