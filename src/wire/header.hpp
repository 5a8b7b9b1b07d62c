// The packet: a header of 20 octets and a body (protocol 0.14 section 2).
//
// Checks only what every packet has in common: size and message type. Whether the type belongs on
// a port, the channel to a test or the source to a client is for the engine to say. Allocates
// nothing; a parsed packet's body points into the datagram.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+-----------------------------------------------+
//   |     type      |                 data channel                  |
//   +---------------+-----------------------------------------------+
//   |            channel sequence number (N), 64 bits               |
//   |                                                               |
//   +---------------------------------------------------------------+
//   |            sequence offset, 64 bits                           |
//   |                                                               |
//   +---------------------------------------------------------------+
//   |            body: UTF-8 JSON, or binary for FLOW_CONTROL  ...
//   +----------------------------------------------------------
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "wire/drop_reason.hpp"

namespace wyndrvr::wire {

inline constexpr std::size_t kHeaderSize = 20;
// Where its two numbers stand, in either dialect.
inline constexpr std::size_t kHeaderSeqAt = 4;
inline constexpr std::size_t kHeaderOffsetAt = 12;
inline constexpr std::size_t kHeaderNumberSize = 8;
static_assert(kHeaderOffsetAt + kHeaderNumberSize == kHeaderSize);
// Header and body together: the UDP payload.
inline constexpr std::size_t kMaxPacketSize = 1400;
inline constexpr std::size_t kMaxBodySize = kMaxPacketSize - kHeaderSize;

enum class MessageType : std::uint8_t {
  kHeartbeat0 = 0,
  kHeartbeat1 = 1,
  kHeartbeat2 = 2,
  kFlowControl = 3,
  kBandwidthTest = 4,
  kData = 5,  // reserved
  kControl = 6,
  kTestResult = 7,
};

struct Header {
  MessageType type = MessageType::kHeartbeat0;
  ChannelId channel{};       // at most ChannelId::kMax
  SeqNo seq{};               // N: datagrams sent before this one on the (port, channel)
  std::uint64_t offset = 0;  // N - E, modulo 2^64 (section 5)
  bool operator==(const Header&) const = default;
};

struct Packet {
  Header header;
  ByteView body;  // a part of the parsed datagram
};

// The number E that a BANDWIDTH_TEST packet stands for: N - offset, modulo 2^64.
[[nodiscard]] constexpr SeqNo represented_seq(const Header& header) {
  return {header.seq.value - header.offset};
}

// Splits a datagram. Errors: kTooShort, kTooLong, kUnknownType.
[[nodiscard]] std::expected<Packet, DropReason> parse_packet(ByteView datagram);

// Writes exactly kHeaderSize octets.
void write_header(std::byte* out, const Header& header);

// Of a header that stands there already, of either dialect: writes only its two numbers.
inline void set_header_numbers(std::byte* header, SeqNo seq, std::uint64_t offset) {
  base::store_big_endian(header + kHeaderSeqAt, seq.value, kHeaderNumberSize);
  base::store_big_endian(header + kHeaderOffsetAt, offset, kHeaderNumberSize);
}

}  // namespace wyndrvr::wire
