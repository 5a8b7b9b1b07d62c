// The codecs: what is written reads back as the same, and octets of any kind never do harm.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "wire/connect.hpp"
#include "wire/control.hpp"
#include "wire/flow_control.hpp"
#include "wire/header.hpp"
#include "wire/heartbeat.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::wire {
namespace codecs_test {

// Exactly kMaxBodySize octets on the heap, so that a sanitizer sees a write past the end.
template <class Write>
std::vector<std::byte> written(Write write) {
  std::vector<std::byte> out(kMaxBodySize);
  out.resize(write(MutableByteView(out)));
  return out;
}

std::uint64_t draw_count() {
  return *rc::gen::arbitrary<std::uint64_t>();
}

ChannelId draw_channel() {
  return {*rc::gen::inRange<std::uint32_t>(1, ChannelId::kMax + 1)};
}

IdText draw_id() {
  const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>('#', '['));
  return IdText::from(std::string_view(text).substr(0, IdText::kCapacity)).value();
}

// Finite, not negative, of any size.
double draw_size() {
  const double number = std::abs(*rc::gen::arbitrary<double>());
  return std::isfinite(number) ? number * std::pow(10.0, *rc::gen::inRange(-20, 20)) : 0;
}

RC_GTEST_PROP(WireProperty, HeadersReadBack, ()) {
  const Header header{.type = static_cast<MessageType>(*rc::gen::inRange(0, 8)),
                      .channel = {*rc::gen::inRange<std::uint32_t>(0, ChannelId::kMax + 1)},
                      .seq = {draw_count()},
                      .offset = draw_count()};
  std::array<std::byte, kHeaderSize> out{};
  write_header(out.data(), header);
  const auto packet = parse_packet(out);
  RC_ASSERT(packet.has_value());
  RC_ASSERT(packet->header == header);
}

RC_GTEST_PROP(WireProperty, TimestampsSurviveATripThroughADouble, ()) {
  constexpr std::int64_t kMicrosOf2106 = (std::int64_t{1} << 32) * 1'000'000;
  const auto micros = *rc::gen::inRange<std::int64_t>(0, kMicrosOf2106);
  const Timestamp ours = Timestamp::from_micros(micros);
  RC_ASSERT(ours.to_micros() == micros);
  // What a peer makes of it that parses it to a double and writes that one.
  const std::string echoed = nlohmann::json::parse(ours.text()).dump();
  RC_ASSERT(Timestamp::from_number_text(echoed).value().to_micros() == micros);
}

RC_GTEST_PROP(WireProperty, HeartbeatsReadBack, ()) {
  HeartbeatReply reply{.client = Timestamp::from_micros(*rc::gen::arbitrary<std::int64_t>()),
                       .server = Timestamp::from_micros(*rc::gen::arbitrary<std::int64_t>()),
                       .turnaround_ns = std::nullopt};
  if (*rc::gen::arbitrary<bool>()) reply.turnaround_ns = draw_count();
  const auto body = written([&](MutableByteView out) { return write_heartbeat_reply(out, reply); });
  RC_ASSERT(parse_heartbeat_reply(body).value() == reply);
}

RC_GTEST_PROP(WireProperty, RequestsReadBack, ()) {
  Bwup request{.channel = draw_channel(), .duration_s = draw_size(), .progress_ms = {}};
  RC_PRE(request.duration_s > 0 && request.duration_s <= kMaxTestSeconds);
  if (*rc::gen::arbitrary<bool>()) {
    request.progress_ms = *rc::gen::inRange<std::uint32_t>(1, kMaxProgressMs + 1);
  }
  const auto body = written([&](MutableByteView out) { return write_control(out, request); });
  RC_ASSERT(parse_control(body).value() == ControlBody(request));
  const BwupAck ack{.channel = request.channel, .duration_s = request.duration_s, .uid = draw_id()};
  const auto ack_body = written([&](MutableByteView out) { return write_control(out, ack); });
  RC_ASSERT(parse_control(ack_body).value() == ControlBody(ack));
}

RC_GTEST_PROP(WireProperty, ProgressReadsBack, ()) {
  Progress progress{draw_channel(), draw_count(), draw_count(), draw_count(), draw_count(),
                    draw_count(),   draw_count(), draw_count(), draw_count(), draw_count()};
  if (*rc::gen::arbitrary<bool>()) progress.granted = ByteCount{draw_count()};
  const auto body = written([&](MutableByteView out) { return write_control(out, progress); });
  RC_ASSERT(parse_control(body).value() == ControlBody(progress));
}

RC_GTEST_PROP(WireProperty, ResultsReadBackAndAreJsonToOthers, ()) {
  TestResult result{.guid = draw_id(),
                    .channel = draw_channel(),
                    .bytes_received = draw_count(),
                    .bandwidth_bps = draw_size(),
                    .retransmit_count = draw_count(),
                    .packet_count = draw_count(),
                    .duration_s = draw_size(),
                    .uid = draw_id(),
                    .detail = std::nullopt};
  if (*rc::gen::arbitrary<bool>()) {
    result.detail = ReceiverDetail{draw_count(), draw_count(), draw_count(), draw_count(),
                                   draw_count(), draw_count(), draw_count(), draw_count()};
  }
  const auto body = written([&](MutableByteView out) { return write_test_result(out, result); });
  RC_ASSERT(parse_test_result(body).value() == TestResultBody(result));
  const auto document = nlohmann::json::parse(as_text(body));
  RC_ASSERT(document.at("bandwidth_bps").is_number_float());
  RC_ASSERT(document.at("duration").get<double>() == result.duration_s);
  RC_ASSERT(document.at("packet_count").get<std::uint64_t>() == result.packet_count);
}

RC_GTEST_PROP(WireProperty, FlowControlReadsBack, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(0, kMaxRanges + 1);
  std::vector<ClosedRange> ranges;
  std::uint64_t next = *rc::gen::inRange<std::uint64_t>(0, 1000);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t end = next + *rc::gen::inRange<std::uint64_t>(0, 1ULL << 40U);
    ranges.push_back({.begin = next, .end = end});
    next = end + *rc::gen::inRange<std::uint64_t>(1, 5);
  }
  const auto body = written([&](MutableByteView out) { return write_flow_control(out, ranges); });
  std::array<ClosedRange, kMaxRanges> storage{};
  const auto parsed = parse_flow_control(body, storage);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(std::vector(parsed->begin(), parsed->end()) == ranges);
}

RC_GTEST_PROP(WireProperty, AssignmentsReadBack, ()) {
  const auto port = rc::gen::map(rc::gen::inRange(1, 65536),
                                 [](int n) { return Port{static_cast<std::uint16_t>(n)}; });
  const Assignment assignment{.control = *port,
                              .upload = *port,
                              .download = *port,
                              .key = *rc::gen::inRange<std::uint32_t>(0, 60001)};
  RC_PRE(assignment.control != assignment.upload && assignment.upload != assignment.download &&
         assignment.download != assignment.control);
  const auto text =
      written([&](MutableByteView out) { return write_connect_answer(out, assignment); });
  RC_ASSERT(parse_connect_answer(text).value() == ConnectAnswer(assignment));
}

RC_GTEST_PROP(WireProperty, EveryCauseOfAnEndCanBeToldAndReadsBack, (const std::string& cause)) {
  const Ended ended = make_ended(*rc::gen::inRange<std::uint32_t>(0, 60001), cause);
  // Exactly so many octets on the heap, so that a sanitizer sees a write past the end.
  std::vector<std::byte> out(kMaxConnectAnswerSize);
  out.resize(write_connect_answer(out, ended));
  RC_ASSERT(parse_connect_answer(out).value() == ConnectAnswer(ended));
  RC_ASSERT(ended.cause.view().size() == std::min(cause.size(), Ended::kMaxCause));
  for (std::size_t i = 0; i < ended.cause.view().size(); ++i) {
    const char told = ended.cause.view()[i];
    RC_ASSERT(told >= ' ' && told <= '~');
    RC_ASSERT(told == cause[i] || told == '?');
  }
}

RC_GTEST_PROP(WireProperty, AnEndedIsReadInOneSpellingOnly, (const std::string& cause)) {
  const Ended ended = make_ended(*rc::gen::inRange<std::uint32_t>(0, 60001), cause);
  auto text = written([&](MutableByteView out) { return write_connect_answer(out, ended); });
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  text[at] = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
  const auto parsed = parse_connect_answer(text);
  if (!parsed) return;
  const auto again = written(
      [&](MutableByteView out) { return write_connect_answer(out, std::get<Ended>(*parsed)); });
  RC_ASSERT(again == text);
}

RC_GTEST_PROP(WireProperty, RandomOctetsDoNoHarm, ()) {
  const auto octets = *rc::gen::container<std::vector<std::uint8_t>>(
      *rc::gen::inRange<std::size_t>(0, kMaxPacketSize + 2), rc::gen::arbitrary<std::uint8_t>());
  const ByteView view = std::as_bytes(std::span(octets));
  const auto packet = parse_packet(view);
  const bool plausible = octets.size() >= 20 && octets.size() <= 1400 && octets.at(0) <= 7;
  RC_ASSERT(packet.has_value() == plausible);
  // Random octets are never one of the bodies: they would have to be a JSON object.
  RC_ASSERT(!parse_heartbeat0(view) && !parse_heartbeat_reply(view));
  RC_ASSERT(!parse_control(view) && !parse_test_result(view) && !parse_connect_answer(view));
}

}  // namespace codecs_test
}  // namespace wyndrvr::wire
