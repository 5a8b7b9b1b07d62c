#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "ipc/message_codec.hpp"

namespace wyndrvr::ipc {
namespace message_codec_test {

std::vector<std::byte> frame_of(const engine::Message& message,
                                engine::Mailbox from = engine::Mailbox::kUpload,
                                engine::Mailbox to = engine::Mailbox::kControl) {
  std::vector<std::byte> frame;
  encode({from, message, to}, frame);
  return frame;
}

engine::LatencyTotals full_latency() {
  engine::LatencyTotals totals;
  totals.rtt.emplace().stddev = 1ns;
  totals.application_rtt.emplace().stddev = 1ns;
  totals.network_rtt.emplace().stddev = 1ns;
  totals.jitter = 1ns;
  return totals;
}

TEST(MessageCodec, LongestPortReportFitsIntoAFrame) {
  engine::PortReport report;
  report.totals.idle = full_latency();
  report.totals.loaded = full_latency();
  report.totals.loop_lag.emplace().stddev = 1ns;
  report.sender.emplace();
  EXPECT_LE(frame_of(report).size(), kMaxFrameSize);
  EXPECT_TRUE(decode(frame_of(report)));
}

TEST(MessageCodec, LongestResultFitsIntoAFrame) {
  engine::ResultArrived arrived;
  const std::string text(wire::IdText::kCapacity, 'x');
  arrived.result.guid = wire::IdText::from(text).value();
  arrived.result.uid = wire::IdText::from(text).value();
  arrived.result.detail.emplace();
  EXPECT_LE(frame_of(arrived).size(), kMaxFrameSize);
  EXPECT_TRUE(decode(frame_of(arrived)));
}

TEST(MessageCodec, FrameTellsWhoSentItAndToWhom) {
  const auto letter =
      decode(frame_of(engine::Drain{}, engine::Mailbox::kDownload, engine::Mailbox::kUpload));
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->from, engine::Mailbox::kDownload);
  EXPECT_EQ(letter->to, engine::Mailbox::kUpload);
}

TEST(MessageCodec, EncodingReplacesWhatTheFrameHeld) {
  std::vector<std::byte> frame(500, std::byte{1});
  encode({engine::Mailbox::kControl, engine::Drain{}}, frame);
  EXPECT_EQ(frame.size(), 3U);
}

TEST(MessageCodec, EmptyFrameIsRefused) {
  EXPECT_FALSE(decode({}));
}

TEST(MessageCodec, FrameBeyondTheMaximumIsRefused) {
  std::vector<std::byte> frame = frame_of(engine::Drain{});
  frame.resize(kMaxFrameSize + 1);
  EXPECT_FALSE(decode(frame));
}

TEST(MessageCodec, UnknownKindsAndMailboxesAreRefused) {
  std::vector<std::byte> frame = frame_of(engine::Drain{});
  frame[0] = std::byte{4};
  EXPECT_FALSE(decode(frame));
  frame = frame_of(engine::Drain{});
  frame[1] = std::byte{4};
  EXPECT_FALSE(decode(frame));
  frame = frame_of(engine::Drain{});
  frame[2] = static_cast<std::byte>(std::variant_size_v<engine::Message>);
  EXPECT_FALSE(decode(frame));
}

TEST(MessageCodec, StartOfATestEndsWithTheKindOfItsClient) {
  engine::TestStarted started{{0x010203}, Instant(Duration(0x0405)), Duration(0x0607), true};
  std::vector<std::byte> frame = frame_of(started);
  const std::string fields(as_text(ByteView(frame).subspan(3)));
  EXPECT_EQ(fields, std::string("\0\1\2\3"
                                "\0\0\0\0\0\0\4\5"
                                "\0\0\0\0\0\0\6\7"
                                "\1",
                                21));
  EXPECT_EQ(std::get<engine::TestStarted>(decode(frame)->message), started);
  started.extended = false;
  EXPECT_NE(frame_of(started), frame);
  frame.back() = std::byte{2};
  EXPECT_FALSE(decode(frame)) << "a truth value is 0 or 1";
}

TEST(MessageCodec, ValuesThatCannotBeAreRefused) {
  std::vector<std::byte> frame = frame_of(engine::SetLoaded{true});
  frame.back() = std::byte{2};
  EXPECT_FALSE(decode(frame)) << "a truth value is 0 or 1";

  frame = frame_of(engine::PortReady{{ChannelId::kMax}});
  frame[3] = std::byte{1};
  EXPECT_FALSE(decode(frame)) << "a channel has 24 bits";

  frame = frame_of(engine::TestFailed{});
  frame.back() = std::byte{255};
  EXPECT_FALSE(decode(frame)) << "no such problem code";

  engine::Trace trace;
  trace.detail = wire::SmallText<64>::from("x").value();
  frame = frame_of(trace);
  frame.back() = std::byte{'"'};
  EXPECT_FALSE(decode(frame)) << "not a plain text";
}

}  // namespace message_codec_test
}  // namespace wyndrvr::ipc
