// Bodies of TEST_RESULT packets (protocol 0.14 section 6 and our extension).
//
//   result            {"cmd":"TEST_RESULT","ack":1,"guid":G,"channel":C,"bytes_received":B,
//                      "bandwidth_bps":R,"retransmit_count":X,"packet_count":P,"duration":D,
//                      "uid":U}
//                     ours adds  ,"unique":..,"duplicate":..,"reordered":..,"highest":..,
//                      "unique_bytes":..,"written_off":..,"first_to_last_ns":..,"socket_drops":..
//   acknowledgement   {"cmd":"TEST_RESULT","ack":0,"guid":G}
//
// The structs are images of the bodies, with their units in the names; nothing here checks that
// the numbers agree with one another. Allocates nothing.
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

// Extension: what our receiver knows beyond the 0.14 result. All of its members or none are sent.
struct ReceiverDetail {
  std::uint64_t unique = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t reordered = 0;
  std::uint64_t highest = 0;           // highest number received + 1; 0 for none
  std::uint64_t unique_bytes = 0;      // of packets that were not duplicates
  std::uint64_t written_off = 0;       // missing numbers that were no longer waited for
  std::uint64_t first_to_last_ns = 0;  // first to last datagram of the test
  std::uint64_t socket_drops = 0;      // datagrams that the receiving socket had no room for
  bool operator==(const ReceiverDetail&) const = default;
};

struct TestResult {
  IdText guid{};                     // of this message; its acknowledgement repeats it
  ChannelId channel{};               // 1 to ChannelId::kMax
  std::uint64_t bytes_received = 0;  // whole packets: UDP payload
  double bandwidth_bps = 0;          // 8 * bytes_received / duration_s; finite, not negative
  std::uint64_t retransmit_count = 0;
  std::uint64_t packet_count = 0;
  double duration_s = 0;  // finite, not negative
  IdText uid{};           // of the test, from the acknowledgement of its BWUP
  std::optional<ReceiverDetail> detail{};
  bool operator==(const TestResult&) const = default;
};

struct TestResultAck {
  IdText guid{};
  bool operator==(const TestResultAck&) const = default;
};

using TestResultBody = std::variant<TestResult, TestResultAck>;

// The longest body that is written: texts and numbers of full length, with the detail.
inline constexpr std::size_t kMaxTestResultBodySize = 768;

// Error: kBadBody. A number may come as an int or as a float, whichever its member is.
[[nodiscard]] std::expected<TestResultBody, DropReason> parse_test_result(ByteView body);

// Return the number of octets written; `out` holds at least kMaxTestResultBodySize.
std::size_t write_test_result(MutableByteView out, const TestResult& result);
std::size_t write_test_result(MutableByteView out, const TestResultAck& acknowledgement);

}  // namespace wyndrvr::wire
