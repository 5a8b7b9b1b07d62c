// The terms of a test: what a client of dialect 1 asks for, and what the server grants it
// (docs/PROTOCOL.md, "Fields"). Plain data.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/port_kind.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::engine {

struct TestTerms {
  wire::Directions directions = wire::Directions::kLatencyOnly;
  Duration duration = 30s;
  std::optional<BitRate> rate;  // UDP payload, in each direction; absent: no bound
  // As fast as it goes, `rate` at most; else `rate` is what is to be kept. No field of its own: it
  // is how OPEN asked for the rate, which both ends know.
  bool adaptive = true;
  std::uint32_t payload_bytes = 1400;  // UDP payload of one datagram
  std::uint8_t streams = 1;
  bool reliable = false;            // lost numbers are sent again
  std::optional<ByteCount> octets;  // in each direction; absent: no bound
  bool single_port = false;
  bool data_tags = false;          // needs a key
  bool fragment = false;           // datagrams may be longer than the path's MTU
  std::uint8_t traffic_class = 0;  // DSCP << 2 | ECN codepoint
  bool operator==(const TestTerms&) const = default;

  [[nodiscard]] bool has(PortKind direction) const {
    const auto bits = static_cast<unsigned>(directions);
    return direction == PortKind::kUpload     ? (bits & 1U) != 0
           : direction == PortKind::kDownload ? (bits & 2U) != 0
                                              : false;
  }
  // Of one stream.
  [[nodiscard]] std::optional<BitRate> stream_rate() const {
    if (!rate) return std::nullopt;
    return *rate * (1.0 / streams);
  }
  [[nodiscard]] std::optional<ByteCount> stream_octets() const {
    if (!octets) return std::nullopt;
    return ByteCount{octets->value / streams + (octets->value % streams != 0 ? 1 : 0)};
  }
};

// Every field, as OPEN and GRANT carry it.
[[nodiscard]] wire::SessionFields fields_of(const TestTerms& terms);
// What a field does not say is as in `otherwise`.
[[nodiscard]] TestTerms terms_of(const wire::SessionFields& fields, const TestTerms& otherwise);

// The code point of a traffic class alone, for what carries no data: ECN promises that the sender
// heeds congestion marks (RFC 3168).
[[nodiscard]] constexpr std::uint8_t without_ecn(std::uint8_t traffic_class) {
  constexpr unsigned kCodePoint = 0xfc;
  return static_cast<std::uint8_t>(traffic_class & kCodePoint);
}

}  // namespace wyndrvr::engine
