#include <set>
#include <string>

#include <gtest/gtest.h>

#include "engine/heartbeat_server.hpp"
#include "unit/allocation_counter.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace heartbeat_server_test {

using namespace testing;
using wire::DropReason;

wire::Timestamp timestamp(std::string_view text) {
  return wire::Timestamp::from_number_text(text).value();
}

Datagram from(const Endpoint& sender, Instant arrival) {
  Datagram datagram;
  datagram.from = sender;
  datagram.arrival = arrival;
  return datagram;
}

class HeartbeatServerTest : public ::testing::Test {
 protected:
  HeartbeatServer::Reply answer(Instant arrival, Instant leaving) {
    EXPECT_TRUE(server.on_heartbeat(from(kClientEnd, arrival), {timestamp("17.25")}));
    return server.poll_reply(leaving).value();
  }
  HeartbeatServer server{WallClock(Duration(1'700'000'000s))};
};

TEST_F(HeartbeatServerTest, AnswerGoesToTheSenderAndEchoesItsTimestampAsWritten) {
  EXPECT_TRUE(server.on_heartbeat(from(kClientEnd, kStart), {timestamp("1.7000E9")}));
  EXPECT_TRUE(server.has_reply());
  const auto reply = server.poll_reply(kStart);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->to, kClientEnd);
  EXPECT_EQ(reply->body.client.text(), "1.7000E9");
  EXPECT_EQ(reply->body.server.text(), "1700001000.000000");
  EXPECT_FALSE(server.has_reply());
  EXPECT_FALSE(server.poll_reply(kStart));
}

TEST_F(HeartbeatServerTest, ServerTimestampsDifferWithinOneMicrosecond) {
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) seen.insert(std::string(answer(kStart, kStart).body.server.text()));
  EXPECT_EQ(seen.size(), 20U);
}

TEST_F(HeartbeatServerTest, TurnaroundRunsFromTheArrivalToTheAnswer) {
  EXPECT_EQ(answer(kStart, kStart + 3ms).body.turnaround_ns, 3'000'000U);
}

TEST_F(HeartbeatServerTest, TurnaroundByTheKernelsStampsIsToldInTheNextAnswer) {
  Datagram stamped = from(kClientEnd, kStart);
  stamped.kernel_stamped = true;
  EXPECT_TRUE(server.on_heartbeat(stamped, {timestamp("1")}));
  const auto first = server.poll_reply(kStart + 3ms);
  EXPECT_FALSE(first->body.earlier);
  server.on_transmit_stamp(first->token, kStart + 4ms);
  const auto second = answer(kStart + 1s, kStart + 1s);
  ASSERT_TRUE(second.body.earlier);
  EXPECT_EQ(second.body.earlier->server, first->body.server);
  EXPECT_EQ(second.body.earlier->turnaround_ns, 4'000'000U);
}

TEST_F(HeartbeatServerTest, WithoutBothStampsNoEarlierTurnaroundIsTold) {
  const auto unstamped = answer(kStart, kStart);
  server.on_transmit_stamp(unstamped.token, kStart + 1ms);
  Datagram stamped = from(kClientEnd, kStart + 1s);
  stamped.kernel_stamped = true;
  EXPECT_TRUE(server.on_heartbeat(stamped, {timestamp("1")}));
  const auto second = server.poll_reply(kStart + 1s);
  EXPECT_FALSE(second->body.earlier) << "its request had no stamp";
  server.on_transmit_stamp(unstamped.token, kStart + 2s);
  EXPECT_FALSE(answer(kStart + 2s, kStart + 2s).body.earlier) << "that stamp was another's";
}

TEST_F(HeartbeatServerTest, TurnaroundIsNeverNegative) {
  EXPECT_EQ(answer(kStart + 1us, kStart).body.turnaround_ns, 0U);
}

TEST_F(HeartbeatServerTest, ConfirmationGivesTheRoundTrip) {
  const auto reply = answer(kStart, kStart);
  const auto confirmed =
      server.on_confirmation(from(kClientEnd, kStart + 12ms), {reply.body.server});
  ASSERT_TRUE(confirmed);
  EXPECT_EQ(confirmed->rtt, 12ms);
  EXPECT_EQ(confirmed->path_rtt, 12ms) << "as far as is known";
  EXPECT_DOUBLE_EQ(server.rtt_ns().mean().value(), 12e6);
}

TEST_F(HeartbeatServerTest, PathsRoundTripIsWithoutTheClientsTurnaround) {
  const auto confirm = [&](std::uint64_t turnaround_ns) {
    const auto reply = answer(kStart, kStart);
    return server
        .on_confirmation(from(kClientEnd, kStart + 12ms), {reply.body.server, turnaround_ns})
        .value();
  };
  EXPECT_EQ(confirm(10'000'000).path_rtt, 2ms);
  EXPECT_EQ(confirm(10'000'000).rtt, 12ms);
  EXPECT_EQ(confirm(12'000'001).path_rtt, 12ms) << "longer than all of it: not believed";
}

TEST_F(HeartbeatServerTest, ConfirmationCountsOnlyFromTheEndpointThatItWasSentTo) {
  const auto reply = answer(kStart, kStart);
  const Endpoint other_port{kClientEnd.address, {50'001}};
  EXPECT_EQ(server.on_confirmation(from(other_port, kStart), {reply.body.server}).error(),
            DropReason::kUnknownTimestamp);
  EXPECT_EQ(server.on_confirmation(from(kStrangerEnd, kStart), {reply.body.server}).error(),
            DropReason::kUnknownTimestamp);
  EXPECT_TRUE(server.on_confirmation(from(kClientEnd, kStart), {reply.body.server}));
}

TEST_F(HeartbeatServerTest, ReplayedConfirmationIsRefused) {
  const auto reply = answer(kStart, kStart);
  EXPECT_TRUE(server.on_confirmation(from(kClientEnd, kStart), {reply.body.server}));
  EXPECT_EQ(server.on_confirmation(from(kClientEnd, kStart), {reply.body.server}).error(),
            DropReason::kDuplicate);
  EXPECT_EQ(server.rtt_ns().count(), 1U);
}

TEST_F(HeartbeatServerTest, TimestampThatWasNeverSentIsRefused) {
  wire::HeartbeatReply made_up = answer(kStart, kStart).body;
  made_up.server = timestamp("1700001000.000001");
  EXPECT_EQ(server.on_confirmation(from(kClientEnd, kStart), {made_up.server}).error(),
            DropReason::kUnknownTimestamp);
  made_up.server = timestamp("1e300");
  EXPECT_EQ(server.on_confirmation(from(kClientEnd, kStart), {made_up.server}).error(),
            DropReason::kUnknownTimestamp);
}

// A peer that keeps timestamps as doubles may write other digits for the same number.
TEST_F(HeartbeatServerTest, ConfirmationMayWriteTheSameNumberInAnotherWay) {
  wire::HeartbeatReply reply = answer(kStart, kStart).body;
  reply.server = timestamp("1.700001000e9");
  EXPECT_TRUE(server.on_confirmation(from(kClientEnd, kStart), {reply.server}));
}

TEST_F(HeartbeatServerTest, AsManyAnswersWaitAsComeAtOnceAndNoMore) {
  std::size_t taken = 0;
  while (server.on_heartbeat(from(kClientEnd, kStart), {timestamp("1")})) ++taken;
  EXPECT_EQ(taken, kMostHeartbeatsAtOnce);
  (void)server.poll_reply(kStart);
  EXPECT_TRUE(server.on_heartbeat(from(kClientEnd, kStart), {timestamp("1")}));
}

TEST_F(HeartbeatServerTest, OldUnconfirmedAnswersAreForgotten) {
  const auto first = answer(kStart, kStart);
  for (int i = 0; i < 64; ++i) (void)answer(kStart, kStart);
  EXPECT_FALSE(server.on_confirmation(from(kClientEnd, kStart), {first.body.server}));
}

TEST_F(HeartbeatServerTest, ConfirmedAnswersAreForgottenOnceEightMoreWereGiven) {
  const auto first = answer(kStart, kStart);
  EXPECT_TRUE(server.on_confirmation(from(kClientEnd, kStart), {first.body.server}));
  for (int i = 0; i < 7; ++i) {
    const auto next = answer(kStart, kStart);
    EXPECT_TRUE(server.on_confirmation(from(kClientEnd, kStart), {next.body.server}));
  }
  EXPECT_EQ(server.on_confirmation(from(kClientEnd, kStart), {first.body.server}).error(),
            DropReason::kDuplicate);
  (void)answer(kStart, kStart);
  EXPECT_EQ(server.on_confirmation(from(kClientEnd, kStart), {first.body.server}).error(),
            DropReason::kUnknownTimestamp);
}

TEST_F(HeartbeatServerTest, UnconfirmedAnswerIsWaitedForForTenSecondsHoweverManyAreConfirmed) {
  const auto late = answer(kStart, kStart);
  const auto never = answer(kStart, kStart);
  const auto give = [&](Instant at) {
    const auto next = answer(at, at);
    EXPECT_TRUE(server.on_confirmation(from(kClientEnd, at), {next.body.server}));
  };
  for (int i = 0; i < 60; ++i) give(kStart + 9s);
  EXPECT_TRUE(server.on_confirmation(from(kClientEnd, kStart + 9s), {late.body.server}));
  for (int i = 0; i < 8; ++i) give(kStart + 10s);
  EXPECT_FALSE(server.on_confirmation(from(kClientEnd, kStart + 10s), {never.body.server}));
}

TEST_F(HeartbeatServerTest, OneThatIsNeverConfirmedTakesNoMemoryForThoseAfterIt) {
  Instant now = kStart;
  const auto exchange = [&] {
    now += 1ms;
    const auto next = answer(now, now);
    EXPECT_TRUE(server.on_confirmation(from(kClientEnd, now), {next.body.server}));
  };
  for (int i = 0; i < 8; ++i) exchange();
  const auto lost = answer(now, now);
  EXPECT_EQ(wyndrvr::testing::allocations_during([&] {
              for (int i = 0; i < 1000; ++i) exchange();
            }),
            0U);
  EXPECT_TRUE(server.on_confirmation(from(kClientEnd, now), {lost.body.server})) << "after all";
}

// A server has a box of these for each port of each client.
TEST_F(HeartbeatServerTest, MoreThanEightAnswersAtOnceAllocateAndFewerDoNot) {
  for (int i = 0; i < 8; ++i) (void)answer(kStart, kStart);
  Instant now = kStart + 10s;
  EXPECT_EQ(wyndrvr::testing::allocations_during([&] {
              for (int i = 0; i < 100; ++i, now += 5s) (void)answer(now, now);
            }),
            0U)
      << "answers that are never confirmed are not kept";
  EXPECT_GT(wyndrvr::testing::allocations_during([&] {
              for (int i = 0; i < 10; ++i) (void)answer(now, now);
            }),
            0U);
}

}  // namespace heartbeat_server_test
}  // namespace wyndrvr::engine
