// The packet codecs allocate nothing.
#include <array>
#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

#include "unit/allocation_counter.hpp"
#include "wire/connect.hpp"
#include "wire/control.hpp"
#include "wire/data_body.hpp"
#include "wire/flow_control.hpp"
#include "wire/header.hpp"
#include "wire/heartbeat.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::wire {
namespace allocation_test {

using wyndrvr::testing::allocations_during;

TEST(WireAllocation, HeadersNeedNone) {
  std::array<std::byte, kMaxPacketSize> packet{};
  bool parsed = false;
  EXPECT_EQ(allocations_during([&] {
              write_header(packet.data(), {.type = MessageType::kControl, .channel = {5}});
              parsed = parse_packet(packet).has_value();
            }),
            0U);
  EXPECT_TRUE(parsed);
}

TEST(WireAllocation, HeartbeatsNeedNone) {
  std::array<std::byte, kMaxHeartbeatBodySize> body{};
  bool parsed = false;
  EXPECT_EQ(allocations_during([&] {
              const Timestamp now = Timestamp::from_micros(1'731'944'123'123'456);
              std::size_t size = write_heartbeat0(body, {now});
              parsed = parse_heartbeat0(ByteView(body).first(size)).has_value();
              size = write_heartbeat_reply(body, {now, now, 5});
              const auto reply = parse_heartbeat_reply(ByteView(body).first(size));
              parsed = parsed && reply && reply->client.to_micros();
            }),
            0U);
  EXPECT_TRUE(parsed);
}

TEST(WireAllocation, FlowControlNeedsNone) {
  std::array<std::byte, kMaxBodySize> body{};
  std::array<ClosedRange, kMaxRanges> ranges{};
  for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = {.begin = 2 * i, .end = 2 * i};
  bool parsed = false;
  EXPECT_EQ(allocations_during([&] {
              const std::size_t size = write_flow_control(body, ranges);
              parsed = parse_flow_control(ByteView(body).first(size), ranges).has_value();
            }),
            0U);
  EXPECT_TRUE(parsed);
}

TEST(WireAllocation, ControlAndResultsNeedNone) {
  std::array<std::byte, kMaxBodySize> body{};
  bool parsed = false;
  EXPECT_EQ(allocations_during([&] {
              std::size_t size = write_control(body, Bwup{{5}, 0.3, 100});
              parsed = parse_control(ByteView(body).first(size)).has_value();
              TestResult result;
              result.channel = {5};
              result.bandwidth_bps = 1.2345678901234567e15;
              result.duration_s = 0.1;
              result.detail.emplace();
              size = write_test_result(body, result);
              parsed = parsed && parse_test_result(ByteView(body).first(size)).has_value();
            }),
            0U);
  EXPECT_TRUE(parsed);
}

TEST(WireAllocation, RefusedBodiesNeedNone) {
  std::array<std::byte, kMaxBodySize> body{};
  body.fill(std::byte{'['});
  EXPECT_EQ(allocations_during([&] {
              (void)parse_heartbeat0(body);
              (void)parse_control(body);
              (void)parse_test_result(body);
              (void)parse_connect_answer(body);
            }),
            0U);
}

}  // namespace allocation_test
}  // namespace wyndrvr::wire
