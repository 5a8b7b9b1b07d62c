// Bodies of HEARTBEAT_0, HEARTBEAT_1 and HEARTBEAT_2 (protocol 0.14 section 2).
//
//   HEARTBEAT_0   {"timestamp": T}
//   HEARTBEAT_1   {"client_timestamp": T, "server_timestamp": S}
//   HEARTBEAT_2   the same two, echoed
//
// T and S are Unix time in seconds as JSON numbers. Only the side that made a timestamp reads it;
// the other one sends the number's text back as it came, so that no precision is lost on the way.
// Our extension `"turnaround_ns": N` in an answer is the time that its sender spent between
// receiving what it answers and answering it; peers that do not know it ignore it.
//
// Measures nothing and matches nothing: outstanding heartbeats are the engine's. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/drop_reason.hpp"

namespace wyndrvr::wire {

// The text of a JSON number. Invariant: it is one, of at most kCapacity characters.
class Timestamp {
 public:
  static constexpr std::size_t kCapacity = 64;

  Timestamp() { characters_[0] = '0'; }  // the number 0

  // Seconds with exactly six decimals: 1731944123123456 is "1731944123.123456".
  [[nodiscard]] static Timestamp from_micros(std::int64_t unix_micros);
  // Nothing unless `text` is a JSON number of at most kCapacity characters.
  [[nodiscard]] static std::optional<Timestamp> from_number_text(std::string_view text);

  [[nodiscard]] std::string_view text() const { return {characters_.data(), size_}; }
  // The nearest microsecond to the number, read as a double, since a peer may echo it by way of
  // one: exact from 1970 to 2106 (2^32 s). Nothing beyond the range of the result.
  [[nodiscard]] std::optional<std::int64_t> to_micros() const;

  // Equal text; "1.5" and "1.50" differ.
  bool operator==(const Timestamp& other) const { return text() == other.text(); }

 private:
  std::array<char, kCapacity> characters_{};
  std::uint8_t size_ = 1;
};

struct Heartbeat0 {
  Timestamp timestamp{};
  bool operator==(const Heartbeat0&) const = default;
};

// Extension: the turnaround of an earlier HEARTBEAT_1, named by the server's timestamp in it (the
// client's would not do: a request that the network copied is answered twice), by the kernel's
// stamps of its departure and of its request's arrival. A server knows it only after the answer has
// left (NTP's interleaved mode, RFC 9769, does the same).
struct EarlierTurnaround {
  Timestamp server{};
  std::uint64_t turnaround_ns = 0;
  bool operator==(const EarlierTurnaround&) const = default;
};

// HEARTBEAT_1 and HEARTBEAT_2.
struct HeartbeatReply {
  Timestamp client{};
  Timestamp server{};
  std::optional<std::uint64_t> turnaround_ns{};
  std::optional<EarlierTurnaround> earlier{};
  bool operator==(const HeartbeatReply&) const = default;
};

// The longest body that is written: three timestamps and two turnarounds of 20 digits.
inline constexpr std::size_t kMaxHeartbeatBodySize = 384;

// Error: kBadBody. Members that are not known are ignored.
[[nodiscard]] std::expected<Heartbeat0, DropReason> parse_heartbeat0(ByteView body);
[[nodiscard]] std::expected<HeartbeatReply, DropReason> parse_heartbeat_reply(ByteView body);

// Extension: until a while after a port's first answer, our HEARTBEAT_0 has a member `padding` that
// nobody reads and makes it so long, so that a HEARTBEAT_1 with our turnaround is no longer.
// Octets.
inline constexpr std::size_t kPaddedHeartbeat0Size = 108;

// Return the number of octets written; `out` holds at least kMaxHeartbeatBodySize.
std::size_t write_heartbeat0(MutableByteView out, const Heartbeat0& heartbeat);
std::size_t write_padded_heartbeat0(MutableByteView out, const Heartbeat0& heartbeat);
std::size_t write_heartbeat_reply(MutableByteView out, const HeartbeatReply& reply);

}  // namespace wyndrvr::wire
