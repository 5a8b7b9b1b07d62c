// Bodies of REPORT and RESULT in dialect 1, from behind the path nonce (docs/PROTOCOL.md, "REPORT"
// and "Result"): what the receiver of data tells its sender.
//
// Checks lengths, bounds and the order of ranges. Whether the figures agree with each other and
// with what was sent is for the engine: they are the peer's. Allocates nothing: the caller owns the
// ranges.
//
//   REPORT:
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------------------------------------------------------+
//   |            number of the report, 32 bits                      |
//   +---------------------------------------------------------------+
//   |            granted, octets in all, 64 bits                    |
//   |                                                               |
//   +-------------------------------+-------------------------------+
//   |  valid for, ms, at most 250   |
//   +-------------------------------+
//   |  figures, 104 octets: below   |
//   +-------------------------------+
//   |  number of ranges, at most 64 |
//   +-------------------------------+-------------------------------+
//   |            begin of the first range, 64 bits                  |
//   |            end of the first range, 64 bits                    |
//   |            begin of the second range ...
//
//   The figures, 64 bits each:
//   +---------------------------------------------------------------+
//   |   time at the receiver, ns since READY                        |
//   |   datagrams                                                   |
//   |   of them unique                                              |
//   |   of them duplicate                                           |
//   |   of the unique, reordered                                    |
//   |   highest N + 1                                               |
//   |   octets                                                      |
//   |   written off                                                 |
//   |   socket drops                                                |
//   |   receive rate over the last 100 ms, bit/s                    |
//   |   delay variation (RFC 3550), ns                              |
//   |   delay above the least seen, ns                              |
//   |   datagrams with ECN CE                                       |
//   +---------------------------------------------------------------+
//
//   RESULT:
//   +---------------------------------------------------------------+
//   |            test number, 32 bits                               |
//   +---------------------------------------------------------------+
//   |            figures, 104 octets                                |
//   |            first to last datagram, ns, 64 bits                |
//   |            octets of different numbers E, 64 bits             |
//   |            retransmissions, 64 bits                           |
//   +---------------------------------------------------------------+
//
//   The answer to RESULT, which may end behind the test number:
//   +---------------------------------------------------------------+
//   |            test number, 32 bits                               |
//   +---------------------------------------------------------------+
//   |            datagrams sent, 64 bits                            |
//   |            octets of them, 64 bits                            |
//   |            of them retransmitted, 64 bits                     |
//   |            of them refused by the sender's kernel, 64 bits    |
//   +---------------------------------------------------------------+
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <variant>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "wire/drop_reason.hpp"
#include "wire/flow_control.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::wire {

inline constexpr std::size_t kMaxReportRanges = 64;
// No grant holds longer than this after its report has arrived.
inline constexpr Duration kMaxGrantValidity = 250ms;
// What a rate in bit/s may be at most: up to here a BitRate is exact.
inline constexpr BitRate kMaxReportedRate{0x1p53};

// Cumulative, as of `time`, but for the rate and the two delays.
struct ReceiverFigures {
  Duration time{};                // since READY, at the receiver
  std::uint64_t datagrams = 0;    // received
  std::uint64_t unique = 0;       // of them different ones, by N
  std::uint64_t duplicate = 0;    // copies made by the network
  std::uint64_t reordered = 0;    // unique, but behind a higher N (RFC 4737 section 3)
  std::uint64_t expected = 0;     // highest N + 1
  ByteCount octets{};             // UDP payload of `datagrams`
  std::uint64_t written_off = 0;  // missing numbers given up at the receiver's bound
  std::uint64_t socket_drops = 0;
  BitRate receive_rate{};        // of UDP payload, over the last 100 ms; at most kMaxReportedRate
  Duration delay_variation{};    // RFC 3550 section 6.4.1
  Duration delay_above_least{};  // one-way delay less the least seen: what queues add
  std::uint64_t ecn_ce = 0;      // datagrams that came with Congestion Experienced (RFC 3168)
  bool operator==(const ReceiverFigures&) const = default;
};

struct ReceiverReport {
  std::uint32_t number = 0;  // the newest wins
  ByteCount granted{};       // UDP payload that may have been sent in all
  Duration valid_for{};      // from its arrival; whole ms, at most kMaxGrantValidity
  ReceiverFigures figures{};
  std::span<const ClosedRange> ranges{};  // missing E: ascending, disjoint; they may touch
};

struct ReceiverResult {
  TestNumber test{};
  ReceiverFigures figures{};
  Duration first_to_last{};         // first to last datagram, by arrival
  ByteCount unique_octets{};        // of different numbers E
  std::uint64_t retransmitted = 0;  // datagrams that carried a number sent before
  bool operator==(const ReceiverResult&) const = default;
};
// What only the sender of data knows of it.
struct SenderFigures {
  std::uint64_t datagrams = 0;      // handed to its kernel, retransmissions included
  ByteCount octets{};               // UDP payload of them
  std::uint64_t retransmitted = 0;  // of `datagrams`: numbers sent again
  std::uint64_t refused = 0;        // of `datagrams`: by its own kernel, so never on the wire
  bool operator==(const SenderFigures&) const = default;
};
// The result of this test has arrived.
struct ResultReceived {
  TestNumber test{};
  std::optional<SenderFigures> sender{};
  bool operator==(const ResultReceived&) const = default;
};
using ResultMessage = std::variant<ReceiverResult, ResultReceived>;

inline constexpr std::size_t kReceiverFiguresSize = 13 * 8;
inline constexpr std::size_t kSenderFiguresSize = 4 * 8;
// Without and with the sender's figures.
inline constexpr std::size_t kResultReceivedSize = kTestNumberSize;
inline constexpr std::size_t kMaxResultReceivedSize = kResultReceivedSize + kSenderFiguresSize;
inline constexpr std::size_t kReceiverResultSize = kTestNumberSize + kReceiverFiguresSize + 3 * 8;

[[nodiscard]] constexpr std::size_t receiver_report_size(std::size_t range_count) {
  return 4 + 8 + 2 + kReceiverFiguresSize + 2 + 16 * range_count;
}
inline constexpr std::size_t kMaxReceiverReportSize = receiver_report_size(kMaxReportRanges);
static_assert(kPathPrefixSize + kMaxReceiverReportSize <= kMaxPacketSize);

// Parses the ranges into `storage`, of which the report's are then a part. Error: kBadBody, for a
// length that is not exactly that of the count, a validity above kMaxGrantValidity, a time beyond
// what Duration holds, a rate above kMaxReportedRate, and ranges out of order; `storage` is then in
// no particular state.
[[nodiscard]] std::expected<ReceiverReport, DropReason> parse_receiver_report(
    ByteView body, std::span<ClosedRange, kMaxReportRanges> storage);
// Error: kBadBody, as above.
[[nodiscard]] std::expected<ResultMessage, DropReason> parse_result_message(ByteView body);

// Return the number of octets written, which `out` holds at least: receiver_report_size(), and
// kReceiverResultSize, kResultReceivedSize or kMaxResultReceivedSize. Times are not negative. A
// validity is cut to whole ms, a rate rounded to whole bit/s and cut to kMaxReportedRate.
std::size_t write_receiver_report(MutableByteView out, const ReceiverReport& report);
std::size_t write_result_message(MutableByteView out, const ResultMessage& message);

}  // namespace wyndrvr::wire
