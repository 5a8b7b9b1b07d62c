// Channels between a supervisor and its workers: AF_UNIX SOCK_SEQPACKET socket pairs (unix(7)).
//
// A frame arrives whole, once and in order, or the channel is closed: end of channel is
// authoritative, for the kernel closes a dead process's end. What is inside a frame is not looked
// at here. Each end belongs to one thread; the two ends are independent.
//
// Example:
//   auto pair = open_channel_pair();
//   if (send_frame(pair->a.get(), frame) == ChannelStatus::kBlocked) wait_for_writability();
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {

struct ChannelPair {
  Fd a;
  Fd b;
};

// Two connected ends, non-blocking and close-on-exec. The error names the limit that was reached.
[[nodiscard]] Result<ChannelPair> open_channel_pair();

enum class ChannelStatus : std::uint8_t {
  kDone,
  kBlocked,  // the queue is full (sending) or empty (receiving): again when epoll says so
  kClosed,   // the other end is gone, or the descriptor is of no use any more: close it
};

// Sends one frame, which is never empty (an empty one would look like the end). Never blocks and
// never raises SIGPIPE. A frame larger than the socket's send buffer (SO_SNDBUF, by default about
// 200 kB) counts as kClosed.
[[nodiscard]] ChannelStatus send_frame(int fd, ByteView frame);

struct ReceivedFrame {
  ChannelStatus status = ChannelStatus::kBlocked;
  ByteView bytes{};        // in the caller's buffer; empty unless kDone
  bool truncated = false;  // the frame was larger than the buffer; the rest of it is lost
};

// Takes the next frame into `buffer`. Never blocks.
[[nodiscard]] ReceivedFrame receive_frame(int fd, MutableByteView buffer);

// Nothing more will be sent: the other end sees the end of the channel once it has read what is
// there. Frames from there can still be received.
void finish_sending(int fd);

// Waits until a frame or the end of the channel can be read; false when `timeout` has passed first.
// For a worker's set-up, before it has a loop.
[[nodiscard]] bool wait_readable(int fd, Duration timeout);

// Whether `fd` is an AF_UNIX SOCK_SEQPACKET socket: what a worker checks before it trusts the
// number it was started with.
[[nodiscard]] bool is_channel(int fd);

}  // namespace wyndrvr::os
