// Every message reads back as the same, and no other octets pass for one.
#include <cstdint>
#include <type_traits>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ipc/archive.hpp"
#include "ipc/message_codec.hpp"
#include "property/ipc_draws.hpp"

namespace wyndrvr::ipc {
namespace message_test {

using namespace engine;

constexpr std::size_t kKinds = std::variant_size_v<Message>;

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
  message = {draw_channel(), draw_instant(), draw_duration(), draw_bool()};
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
  message = {draw_channel(), draw_receiver(), maybe(draw_octets)};
}
void fill(StopTest& message) {
  message = {draw_channel(), draw_stop_reason()};
}
void fill(SenderFinished& message) {
  message = {draw_channel(), draw_sender()};
}
void fill(TestBroken& message) {
  message = {draw_channel(), draw_stop_reason(), *rc::gen::arbitrary<bool>()};
}
void fill(TestReported& message) {
  message = {draw_channel(), draw_direction(), draw_receiver(), maybe(draw_sender)};
}
void fill(PortTrouble& message) {
  message.cause = static_cast<Unreachable>(*rc::gen::inRange(0, int(kLastUnreachable) + 1));
}
template <class Bare>
  requires std::is_empty_v<Bare>
void fill(Bare& /*message*/) {}

// A message of that kind, with any values.
Letter draw_letter(std::size_t kind) {
  Letter letter;
  letter.from = static_cast<Mailbox>(*rc::gen::inRange(0, 4));
  letter.to = static_cast<Mailbox>(*rc::gen::inRange(0, 4));
  RC_ASSERT(emplace_by_index(letter.message, kind));
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
  if (frame.size() < 3) return;
  frame[0] = static_cast<std::byte>(octets[0] % 4);
  frame[1] = static_cast<std::byte>(octets[1] % 4);
  frame[2] = static_cast<std::byte>(octets[2] % kKinds);
  (void)decode(frame);
}

}  // namespace message_test
}  // namespace wyndrvr::ipc
