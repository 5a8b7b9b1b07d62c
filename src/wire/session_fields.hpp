// What is wanted of a session and what is granted: the fields of OPEN and GRANT (dialect 1,
// "Fields").
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+---------------+-------------------------------+
//   |     type      |    length     |   value: so many octets ...
//   +---------------+---------------+-----------------------
//   |  the next type, larger than the one before it ...
//   +----------------------------------------------
//
//   type  length  value
//      1       1  directions: 0 latency only, 1 upload, 2 download, 3 both at once
//      2       4  duration, ms, at least 1
//      3       8  rate, bit/s, at most 2^53; 0 = as fast as it goes
//      4       2  payload, octets, 64 to 65 507
//      5       1  streams, 1 to 64
//      6       1  reliable, 0 or 1
//      7       8  octets of UDP payload in each direction, at least 1
//      8       1  single port, 0 or 1
//      9       1  data tags, 0 or 1
//     10       1  fragment, 0 or 1
//     11       1  traffic class: DSCP (6 bits), ECN codepoint (2 bits)
//
// Neither restricts one side's wish to the other's limits nor knows defaults: a field that is not
// there is an empty optional. Allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "wire/drop_reason.hpp"

namespace wyndrvr::wire {

// Which way data goes; the values are those on the wire.
enum class Directions : std::uint8_t { kLatencyOnly = 0, kUpload = 1, kDownload = 2, kBoth = 3 };

// How fast data goes in each direction, as UDP payload.
struct WantedRate {
  std::optional<BitRate> fixed{};  // nothing: as fast as it goes
  bool operator==(const WantedRate&) const = default;
};

// Each is there or not, on its own. A time or rate is written in whole units of its field; what is
// finer is cut off. (Mind `if (fields.reliable)`: it asks whether the field is there.)
struct SessionFields {
  // Up to where a double, which BitRate is, counts every bit/s. A rate is at least 1 bit/s.
  static constexpr BitRate kMaxRate{9'007'199'254'740'992.0};
  static constexpr ByteCount kMinPayload{64};
  static constexpr ByteCount kMaxPayload{65'507};
  static constexpr std::uint8_t kMaxStreams = 64;
  static constexpr Duration kMinDuration = 1ms;
  // What 32 bits hold, of the field's unit.
  static constexpr Duration kMaxDuration = 1ms * std::int64_t{UINT32_MAX};
  static constexpr ByteCount kMinOctets{1};

  std::optional<Directions> directions{};
  std::optional<Duration> duration{};
  std::optional<WantedRate> rate{};
  std::optional<ByteCount> payload{};     // of a data datagram, header included
  std::optional<std::uint8_t> streams{};  // 1 to kMaxStreams
  std::optional<bool> reliable{};         // lost numbers are sent again
  // UDP payload that is sent in each direction, retransmissions included; at least kMinOctets.
  // Where it is not there, the duration alone ends a test.
  std::optional<ByteCount> octets{};
  std::optional<bool> single_port{};
  std::optional<bool> data_tags{};  // data carries a tag; needs a key
  // Whether the payload may be above the path's MTU, so that IP fragments datagrams.
  std::optional<bool> fragment{};
  // As in the IP header (RFC 2474, RFC 3168): DSCP << 2 | ECN codepoint. All values are valid.
  std::optional<std::uint8_t> traffic_class{};
  bool operator==(const SessionFields&) const = default;
};

// Fields in one datagram, those included that are ignored; one with more is dropped.
inline constexpr std::size_t kMaxSessionFields = 16;
// All eleven fields as they are written: 22 octets of types and lengths, 29 of values.
inline constexpr std::size_t kMaxSessionFieldsSize = 51;

// All of `octets` must be fields. One of a type of 128 and above is ignored. Error: kBadBody, for
// an unknown type below 128, types that do not ascend, a length that is not the type's or goes
// beyond the octets, a value out of range and more than kMaxSessionFields.
[[nodiscard]] std::expected<SessionFields, DropReason> parse_session_fields(ByteView octets);

// Returns the number of octets written; `out` holds at least kMaxSessionFieldsSize. Values out of
// range are our own bug.
std::size_t write_session_fields(MutableByteView out, const SessionFields& fields);

}  // namespace wyndrvr::wire
