// Bodies of CONTROL packets (protocol 0.14 section 3 and our extensions).
//
//   request           {"cmd":"BWUP","channel":C,"duration":SECONDS}
//                     ours may add  ,"progress":MS
//   acknowledgement   {"cmd":"BWUP","ack":0,"channel":C,"duration":SECONDS,"uid":UUID}
//   progress (ours)   {"cmd":"PROGRESS","channel":C,"elapsed_ns":..,"bytes":..,"packets":..,
//                      "unique":..,"duplicate":..,"reordered":..,"highest":..,"written_off":..,
//                      "socket_drops":..}
//                     may add  ,"granted":OCTETS
//
// The structs are images of the bodies, with their units in the names. Retransmission and the
// match of the body's channel with the header's are the engine's. Allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <variant>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "wire/body_fields.hpp"
#include "wire/drop_reason.hpp"

namespace wyndrvr::wire {

// The longest test that a body may ask for: 11 days, far beyond any use.
inline constexpr double kMaxTestSeconds = 1e6;
// The longest interval between PROGRESS messages that a body may ask for.
inline constexpr std::uint32_t kMaxProgressMs = 60'000;

// Asks for an upload test.
struct Bwup {
  ChannelId channel{};    // 1 to ChannelId::kMax
  double duration_s = 0;  // more than 0, at most kMaxTestSeconds
  // Extension: "send PROGRESS this often"; 1 to kMaxProgressMs.
  std::optional<std::uint32_t> progress_ms{};
  bool operator==(const Bwup&) const = default;
};

// Tells that the test has begun. `"ack":0` is what distinguishes it from a request.
struct BwupAck {
  ChannelId channel{};
  double duration_s = 0;
  IdText uid{};
  bool operator==(const BwupAck&) const = default;
};

// Extension: what the receiver has seen since the test began. Cumulative, so the newest one (the
// one with the largest elapsed_ns) wins and losing one is harmless; never acknowledged.
struct Progress {
  ChannelId channel{};
  std::uint64_t elapsed_ns = 0;
  std::uint64_t bytes = 0;    // whole packets: UDP payload
  std::uint64_t packets = 0;  // unique + duplicate
  std::uint64_t unique = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t reordered = 0;
  std::uint64_t highest = 0;       // highest number received + 1; 0 before the first
  std::uint64_t written_off = 0;   // missing numbers that are no longer waited for
  std::uint64_t socket_drops = 0;  // datagrams that found the receiving socket full
  // Whole packets that may have left since the test began; absent: nothing is said of that.
  std::optional<ByteCount> granted{};
  bool operator==(const Progress&) const = default;
};

using ControlBody = std::variant<Bwup, BwupAck, Progress>;

// The longest body that is written: a Progress whose counts have 20 digits each.
inline constexpr std::size_t kMaxControlBodySize = 400;
// The longest acknowledgement of ours, whose uid has the 36 characters of a UUID.
inline constexpr std::size_t kMaxBwupAckSize = 121;

// Error: kBadBody, also for an unknown command. A BWUP with `"ack":1` or none is a request.
[[nodiscard]] std::expected<ControlBody, DropReason> parse_control(ByteView body);

// Return the number of octets written; `out` holds at least kMaxControlBodySize.
std::size_t write_control(MutableByteView out, const Bwup& request);
std::size_t write_control(MutableByteView out, const BwupAck& acknowledgement);
std::size_t write_control(MutableByteView out, const Progress& progress);

}  // namespace wyndrvr::wire
