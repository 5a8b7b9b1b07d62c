// Heartbeat bodies and their timestamps.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "wire/heartbeat.hpp"

namespace wyndrvr::wire {
namespace heartbeat_test {

template <class Body>
std::string written(std::size_t (*write)(MutableByteView, const Body&), const Body& body) {
  std::array<std::byte, kMaxHeartbeatBodySize> out{};
  return std::string(as_text(ByteView(out).first(write(out, body))));
}

Timestamp stamp(std::string_view text) {
  return Timestamp::from_number_text(text).value();
}

TEST(Timestamp, HasSixDecimalsOfASecond) {
  EXPECT_EQ(Timestamp::from_micros(1'731'944'123'123'456).text(), "1731944123.123456");
  EXPECT_EQ(Timestamp::from_micros(1'731'944'123'000'007).text(), "1731944123.000007");
  EXPECT_EQ(Timestamp::from_micros(0).text(), "0.000000");
  EXPECT_EQ(Timestamp::from_micros(-1).text(), "-0.000001");
  EXPECT_EQ(Timestamp::from_micros(INT64_MAX).text(), "9223372036854.775807");
  EXPECT_EQ(Timestamp::from_micros(INT64_MIN).text(), "-9223372036854.775808");
}

TEST(Timestamp, IsReadToTheMicrosecondHoweverItIsSpelt) {
  constexpr std::int64_t kMicros = 1'731'944'123'123'456;
  EXPECT_EQ(stamp("1731944123.123456").to_micros(), kMicros);
  EXPECT_EQ(stamp("1731944123.1234560").to_micros(), kMicros);
  EXPECT_EQ(stamp("1731944123.1234559").to_micros(), kMicros);
  EXPECT_EQ(stamp("1.731944123123456e9").to_micros(), kMicros);
  EXPECT_EQ(stamp("1731944123").to_micros(), 1'731'944'123'000'000);
  EXPECT_EQ(stamp("-0.5").to_micros(), -500'000);
  EXPECT_EQ(stamp("0.0000017").to_micros(), 2);
  EXPECT_EQ(stamp("0.0000014").to_micros(), 1);
}

TEST(Timestamp, BeyondTheRangeOfMicrosecondsIsNone) {
  EXPECT_FALSE(stamp("1e13").to_micros());
  EXPECT_FALSE(stamp("-1e13").to_micros());
  EXPECT_FALSE(stamp("1e999").to_micros());
  // 2^63 microseconds to a double, one more than the range holds.
  EXPECT_FALSE(stamp("9223372036854.775807").to_micros());
}

TEST(Timestamp, TakesOnlyNumbersOfAtMost64Characters) {
  EXPECT_TRUE(Timestamp::from_number_text("1." + std::string(62, '3')));
  EXPECT_FALSE(Timestamp::from_number_text("1." + std::string(63, '3')));
  for (const std::string_view text : {"", "abc", "1.", " 1", "1 ", "NaN", "\"1\"", "1,"}) {
    EXPECT_FALSE(Timestamp::from_number_text(text)) << text;
  }
  EXPECT_EQ(Timestamp().text(), "0");
}

TEST(Heartbeat, PaddedOneReadsAsThePlainOneAndPaysForATurnaround) {
  const Heartbeat0 heartbeat{Timestamp::from_micros(1'731'944'123'123'456)};
  const std::string padded = written(write_padded_heartbeat0, heartbeat);
  EXPECT_EQ(padded.size(), kPaddedHeartbeat0Size);
  EXPECT_EQ(parse_heartbeat0(as_bytes(padded)), heartbeat);
  const HeartbeatReply reply{
      .client = heartbeat.timestamp, .server = heartbeat.timestamp, .turnaround_ns = 9'999'999'999};
  EXPECT_LE(written(write_heartbeat_reply, reply).size(), kPaddedHeartbeat0Size);
}

TEST(Heartbeat, WritesTheOriginalsBytes) {
  EXPECT_EQ(written(write_heartbeat0, Heartbeat0{Timestamp::from_micros(1'500'000)}),
            R"({"timestamp": 1.500000})");
  const HeartbeatReply reply{.client = stamp("1.5"), .server = stamp("2e3"), .turnaround_ns = {}};
  EXPECT_EQ(written(write_heartbeat_reply, reply),
            R"({"client_timestamp": 1.5, "server_timestamp": 2e3})");
}

TEST(Heartbeat, TurnaroundFollowsTheTimestamps) {
  const HeartbeatReply reply{
      .client = stamp("1.5"), .server = stamp("2.5"), .turnaround_ns = 12345};
  EXPECT_EQ(written(write_heartbeat_reply, reply),
            R"({"client_timestamp": 1.5, "server_timestamp": 2.5, "turnaround_ns": 12345})");
}

TEST(Heartbeat, TheLongestBodiesFit) {
  const Timestamp longest = stamp(std::string(Timestamp::kCapacity, '7'));
  EXPECT_LE(written(write_heartbeat0, Heartbeat0{longest}).size(), kMaxHeartbeatBodySize);
  const HeartbeatReply reply{.client = longest, .server = longest, .turnaround_ns = UINT64_MAX};
  const std::string text = written(write_heartbeat_reply, reply);
  EXPECT_EQ(parse_heartbeat_reply(as_bytes(text)), reply);
}

TEST(Heartbeat, TimestampsKeepTheirTextVerbatim) {
  const auto heartbeat = parse_heartbeat0(as_bytes(R"({"timestamp":1731944123.1234560})"));
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->timestamp.text(), "1731944123.1234560");
  const auto reply =
      parse_heartbeat_reply(as_bytes(R"({"server_timestamp": -0.0E+00, "client_timestamp": 7})"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->client.text(), "7");
  EXPECT_EQ(reply->server.text(), "-0.0E+00");
  EXPECT_FALSE(reply->turnaround_ns);
}

TEST(Heartbeat, UnknownMembersAreIgnored) {
  EXPECT_TRUE(parse_heartbeat0(as_bytes(R"({"new": [1, {"a": 2}], "timestamp": 1.5})")));
}

TEST(Heartbeat, AnEarlierTurnaroundFollowsAndReturns) {
  HeartbeatReply reply{.client = stamp("3.5"), .server = stamp("4.5"), .turnaround_ns = 7};
  reply.earlier = EarlierTurnaround{stamp("1.5"), 12345};
  const std::string text = written(write_heartbeat_reply, reply);
  EXPECT_EQ(text, R"({"client_timestamp": 3.5, "server_timestamp": 4.5, "turnaround_ns": 7, )"
                  R"("earlier_timestamp": 1.5, "earlier_turnaround_ns": 12345})");
  EXPECT_EQ(parse_heartbeat_reply(as_bytes(text)), reply);
}

TEST(Heartbeat, BadBodiesAreRefused) {
  for (const std::string_view body :
       {"", "{}", R"({"timestamp": "1.5"})", R"({"timestamp": null})", R"({"timestamp": 1.5)",
        R"({"timestamp": 1.000000000000000000000000000000000000000000000000000000000000000})",
        R"({"client_timestamp": 1})"}) {
    EXPECT_EQ(parse_heartbeat0(as_bytes(body)), std::unexpected(DropReason::kBadBody)) << body;
  }
  for (const std::string_view body :
       {"", "{}", R"({"client_timestamp": 1})", R"({"server_timestamp": 1})",
        R"({"client_timestamp": 1, "server_timestamp": true})",
        R"({"client_timestamp": 1, "server_timestamp": 2, "turnaround_ns": -1})",
        R"({"client_timestamp": 1, "server_timestamp": 2, "turnaround_ns": "5"})",
        R"({"client_timestamp": 1, "server_timestamp": 2, "earlier_timestamp": 1})",
        R"({"client_timestamp": 1, "server_timestamp": 2, "earlier_timestamp": "1",
            "earlier_turnaround_ns": 5})"}) {
    EXPECT_EQ(parse_heartbeat_reply(as_bytes(body)), std::unexpected(DropReason::kBadBody)) << body;
  }
}

}  // namespace heartbeat_test
}  // namespace wyndrvr::wire
