// REPORT and RESULT of dialect 1, by octets written by hand.
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/wire_path_support.hpp"
#include "wire/receiver_report.hpp"

namespace wyndrvr::wire {
namespace receiver_report_test {

using testing::Octets;
using testing::octets;
using testing::only_this_length_parses;
using testing::written;

using Ranges = std::vector<ClosedRange>;

const std::string kFigureOctets =
    "000000003b9aca00"   // time: 1 s
    "0000000000000064"   // datagrams: 100
    "000000000000005f"   // unique: 95
    "0000000000000005"   // duplicate: 5
    "0000000000000003"   // reordered: 3
    "0000000000000061"   // highest N + 1: 97
    "000000000001d4c0"   // octets: 120 000
    "0000000000000001"   // written off
    "0000000000000002"   // socket drops
    "000000003b9aca00"   // 10^9 bit/s
    "00000000000186a0"   // delay variation: 100 us
    "00000000000f4240"   // above the least: 1 ms
    "0000000000000007";  // ECN CE
const ReceiverFigures kFigures{.time = 1s,
                               .datagrams = 100,
                               .unique = 95,
                               .duplicate = 5,
                               .reordered = 3,
                               .expected = 97,
                               .octets = {120'000},
                               .written_off = 1,
                               .socket_drops = 2,
                               .receive_rate = {1e9},
                               .delay_variation = 100us,
                               .delay_above_least = 1ms,
                               .ecn_ce = 7};

const std::string kReportStart =
    "00000009"          // number
    "0000000000060000"  // granted: 393 216
    "00fa";             // 250 ms
const Octets kReportBody = octets(kReportStart + kFigureOctets +
                                  "0002"
                                  "0000000000000004 0000000000000004"
                                  "0000000000000009 000000000000000a");
const Octets kResultBody = octets("00000007" + kFigureOctets +
                                  "0000000037e11d60"    // first to last: 937 500 000 ns
                                  "000000000001bd50"    // octets of different numbers: 114 000
                                  "0000000000000006");  // retransmissions

// Offsets of fields in kReportBody.
constexpr std::size_t kValidityAt = 12;
constexpr std::size_t kTimeAt = 14;
constexpr std::size_t kRateAt = 86;
constexpr std::size_t kVariationAt = 94;
constexpr std::size_t kDelayAt = 102;
constexpr std::size_t kCountAt = 118;

bool report_parses(ByteView body) {
  std::array<ClosedRange, kMaxReportRanges> storage{};
  return parse_receiver_report(body, storage).has_value();
}

// kReportBody with `value` stored at `at`.
Octets changed(std::size_t at, std::uint64_t value, std::size_t width) {
  Octets body = kReportBody;
  base::store_big_endian(body.data() + at, value, width);
  return body;
}

// A report of these ranges, built without the writer, which refuses wrong ones.
Octets with_ranges(const Ranges& ranges) {
  Octets body(kReportBody.begin(), kReportBody.begin() + kCountAt);
  body.resize(kCountAt + 2 + 16 * ranges.size());
  base::store_big_endian(body.data() + kCountAt, ranges.size(), 2);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    base::store_big_endian(body.data() + kCountAt + 2 + 16 * i, ranges[i].begin, 8);
    base::store_big_endian(body.data() + kCountAt + 10 + 16 * i, ranges[i].end, 8);
  }
  return body;
}

Ranges many_ranges(std::size_t count) {
  Ranges ranges;
  for (std::uint64_t i = 0; i < count; ++i) ranges.push_back({.begin = 3 * i, .end = 3 * i + 1});
  return ranges;
}

TEST(ReceiverReport, IsWhatTheDocumentSaysOctetByOctet) {
  std::array<ClosedRange, kMaxReportRanges> storage{};
  const auto report = parse_receiver_report(kReportBody, storage);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->number, 9U);
  EXPECT_EQ(report->granted, ByteCount{393'216});
  EXPECT_EQ(report->valid_for, 250ms);
  EXPECT_EQ(report->figures, kFigures);
  EXPECT_EQ(Ranges(report->ranges.begin(), report->ranges.end()),
            (Ranges{{.begin = 4, .end = 4}, {.begin = 9, .end = 10}}));
  EXPECT_EQ(written(kReportBody.size(),
                    [&](MutableByteView out) { return write_receiver_report(out, *report); }),
            kReportBody);
}

TEST(ReceiverReport, TheLongestFitsIntoAPacketWithItsMac) {
  const Octets body = with_ranges(many_ranges(64));
  EXPECT_TRUE(report_parses(body));
  EXPECT_EQ(body.size(), kMaxReceiverReportSize);
  // 1280 octets of IPv6's least MTU, less its header and UDP's: never fragmented.
  EXPECT_LE(kPathPrefixSize + body.size() + 16, 1280U - 40 - 8);
}

TEST(ReceiverReport, AnyLengthButThatOfTheCountIsDropped) {
  EXPECT_TRUE(only_this_length_parses(kReportBody, report_parses));
  EXPECT_TRUE(only_this_length_parses(with_ranges({}), report_parses));
  EXPECT_FALSE(report_parses(changed(kCountAt, 1, 2)));
  EXPECT_FALSE(report_parses(changed(kCountAt, 3, 2)));
  EXPECT_FALSE(report_parses(changed(kCountAt, 0xffff, 2)));
}

TEST(ReceiverReport, MoreThan64RangesAreDropped) {
  EXPECT_FALSE(report_parses(with_ranges(many_ranges(65))));
}

TEST(ReceiverReport, UnsortedOverlappingAndReversedRangesAreDropped) {
  EXPECT_FALSE(report_parses(with_ranges({{.begin = 5, .end = 4}})));
  EXPECT_FALSE(report_parses(with_ranges({{.begin = 5, .end = 6}, {.begin = 0, .end = 1}})));
  EXPECT_FALSE(report_parses(with_ranges({{.begin = 5, .end = 6}, {.begin = 6, .end = 8}})));
  EXPECT_FALSE(report_parses(with_ranges({{.begin = 5, .end = 6}, {.begin = 5, .end = 6}})));
  EXPECT_FALSE(report_parses(with_ranges({{.begin = 5, .end = ~0ULL}, {.begin = 0, .end = 1}})));
}

TEST(ReceiverReport, RangesMayTouchAndReachTheLastNumber) {
  EXPECT_TRUE(report_parses(with_ranges({{.begin = 0, .end = 0}, {.begin = 1, .end = ~0ULL}})));
}

TEST(ReceiverReport, IsValidForAtMost250Milliseconds) {
  EXPECT_TRUE(report_parses(changed(kValidityAt, 0, 2)));
  EXPECT_FALSE(report_parses(changed(kValidityAt, 251, 2)));
  EXPECT_FALSE(report_parses(changed(kValidityAt, 0xffff, 2)));
}

TEST(ReceiverReport, AValidityIsNeverWrittenLongerThanItIs) {
  const ReceiverReport report{.valid_for = 249'999us};
  const Octets body = written(receiver_report_size(0), [&](MutableByteView out) {
    return write_receiver_report(out, report);
  });
  std::array<ClosedRange, kMaxReportRanges> storage{};
  EXPECT_EQ(parse_receiver_report(body, storage)->valid_for, 249ms);
}

TEST(ReceiverReport, TimesAndRatesBeyondOurTypesAreDropped) {
  for (const std::size_t at : {kTimeAt, kVariationAt, kDelayAt}) {
    EXPECT_TRUE(report_parses(changed(at, 0x7fffffffffffffff, 8))) << at;
    EXPECT_FALSE(report_parses(changed(at, 0x8000000000000000, 8))) << at;
  }
  EXPECT_TRUE(report_parses(changed(kRateAt, 1ULL << 53U, 8)));
  EXPECT_FALSE(report_parses(changed(kRateAt, (1ULL << 53U) + 1, 8)));
}

TEST(ReceiverResult, IsAReportsFiguresAndWhatOnlyTheEndKnows) {
  const ReceiverResult result{.test = {7},
                              .figures = kFigures,
                              .first_to_last = 937'500us,
                              .unique_octets = {114'000},
                              .retransmitted = 6};
  EXPECT_EQ(parse_result_message(kResultBody), ResultMessage(result));
  EXPECT_EQ(written(kReceiverResultSize,
                    [&](MutableByteView out) { return write_result_message(out, result); }),
            kResultBody);
}

TEST(ReceiverResult, TheAnswerMayBeTheTestNumberAlone) {
  EXPECT_EQ(parse_result_message(octets("01020304")),
            ResultMessage(ResultReceived{{0x01020304}, {}}));
  EXPECT_EQ(written(kResultReceivedSize,
                    [](MutableByteView out) {
                      return write_result_message(out, ResultReceived{{0x01020304}, {}});
                    }),
            octets("01020304"));
}

TEST(ReceiverResult, TheAnswerMayHaveTheSendersFiguresBehindTheNumber) {
  const Octets body = octets(
      "01020304"
      "0000000000000067"    // datagrams: 103
      "000000000001e2d0"    // octets: 123 600
      "0000000000000006"    // retransmitted
      "0000000000000002");  // refused by the sender's kernel
  const ResultReceived received{
      .test = {0x01020304},
      .sender =
          SenderFigures{.datagrams = 103, .octets = {123'600}, .retransmitted = 6, .refused = 2}};
  EXPECT_EQ(parse_result_message(body), ResultMessage(received));
  EXPECT_EQ(written(kMaxResultReceivedSize,
                    [&](MutableByteView out) { return write_result_message(out, received); }),
            body);
}

TEST(ReceiverResult, SendersFiguresThatAreAllZeroAreNotNone) {
  const ResultReceived received{.test = {7}, .sender = SenderFigures{}};
  const Octets body = written(kMaxResultReceivedSize, [&](MutableByteView out) {
    return write_result_message(out, received);
  });
  EXPECT_EQ(body.size(), 36U);
  EXPECT_EQ(parse_result_message(body), ResultMessage(received));
}

TEST(ReceiverResult, AnyOtherLengthIsDropped) {
  Octets body = kResultBody;
  body.push_back({});
  for (std::size_t size = 0; size <= body.size(); ++size) {
    const bool whole = size == 4 || size == 4 + 32 || size == kResultBody.size();
    EXPECT_EQ(parse_result_message(ByteView(body).first(size)).has_value(), whole) << size;
  }
}

TEST(ReceiverResult, TimesBeyondOurTypesAreDropped) {
  Octets body = kResultBody;
  body[4 + 104] = std::byte{0x80};  // first to last
  EXPECT_FALSE(parse_result_message(body));
}

}  // namespace receiver_report_test
}  // namespace wyndrvr::wire
