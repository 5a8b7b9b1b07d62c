// What every datagram of dialect 1 on the three ports begins with: the header of 20 octets, whose
// type has bit 7 set, and a path nonce (docs/PROTOCOL.md, "The three ports").
//
// Checks what a datagram tells by itself: length, type, and whether channel and offset can belong
// to that type. Whether the nonce is the right one, the port right and the number new is for the
// engine. Knows nothing of keys: whoever has one looks at path_type(), checks the MAC or the tag,
// and parses what is before it. Allocates nothing; a packet's body points into the datagram.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-------------+-----------------------------------------------+
//   |1|   type      |                 data channel                  |
//   +-+-------------+-----------------------------------------------+
//   |            sequence number (N), 64 bits                       |
//   |                                                               |
//   +---------------------------------------------------------------+
//   |            sequence offset (N - E), 64 bits; 0 but in DATA    |
//   |                                                               |
//   +---------------------------------------------------------------+
//   |            path nonce, 64 bits: the receiver's, in            |
//   |            HEARTBEAT_0 the sender's                           |
//   +---------------------------------------------------------------+
//   |            body of the type ...
//   +--------------------------------
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "wire/drop_reason.hpp"
#include "wire/header.hpp"

namespace wyndrvr::wire {

// 64 bits of one path and direction (crypto/path_nonces): whoever cannot read the path does not
// know them.
struct PathNonce {
  std::uint64_t value = 0;
  bool operator==(const PathNonce&) const = default;
};

// Tells the tests of a session apart.
struct TestNumber {
  std::uint32_t value = 0;
  bool operator==(const TestNumber&) const = default;
};

inline constexpr std::size_t kPathNonceSize = 8;
inline constexpr std::size_t kTestNumberSize = 4;
inline constexpr std::size_t kPathPrefixSize = kHeaderSize + kPathNonceSize;
// The longest UDP payload over IPv4. Every type but DATA stays within kMaxPacketSize.
inline constexpr std::size_t kMaxPathDataSize = 65'507;
// The shortest DATA (field 4), header included, and with the tag that it may end with.
inline constexpr std::size_t kMinPathDataSize = 64;
inline constexpr std::size_t kPathDataTagSize = 8;

enum class PathType : std::uint8_t {
  kHeartbeat0 = 0x80,
  kHeartbeat1 = 0x81,
  kHeartbeat2 = 0x82,
  kReport = 0x83,
  kData = 0x84,
  kControl = 0x86,
  kResult = 0x87,
};

// On a single port the heartbeats of CONTROL, UPLOAD and DOWNLOAD have channels 0, 1 and 2.
inline constexpr std::uint32_t kLastHeartbeatChannel = 2;
// Streams count from 1, also on a single port, and are 64 at most.
inline constexpr std::uint32_t kFirstStreamChannel = 1;
inline constexpr std::uint32_t kLastStreamChannel = 64;

struct PathHeader {
  PathType type = PathType::kHeartbeat0;
  ChannelId channel{};       // one that `type` can have
  SeqNo seq{};               // N: counts on each (port, direction, channel)
  std::uint64_t offset = 0;  // N - E, modulo 2^64; 0 but in DATA
  bool operator==(const PathHeader&) const = default;
};

struct PathPacket {
  PathHeader header;
  PathNonce nonce{};
  ByteView body;  // what follows the nonce; a part of the parsed datagram
};

// The number E that a DATA packet stands for: N - offset, modulo 2^64.
[[nodiscard]] constexpr SeqNo represented_seq(const PathHeader& header) {
  return {header.seq.value - header.offset};
}

// The type alone, for whoever must know what is at the datagram's end. Errors: kTooShort for an
// empty one, kUnknownType, also for all types of 0.14.
[[nodiscard]] std::expected<PathType, DropReason> path_type(ByteView datagram);

// Splits a datagram without its MAC or tag. Errors: kTooShort, also for a DATA that is shorter than
// kMinPathDataSize less a tag; kTooLong, kUnknownType; kWrongChannel for a channel that the type
// never has; kBadSequence for an offset where there is none.
[[nodiscard]] std::expected<PathPacket, DropReason> parse_path_packet(ByteView datagram);

// Write exactly kHeaderSize and kPathPrefixSize octets; `header` is one that parse_path_packet
// accepts.
void write_path_header(std::byte* out, const PathHeader& header);
void write_path_prefix(std::byte* out, const PathHeader& header, PathNonce nonce);

}  // namespace wyndrvr::wire
