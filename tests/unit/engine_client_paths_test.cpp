// What the client's paths are told is acted on at once, also where they have just said that nothing
// is to be sent.
#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/client_paths.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace client_paths_test {

using namespace testing;

constexpr std::size_t kPaths = 3;

class ClientPathsTest : public ::testing::Test {
 protected:
  ClientPathsTest() : paths_(setup(), options()) {
    for (std::size_t i = 0; i < kPaths; ++i) first_.push_back(heartbeat());
    EXPECT_FALSE(paths_.poll_heartbeat(now_)) << "one for each path";
  }

  static PathSetup setup() {
    PathSetup setup;
    setup.terms.streams = kPaths;
    return setup;
  }
  static ClientPaths::Options options() {
    return {.kind = PortKind::kUpload,
            .server = kServerEnd,
            .heartbeat_interval = 5s,
            .heartbeat_count = std::nullopt,
            .clock = WallClock(1'700'000'000s),
            .start = kStart};
  }
  PathHeartbeat heartbeat() {
    const auto heartbeat = paths_.poll_heartbeat(now_);
    EXPECT_TRUE(heartbeat);
    return heartbeat.value_or(PathHeartbeat{});
  }
  // The answer to the path's first heartbeat.
  void answer(std::size_t path) {
    const auto& asked = std::get<wire::PathHeartbeat0>(first_[path].body);
    wire::PathHeartbeat1 answer;
    answer.client_time_ns = asked.client_time_ns;
    answer.server_nonce = {77};
    answer.server_time_ns = 1000;
    std::array<std::byte, wire::kMaxPacketSize> body{};
    const std::size_t size = wire::write_path_heartbeat1(body, answer);
    Datagram datagram;
    datagram.from = kServerEnd;
    datagram.arrival = now_;
    datagram.flow = static_cast<std::uint8_t>(path);
    const wire::PathPacket packet{
        {wire::PathType::kHeartbeat1}, first_[path].target.nonce, ByteView(body).first(size)};
    EXPECT_TRUE(paths_.on_answer(now_, datagram, packet));
  }

  ClientPaths paths_;
  std::vector<PathHeartbeat> first_;
  Instant now_ = kStart;
};

TEST_F(ClientPathsTest, AnswerIsConfirmedAtOnce) {
  now_ += 1ms;
  answer(1);
  const PathHeartbeat confirmation = heartbeat();
  EXPECT_TRUE(std::holds_alternative<wire::PathHeartbeat2>(confirmation.body));
  EXPECT_EQ(confirmation.target.flow, 1U);
  EXPECT_FALSE(paths_.poll_heartbeat(now_));
}

TEST_F(ClientPathsTest, EachConfirmationTellsItsOwnTurnaround) {
  now_ += 1ms;
  const Instant arrived = now_;
  answer(1);
  for (const Duration wait : {Duration(0), Duration(100ms), Duration(200ms)}) {
    now_ += wait;
    std::optional<PathHeartbeat> next = paths_.poll_heartbeat(now_);
    while (next && !std::holds_alternative<wire::PathHeartbeat2>(next->body)) {
      next = paths_.poll_heartbeat(now_);
    }
    ASSERT_TRUE(next) << "sent again after 100 and 200 ms";
    EXPECT_EQ(std::get<wire::PathHeartbeat2>(next->body).turnaround_ns,
              static_cast<std::uint64_t>((now_ - arrived).count()));
  }
}

TEST_F(ClientPathsTest, NudgedPathAsksAtOnce) {
  answer(2);
  (void)heartbeat();
  EXPECT_FALSE(paths_.poll_heartbeat(now_));
  paths_.nudge(2, now_);
  const PathHeartbeat asked = heartbeat();
  EXPECT_TRUE(std::holds_alternative<wire::PathHeartbeat0>(asked.body));
  EXPECT_EQ(asked.target.flow, 2U);
}

TEST_F(ClientPathsTest, AllAskAtOnceWhereTheyAreToldTo) {
  paths_.send_now(now_);
  for (std::size_t i = 0; i < kPaths; ++i) EXPECT_EQ(heartbeat().target.flow, i);
  EXPECT_FALSE(paths_.poll_heartbeat(now_));
}

TEST_F(ClientPathsTest, WhatIsDueLeavesAtItsDeadline) {
  answer(0);
  (void)heartbeat();
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(paths_.poll_heartbeat(now_));
    const auto deadline = paths_.deadline();
    ASSERT_TRUE(deadline && deadline->at > now_);
    EXPECT_FALSE(paths_.poll_heartbeat(deadline->at - 1ns));
    now_ = deadline->at;
    paths_.on_timer(now_);
    while (paths_.poll_heartbeat(now_)) {
    }
  }
  EXPECT_GE(now_, kStart + 1s);
}

}  // namespace client_paths_test
}  // namespace wyndrvr::engine
