// Bodies of the heartbeats of dialect 1, from behind the path nonce (docs/PROTOCOL.md,
// "Heartbeats").
//
// Only the side that made a time reads it; the other one sends it back as it came, so a time is an
// opaque number here, in ns. HEARTBEAT_0 is padded to the length of HEARTBEAT_1, so that the answer
// does not amplify. Matches nothing and measures nothing. Allocates nothing.
//
//   HEARTBEAT_0 (the nonce before it is the client's, which it announces):
//   +---------------------------------------------------------------+
//   |            client's time, ns, 64 bits                         |
//   +---------------------------------------------------------------+
//   |            zeros, 40 octets                                   |
//   +---------------------------------------------------------------+
//
//   HEARTBEAT_1 (the nonce before it is the client's, as it came):
//   +---------------------------------------------------------------+
//   |            client's time, ns, 64 bits, as it came             |
//   +---------------------------------------------------------------+
//   |            server's path nonce, 64 bits                       |
//   +---------------------------------------------------------------+
//   |            server's time, ns, 64 bits                         |
//   +---------------------------------------------------------------+
//   |            turnaround of this answer, ns, 64 bits             |
//   +---------------------------------------------------------------+
//   |            server's time in an earlier answer, 64 bits        |
//   +---------------------------------------------------------------+
//   |            turnaround of that one, ns, 64 bits                |
//   +---------------------------------------------------------------+
//
//   HEARTBEAT_2 (the nonce before it is the server's, as it came):
//   +---------------------------------------------------------------+
//   |            server's time, ns, 64 bits, as it came             |
//   +---------------------------------------------------------------+
//   |            client's path nonce, 64 bits: which path           |
//   +---------------------------------------------------------------+
//   |            turnaround of this echo, ns, 64 bits; may be absent|
//   +---------------------------------------------------------------+
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "base/bytes.hpp"
#include "wire/drop_reason.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::wire {

inline constexpr std::size_t kPathHeartbeat1Size = 48;
inline constexpr std::size_t kPathHeartbeat0Size = kPathHeartbeat1Size;
inline constexpr std::size_t kPathHeartbeat2Size = 24;
// Without its turnaround.
inline constexpr std::size_t kShortPathHeartbeat2Size = 16;

struct PathHeartbeat0 {
  std::uint64_t client_time_ns = 0;
  bool operator==(const PathHeartbeat0&) const = default;
};

// The turnaround of an earlier HEARTBEAT_1, by the kernel's stamps, which are known only after it
// has left. It is named by the server's time in it: a HEARTBEAT_0 that the network copied is
// answered twice, so the client's time would not tell which.
struct EarlierAnswer {
  std::uint64_t server_time_ns = 0;  // not 0: that stands for "none" on the wire
  std::uint64_t turnaround_ns = 0;
  bool operator==(const EarlierAnswer&) const = default;
};

struct PathHeartbeat1 {
  std::uint64_t client_time_ns = 0;
  PathNonce server_nonce{};
  std::uint64_t server_time_ns = 0;
  std::uint64_t turnaround_ns = 0;
  std::optional<EarlierAnswer> earlier{};  // absent: 16 zeros
  bool operator==(const PathHeartbeat1&) const = default;
};

// The server's nonce before it shows only that it was received where it was sent to; which path of
// the session is proven there, the client's nonce tells.
struct PathHeartbeat2 {
  std::uint64_t server_time_ns = 0;
  PathNonce client_nonce{};
  std::optional<std::uint64_t> turnaround_ns{};
  bool operator==(const PathHeartbeat2&) const = default;
};

// Error: kBadBody, for any other length, for padding that is not zero, and for a turnaround of no
// earlier answer.
[[nodiscard]] std::expected<PathHeartbeat0, DropReason> parse_path_heartbeat0(ByteView body);
[[nodiscard]] std::expected<PathHeartbeat1, DropReason> parse_path_heartbeat1(ByteView body);
[[nodiscard]] std::expected<PathHeartbeat2, DropReason> parse_path_heartbeat2(ByteView body);

// Return the number of octets written: kPathHeartbeat0Size, 1 and 2 (or kShortPathHeartbeat2Size),
// which `out` holds at least.
std::size_t write_path_heartbeat0(MutableByteView out, const PathHeartbeat0& heartbeat);
std::size_t write_path_heartbeat1(MutableByteView out, const PathHeartbeat1& heartbeat);
std::size_t write_path_heartbeat2(MutableByteView out, const PathHeartbeat2& heartbeat);

}  // namespace wyndrvr::wire
