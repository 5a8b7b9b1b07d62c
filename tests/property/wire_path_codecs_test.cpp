// The codecs of dialect 1 on the three ports: what is written reads back as the same, any other
// length is dropped, and octets of any kind never do harm.
#include <algorithm>
#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "unit/wire_path_support.hpp"
#include "wire/path_data.hpp"
#include "wire/path_heartbeat.hpp"
#include "wire/path_packet.hpp"
#include "wire/receiver_report.hpp"
#include "wire/test_command.hpp"

namespace wyndrvr::wire {
namespace path_codecs_test {

using testing::Octets;
using testing::only_this_length_parses;
using testing::written;

std::uint64_t draw_count() {
  return *rc::gen::arbitrary<std::uint64_t>();
}
// Up to the largest that a Duration holds.
Duration draw_duration() {
  return Duration(static_cast<Duration::rep>(draw_count() >> 1U));
}
TestNumber draw_test() {
  return {*rc::gen::arbitrary<std::uint32_t>()};
}
Octets draw_octets(std::size_t most) {
  const auto size = *rc::gen::inRange<std::size_t>(0, most + 1);
  const auto values =
      *rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>());
  Octets out(size);
  std::ranges::transform(values, out.begin(), [](std::uint8_t value) { return std::byte{value}; });
  return out;
}

ReceiverFigures draw_figures() {
  ReceiverFigures figures;
  figures.time = draw_duration();
  figures.datagrams = draw_count();
  figures.unique = draw_count();
  figures.duplicate = draw_count();
  figures.reordered = draw_count();
  figures.expected = draw_count();
  figures.octets = {draw_count()};
  figures.written_off = draw_count();
  figures.socket_drops = draw_count();
  figures.receive_rate = {static_cast<double>(draw_count() >> 11U)};
  figures.delay_variation = draw_duration();
  figures.delay_above_least = draw_duration();
  figures.ecn_ce = draw_count();
  return figures;
}

// Ascending and disjoint: pairs of sorted different numbers, some of which are single numbers.
std::vector<ClosedRange> draw_ranges() {
  auto bounds = *rc::gen::unique<std::vector<std::uint64_t>>(rc::gen::arbitrary<std::uint64_t>());
  std::ranges::sort(bounds);
  std::vector<ClosedRange> ranges;
  for (std::size_t i = 0; i + 1 < bounds.size() && ranges.size() < kMaxReportRanges; ++i) {
    const bool single = *rc::gen::arbitrary<bool>();
    ranges.push_back({.begin = bounds[i], .end = single ? bounds[i] : bounds[i + 1]});
    if (!single) ++i;
  }
  return ranges;
}

bool report_parses(ByteView body) {
  std::array<ClosedRange, kMaxReportRanges> storage{};
  return parse_receiver_report(body, storage).has_value();
}

RC_GTEST_PROP(WirePathProperty, PrefixesReadBack, ()) {
  const PathType type =
      *rc::gen::element(PathType::kHeartbeat0, PathType::kHeartbeat1, PathType::kHeartbeat2,
                        PathType::kReport, PathType::kData, PathType::kControl, PathType::kResult);
  const bool stream = type == PathType::kReport || type == PathType::kData;
  const PathHeader header{.type = type,
                          .channel = {stream ? *rc::gen::inRange(1U, kLastStreamChannel + 1) : 0U},
                          .seq = {draw_count()},
                          .offset = type == PathType::kData ? draw_count() : 0};
  const PathNonce nonce{draw_count()};
  Octets datagram(kPathPrefixSize);
  write_path_prefix(datagram.data(), header, nonce);
  Octets body = draw_octets(100);
  if (type == PathType::kData) body.resize(std::max(body.size(), kMinPathDataSize));
  datagram.insert(datagram.end(), body.begin(), body.end());
  const auto packet = parse_path_packet(datagram);
  RC_ASSERT(packet.has_value());
  RC_ASSERT(packet->header == header);
  RC_ASSERT(packet->nonce == nonce);
  RC_ASSERT(std::ranges::equal(packet->body, body));
}

RC_GTEST_PROP(WirePathProperty, HeartbeatsReadBackAtTheirLengthOnly, ()) {
  const PathHeartbeat0 first{.client_time_ns = draw_count()};
  const Octets body0 = written(
      kPathHeartbeat0Size, [&](MutableByteView out) { return write_path_heartbeat0(out, first); });
  RC_ASSERT(parse_path_heartbeat0(body0).value() == first);
  RC_ASSERT(only_this_length_parses(
      body0, [](ByteView body) { return parse_path_heartbeat0(body).has_value(); }));

  PathHeartbeat1 answer{.client_time_ns = draw_count(),
                        .server_nonce = {draw_count()},
                        .server_time_ns = draw_count(),
                        .turnaround_ns = draw_count()};
  const std::uint64_t earlier = draw_count();
  if (earlier != 0) answer.earlier = EarlierAnswer{earlier, draw_count()};
  const Octets body1 = written(
      kPathHeartbeat1Size, [&](MutableByteView out) { return write_path_heartbeat1(out, answer); });
  RC_ASSERT(parse_path_heartbeat1(body1).value() == answer);
  RC_ASSERT(only_this_length_parses(
      body1, [](ByteView body) { return parse_path_heartbeat1(body).has_value(); }));

  PathHeartbeat2 last{.server_time_ns = draw_count(), .client_nonce = {draw_count()}};
  const auto write_last = [&](MutableByteView out) { return write_path_heartbeat2(out, last); };
  RC_ASSERT(parse_path_heartbeat2(written(kShortPathHeartbeat2Size, write_last)).value() == last);
  last.turnaround_ns = draw_count();
  RC_ASSERT(parse_path_heartbeat2(written(kPathHeartbeat2Size, write_last)).value() == last);
}

RC_GTEST_PROP(WirePathProperty, ReportsReadBackAtTheirLengthOnly, ()) {
  const std::vector<ClosedRange> ranges = draw_ranges();
  const ReceiverReport report{.number = *rc::gen::arbitrary<std::uint32_t>(),
                              .granted = {draw_count()},
                              .valid_for = 1ms * *rc::gen::inRange(0, 251),
                              .figures = draw_figures(),
                              .ranges = ranges};
  const Octets body = written(receiver_report_size(ranges.size()), [&](MutableByteView out) {
    return write_receiver_report(out, report);
  });
  RC_ASSERT(body.size() == receiver_report_size(ranges.size()));
  std::array<ClosedRange, kMaxReportRanges> storage{};
  const auto again = parse_receiver_report(body, storage);
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->number == report.number);
  RC_ASSERT(again->granted == report.granted);
  RC_ASSERT(again->valid_for == report.valid_for);
  RC_ASSERT(again->figures == report.figures);
  RC_ASSERT(std::ranges::equal(again->ranges, ranges));
  RC_ASSERT(only_this_length_parses(body, report_parses));
}

RC_GTEST_PROP(WirePathProperty, ResultsReadBack, ()) {
  const ResultMessage result = ReceiverResult{.test = draw_test(),
                                              .figures = draw_figures(),
                                              .first_to_last = draw_duration(),
                                              .unique_octets = {draw_count()},
                                              .retransmitted = draw_count()};
  const ResultMessage received = ResultReceived{draw_test(), {}};
  const ResultMessage with_figures =
      ResultReceived{draw_test(), SenderFigures{.datagrams = draw_count(),
                                                .octets = {draw_count()},
                                                .retransmitted = draw_count(),
                                                .refused = draw_count()}};
  for (const ResultMessage& message : {result, received, with_figures}) {
    const Octets body = written(kReceiverResultSize, [&](MutableByteView out) {
      return write_result_message(out, message);
    });
    RC_ASSERT(parse_result_message(body).value() == message);
  }
}

TestCommand draw_command() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return StartTest{
          .test = draw_test(),
          .direction = *rc::gen::element(TestDirection::kUpload, TestDirection::kDownload),
          .duration = 1ms * *rc::gen::inRange<std::int64_t>(1, std::int64_t{1} << 32U)};
    case 1:
      return TestReady{draw_test()};
    case 2:
      return StopTest{
          draw_test(),
          *rc::gen::element(StopReason::kWanted, StopReason::kSustainedLoss, StopReason::kNoData)};
    default:
      return TestStopped{draw_test()};
  }
}

RC_GTEST_PROP(WirePathProperty, CommandsReadBackAtTheirLengthOnly, ()) {
  const TestCommand command = draw_command();
  const Octets body = written(
      kMaxTestCommandSize, [&](MutableByteView out) { return write_test_command(out, command); });
  RC_ASSERT(parse_test_command(body).value() == command);
  RC_ASSERT(only_this_length_parses(
      body, [](ByteView octets) { return parse_test_command(octets).has_value(); }));
}

RC_GTEST_PROP(WirePathProperty, DataReadsBackWhatItsSenderSet, ()) {
  Octets datagram(*rc::gen::inRange<std::size_t>(kMinPathDataSize, 1500));
  const PathHeader header{.type = PathType::kData,
                          .channel = {*rc::gen::inRange(1U, kLastStreamChannel + 1)},
                          .seq = {draw_count()},
                          .offset = draw_count()};
  const PathNonce nonce{draw_count()};
  const std::uint64_t time = draw_count();
  write_data_template(datagram, nonce);
  set_data_header(datagram.data(), header.channel, header.seq, header.offset);
  set_data_time(datagram.data(), time);
  const bool tagged = *rc::gen::arbitrary<bool>();
  const ByteView read = ByteView(datagram).first(datagram.size() - (tagged ? 8 : 0));
  const auto packet = parse_path_packet(read);
  RC_ASSERT(packet.has_value());
  RC_ASSERT(packet->header == header);
  RC_ASSERT(packet->nonce == nonce);
  RC_ASSERT(data_time_ns(packet->body) == time);
}

RC_GTEST_PROP(WirePathProperty, AnyOctetsAreParsedOrDropped, ()) {
  Octets datagram = draw_octets(400);
  if (!datagram.empty() && *rc::gen::arbitrary<bool>()) datagram[0] |= std::byte{0x80};
  (void)parse_path_packet(datagram);
  (void)parse_path_heartbeat0(datagram);
  (void)parse_path_heartbeat1(datagram);
  (void)parse_path_heartbeat2(datagram);
  (void)report_parses(datagram);
  (void)parse_result_message(datagram);
  (void)parse_test_command(datagram);
}

}  // namespace path_codecs_test
}  // namespace wyndrvr::wire
