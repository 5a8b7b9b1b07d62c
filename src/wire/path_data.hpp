// DATA of dialect 1: the path nonce of the receiver, then octets without meaning
// (docs/DIALECT-1.md, "Data").
//
// A sender writes the template once into each of its buffers, and afterwards only the header's 20
// octets: nonce and filling never change on a path. There is no parser beyond parse_path_packet:
// a receiver reads header and nonce and counts the rest. Whether the length is the one that was
// granted is for the engine. A tag is written over the template's last octets by whoever has keys.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------------------------------------------------------+
//   |            header, 20 octets: each datagram's own             |
//   +---------------------------------------------------------------+
//   |            path nonce of the receiver, 64 bits                |
//   |                                                               |
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
#include "wire/path_packet.hpp"

namespace wyndrvr::wire {

// The UDP payload of a data datagram, header included (field 4).
inline constexpr std::size_t kMinPathDataSize = 64;

// Fills one datagram from behind the header to its end; the header's octets stay as they are.
// `datagram` has kMinPathDataSize to kMaxPathDataSize octets. The filling is always the same, and
// looks random, so that a link that compresses is not measured as a faster one.
inline void write_data_template(MutableByteView datagram, PathNonce receiver) {
  WYNDRVR_CHECK(datagram.size() >= kMinPathDataSize && datagram.size() <= kMaxPathDataSize);
  base::store_big_endian(datagram.data() + kHeaderSize, receiver.value, kPathNonceSize);
  base::Random random(0);
  for (MutableByteView rest = datagram.subspan(kPathPrefixSize); !rest.empty();) {
    const std::size_t width = std::min(rest.size(), sizeof(std::uint64_t));
    base::store_big_endian(rest.data(), random(), width);
    rest = rest.subspan(width);
  }
}

}  // namespace wyndrvr::wire
