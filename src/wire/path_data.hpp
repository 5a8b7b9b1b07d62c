// DATA of dialect 1: the path nonce of the receiver, the sender's time, then octets without meaning
// (docs/PROTOCOL.md, "Data").
//
// A sender fills its buffer with the template once. Header and nonce change with the stream whose
// turn it is; from one datagram of a stream to the next only the header's two numbers and the time
// do. There is no parser beyond parse_path_packet: a receiver reads header, nonce and time and
// counts the rest. Whether the length is the one that was granted is for the engine. A tag is
// written over the template's last octets by whoever has keys, when all else is written.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------------------------------------------------------+
//   |            header, 20 octets: each datagram's own             |
//   +---------------------------------------------------------------+
//   |            path nonce of the receiver, 64 bits                |
//   |                                                               |
//   +---------------------------------------------------------------+
//   |            sender's time, ns, 64 bits: when this batch        |
//   |            was handed to the kernel                           |
//   +---------------------------------------------------------------+
//   |            filling ...
//   +-----------------------
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/random.hpp"
#include "base/units.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::wire {

inline constexpr std::size_t kDataTimeSize = 8;
// Header, nonce and time: what stands before the filling.
inline constexpr std::size_t kPathDataPrefixSize = kPathPrefixSize + kDataTimeSize;
static_assert(kPathDataPrefixSize <= kMinPathDataSize - kPathDataTagSize);

// A path's receiver may change its nonce when it moves. `datagram` is a template's, as below.
inline void set_data_nonce(std::byte* datagram, PathNonce receiver) {
  base::store_big_endian(datagram + kHeaderSize, receiver.value, kPathNonceSize);
}

// Fills one datagram but for what each has of its own: the octets of header and time stay as they
// are. `datagram` has kMinPathDataSize to kMaxPathDataSize octets. The filling is always the same,
// and looks random, so that a link that compresses is not measured as a faster one.
inline void write_data_template(MutableByteView datagram, PathNonce receiver) {
  WYNDRVR_CHECK(datagram.size() >= kMinPathDataSize && datagram.size() <= kMaxPathDataSize);
  set_data_nonce(datagram.data(), receiver);
  base::Random random(0);
  for (MutableByteView rest = datagram.subspan(kPathDataPrefixSize); !rest.empty();) {
    const std::size_t width = std::min(rest.size(), sizeof(std::uint64_t));
    base::store_big_endian(rest.data(), random(), width);
    rest = rest.subspan(width);
  }
}

// Writes the header's 20 octets; `stream` is a stream's channel.
inline void set_data_header(std::byte* datagram, ChannelId stream, SeqNo seq,
                            std::uint64_t offset) {
  write_path_header(datagram,
                    {.type = PathType::kData, .channel = stream, .seq = seq, .offset = offset});
}

inline void set_data_time(std::byte* datagram, std::uint64_t ns) {
  base::store_big_endian(datagram + kPathPrefixSize, ns, kDataTimeSize);
}

// Of the body of a DATA that parse_path_packet has taken. By the sender's clock, whose beginning
// nobody knows: only differences mean anything, and a hostile one may be any number.
[[nodiscard]] inline std::uint64_t data_time_ns(ByteView body) {
  WYNDRVR_CHECK(body.size() >= kDataTimeSize);
  return base::load_big_endian(body.data(), kDataTimeSize);
}

}  // namespace wyndrvr::wire
