// The octets of one batch of datagrams, in which the constant part of each is in place.
//
// The streams of a test share one, for they send by turns: one for each would not stay in the
// processor's cache. Pure; allocates in its constructor alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "engine/datagram.hpp"

namespace wyndrvr::engine {

class BatchBuffer {
 public:
  // What one super-packet holds at most (udp(7), UDP_SEGMENT), and how many of these a batch does:
  // a system call for several costs less, and so many stay in the cache. The socket makes more of
  // them where the kernel takes fewer datagrams in one.
  static constexpr std::size_t kMaxSuperPacketBytes = 65'507;
  static constexpr std::size_t kMaxSuperPackets = 4;

  // As many datagrams of `packet_size` octets as a batch may have, but for headers, path nonces and
  // times, which are the senders'. `dummy_bytes`: of the body of 0.14; absent: dialect 1.
  BatchBuffer(std::size_t packet_size, std::optional<std::uint32_t> dummy_bytes);

  // Datagrams are of so many octets from now on, no more than at first. Nothing where they are.
  void cut(std::size_t packet_size);
  // Makes so many of the first datagrams begin with `prefix`, which is kPathPrefixSize octets at
  // most. What does already is left alone.
  void set_prefix(ByteView prefix, std::size_t packets);

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::byte* at(std::size_t slot) { return octets_.data() + slot * packet_size_; }
  [[nodiscard]] MutableByteView first(std::size_t packets) {
    return MutableByteView(octets_).first(packets * packet_size_);
  }

 private:
  void write_packets();

  std::size_t packet_size_;
  std::optional<std::size_t> around_dummy_;  // octets of a packet of 0.14 beside its dummy data
  std::size_t capacity_;                     // datagrams
  std::vector<std::byte> octets_;
  std::vector<std::byte> prefix_;
  std::size_t prefixed_ = 0;  // so many of the first ones begin with prefix_
};

}  // namespace wyndrvr::engine
