// Preallocated memory for one recvmmsg(2), and the datagrams that it brought.
//
// One buffer serves all sockets of a loop, each of which has the memory cut into slots as it needs
// them: few that hold a whole train, or many for single datagrams. What a receive returned is valid
// until the next receive into the same buffer. Not thread-safe. No allocation after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "os/clock.hpp"
#include "os/control_messages.hpp"
#include "os/drop_counter.hpp"
#include "os/socket_address.hpp"

namespace wyndrvr::os {

struct Received {
  ByteView bytes;
  // Size of the datagrams that `bytes` consists of (the last may be shorter), as the kernel says;
  // bytes.size() for a single one.
  std::uint32_t segment_size = 0;
  Endpoint from;
  // Our address that it was sent to: answer from this one. Needs UdpOptions::receive_destination.
  IpAddress to;
  // It was sent to a broadcast or multicast address, so `to` was not named. IPv6 shows multicast in
  // `to` itself. Needs the same option.
  bool to_group = false;
  std::uint32_t interface = 0;  // that it came in by, with `to`; 0: not told
  Instant arrival;
  bool kernel_stamped = false;  // false: `arrival` is when the program read it
  bool truncated = false;       // it was longer than the slot; the rest is gone
  // DSCP << 2 | ECN of every datagram in `bytes` (the kernel makes trains of equal ones only);
  // needs UdpOptions::receive_traffic_class.
  std::optional<std::uint8_t> traffic_class;
};

class ReceiveBuffer {
 public:
  // Octets of a slot that holds any train (one more than there can be, so that each slot begins at
  // a cache line), and that of the usual single datagrams.
  static constexpr std::size_t kTrainSlot = 65'536;
  static constexpr std::size_t kSmallSlot = 2048;
  // Slots of one receive, at most: more saves no time, and holds the loop up.
  static constexpr std::size_t kMaxSlots = 64;

  // The memory of so many slots, which are also those of sockets that want none in particular.
  ReceiveBuffer(std::size_t slot_count, std::size_t slot_bytes);
  ReceiveBuffer(ReceiveBuffer&&) = default;
  ReceiveBuffer& operator=(ReceiveBuffer&&) = default;
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;
  ~ReceiveBuffer() = default;

  // As of the last receive.
  [[nodiscard]] std::size_t slot_count() const { return slot_count_; }
  [[nodiscard]] std::size_t slot_bytes() const { return slot_bytes_; }

  // For UdpSocket: the headers, ready for recvmmsg(2), of slots that hold `longest` octets, or as
  // many as there is memory for; 0: as constructed.
  [[nodiscard]] std::span<mmsghdr> prepare(std::size_t longest);
  // For UdpSocket: turns the first `count` filled headers into values.
  [[nodiscard]] std::span<const Received> collect(std::size_t count, const ClockReading& now,
                                                  DropCounter& drops);

 private:
  struct alignas(cmsghdr) Control {
    std::array<std::byte, kControlBytes> bytes;
  };
  // Slots begin at a cache line. The kernel's copies take 20 times as long where they end up 1 to
  // 31 octets above where they come from, modulo a page (rep movsb on AMD's Zen 3): anywhere, one
  // of 130 does, and among aligned ones next to none.
  struct alignas(64) Line {
    std::array<std::byte, 64> bytes;
  };
  [[nodiscard]] std::byte* slot_at(std::size_t slot) const {
    return memory_.get()->bytes.data() + slot * slot_bytes_;
  }
  void cut(std::size_t slot_count, std::size_t slot_bytes);
  void make_ready(std::size_t slots);
  void collect_one(std::size_t slot, const ClockReading& now, DropCounter& drops);

  std::size_t own_count_;
  std::size_t own_bytes_;
  std::size_t slot_count_ = 0;
  std::size_t slot_bytes_ = 0;
  std::size_t used_ = 0;  // headers that the kernel has written to since they were made ready
  // Not cleared: a slot that nothing has been received into takes no memory yet.
  std::unique_ptr<Line[]> memory_;
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
  std::vector<SocketAddress> sources_;
  std::vector<Control> controls_;
  std::vector<Received> received_;
};

}  // namespace wyndrvr::os
