// Every message reads back as the same, and no other octets pass for one.
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ipc/message_codec.hpp"

namespace wyndrvr::ipc {
namespace {

using namespace engine;

constexpr std::size_t kKinds = std::variant_size_v<Message>;

std::uint64_t draw_count() {
  return *rc::gen::arbitrary<std::uint64_t>();
}
Duration draw_duration() {
  return Duration(*rc::gen::arbitrary<std::int64_t>());
}
Instant draw_instant() {
  return Instant(draw_duration());
}
bool draw_bool() {
  return *rc::gen::arbitrary<bool>();
}
// Any but NaN, which is not equal to itself.
double draw_double() {
  const double number = *rc::gen::arbitrary<double>();
  return number == number ? number : 0;
}
ChannelId draw_channel() {
  return {*rc::gen::inRange<std::uint32_t>(0, ChannelId::kMax + 1)};
}
wire::IdText draw_text() {
  const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>('#', '['));
  return wire::IdText::from(std::string_view(text).substr(0, wire::IdText::kCapacity)).value();
}
template <class Draw>
auto maybe(Draw draw) -> std::optional<decltype(draw())> {
  if (!draw_bool()) return std::nullopt;
  return draw();
}

stats::LatencySummary draw_summary() {
  stats::LatencySummary summary;
  summary.count = draw_count();
  for (Duration* value : {&summary.min, &summary.mean, &summary.p50, &summary.p90, &summary.p95,
                          &summary.p99, &summary.p99_9, &summary.max}) {
    *value = draw_duration();
  }
  summary.stddev = maybe(draw_duration);
  return summary;
}

LatencyTotals draw_latency() {
  LatencyTotals totals;
  for (std::uint64_t* value : {&totals.sent, &totals.received, &totals.lost, &totals.skipped}) {
    *value = draw_count();
  }
  totals.rtt = maybe(draw_summary);
  totals.application_rtt = maybe(draw_summary);
  totals.network_rtt = maybe(draw_summary);
  totals.jitter = maybe(draw_duration);
  return totals;
}

PortTotals draw_port_totals() {
  PortTotals totals;
  totals.idle = draw_latency();
  totals.loaded = draw_latency();
  for (std::uint64_t& count : totals.drops) count = draw_count();
  return totals;
}

SenderTotals draw_sender() {
  SenderTotals totals;
  for (std::uint64_t* value : {&totals.packets, &totals.bytes, &totals.retransmitted,
                               &totals.reported_lost, &totals.failed, &totals.blocked}) {
    *value = draw_count();
  }
  totals.target_bps = draw_double();
  return totals;
}

ReceiverTotals draw_receiver() {
  ReceiverTotals totals;
  for (std::uint64_t* value : {&totals.packets, &totals.bytes, &totals.unique, &totals.duplicate,
                               &totals.reordered, &totals.expected, &totals.unique_bytes,
                               &totals.retransmitted, &totals.written_off, &totals.socket_drops}) {
    *value = draw_count();
  }
  totals.first_to_last = draw_duration();
  totals.elapsed = draw_duration();
  return totals;
}

TestPlan draw_plan() {
  TestPlan plan;
  plan.channel = draw_channel();
  plan.duration = draw_duration();
  plan.payload_bytes = *rc::gen::arbitrary<std::uint32_t>();
  plan.progress_interval = draw_duration();
  plan.ask_progress = draw_bool();
  return plan;
}

wire::ReceiverDetail draw_detail() {
  wire::ReceiverDetail detail;
  for (std::uint64_t* value :
       {&detail.unique, &detail.duplicate, &detail.reordered, &detail.highest, &detail.unique_bytes,
        &detail.written_off, &detail.first_to_last_ns, &detail.socket_drops}) {
    *value = draw_count();
  }
  return detail;
}

wire::TestResult draw_result() {
  wire::TestResult result;
  result.guid = draw_text();
  result.channel = draw_channel();
  result.bytes_received = draw_count();
  result.bandwidth_bps = draw_double();
  result.retransmit_count = draw_count();
  result.packet_count = draw_count();
  result.duration_s = draw_double();
  result.uid = draw_text();
  result.detail = maybe(draw_detail);
  return result;
}

// --- one for each message that has fields ---
void fill(StartTest& message) {
  message.plan = draw_plan();
}
void fill(PortReady& message) {
  message.channel = draw_channel();
}
void fill(Go& message) {
  message = {draw_channel(), draw_instant(), draw_duration()};
}
void fill(SetLoaded& message) {
  message.loaded = draw_bool();
}
void fill(PortProven& message) {
  message.extended = draw_bool();
}
void fill(HeartbeatSample& message) {
  message = {draw_duration(), maybe(draw_duration), draw_bool()};
}
void fill(TestStarted& message) {
  message = {draw_channel(), draw_instant(), draw_duration()};
}
void fill(TestFinished& message) {
  message = {draw_channel(), draw_receiver()};
}
void fill(ResultArrived& message) {
  message.result = draw_result();
}
void fill(ResultDelivered& message) {
  message.totals = draw_receiver();
}
void fill(TestFailed& message) {
  message.code = static_cast<ProblemCode>(*rc::gen::inRange(0, int(kLastProblemCode) + 1));
}
void fill(PortReport& message) {
  message = {draw_port_totals(), maybe(draw_sender)};
}
void fill(Trace& message) {
  message = {static_cast<TraceKind>(*rc::gen::inRange(0, int(kLastTraceKind) + 1)), draw_channel(),
             draw_text()};
}
void fill(SenderProgress& message) {
  message = {draw_channel(), draw_sender()};
}
void fill(ReceiverProgress& message) {
  message = {draw_channel(), draw_receiver()};
}
template <class Bare>
  requires std::is_empty_v<Bare>
void fill(Bare& /*message*/) {}

template <std::size_t... Index>
Message make_message(std::size_t kind, std::index_sequence<Index...>) {
  Message message;
  ((kind == Index ? void(message.emplace<Index>()) : void()), ...);
  return message;
}

// A message of that kind, with any values.
Letter draw_letter(std::size_t kind) {
  Letter letter;
  letter.from = static_cast<Mailbox>(*rc::gen::inRange(0, 4));
  letter.message = make_message(kind, std::make_index_sequence<kKinds>{});
  std::visit([](auto& message) { fill(message); }, letter.message);
  return letter;
}

RC_GTEST_PROP(MessageCodecProperty, EveryMessageReadsBackAsTheSame, ()) {
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const Letter letter = draw_letter(kind);
    std::vector<std::byte> frame;
    encode(letter, frame);
    RC_ASSERT(frame.size() <= kMaxFrameSize);
    const auto again = decode(frame);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == letter);
  }
}

RC_GTEST_PROP(MessageCodecProperty, EveryTruncationAndEveryTrailingOctetIsRefused, ()) {
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    std::vector<std::byte> frame;
    encode(draw_letter(kind), frame);
    for (std::size_t size = 0; size < frame.size(); ++size) {
      // On the heap and of exactly that size, so that a sanitizer sees a read past the end.
      const std::vector<std::byte> shorter(frame.begin(),
                                           frame.begin() + static_cast<std::ptrdiff_t>(size));
      RC_ASSERT(!decode(shorter).has_value());
    }
    frame.push_back(static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>()));
    RC_ASSERT(!decode(frame).has_value());
  }
}

RC_GTEST_PROP(MessageCodecProperty, WhateverIsReadWritesBackToTheSameOctets, ()) {
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    std::vector<std::byte> frame;
    encode(draw_letter(kind), frame);
    for (int change = 0; change < 4; ++change) {
      const auto at = *rc::gen::inRange<std::size_t>(0, frame.size());
      frame[at] = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
    }
    const auto letter = decode(frame);
    if (!letter) continue;
    std::vector<std::byte> again;
    encode(*letter, again);
    RC_ASSERT(again == frame);
  }
}

RC_GTEST_PROP(MessageCodecProperty, RandomOctetsDoNoHarm, (std::vector<std::uint8_t> octets)) {
  std::vector<std::byte> frame(octets.size());
  for (std::size_t i = 0; i < octets.size(); ++i) frame[i] = static_cast<std::byte>(octets[i]);
  (void)decode(frame);
  if (frame.empty()) return;
  frame[0] = static_cast<std::byte>(octets[0] % kKinds);
  (void)decode(frame);
}

}  // namespace
}  // namespace wyndrvr::ipc
