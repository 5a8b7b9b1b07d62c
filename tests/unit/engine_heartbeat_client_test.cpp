#include <cstdint>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/heartbeat_client.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace heartbeat_client_test {

using namespace testing;
using wire::DropReason;

HeartbeatClient::Options options(Duration interval) {
  return {.interval = interval,
          .count = std::nullopt,
          .clock = WallClock(Duration(1'700'000'000s)),
          .start = kStart};
}

wire::HeartbeatReply answer_to(const HeartbeatClient::Heartbeat& heartbeat) {
  return {.client = heartbeat.body.timestamp,
          .server = wire::Timestamp::from_number_text("1700000000.5").value(),
          .turnaround_ns = std::nullopt};
}

Datagram arrived(Instant at, bool kernel_stamped = false) {
  Datagram datagram;
  datagram.from = kServerEnd;
  datagram.arrival = at;
  datagram.kernel_stamped = kernel_stamped;
  return datagram;
}

// A client whose first heartbeat was answered at once, so that its schedule is that of `start`.
class AnsweredClient : public ::testing::Test {
 protected:
  explicit AnsweredClient(Duration interval = 1s) : client(options(interval)) {
    const auto first = client.poll_heartbeat(kStart);
    EXPECT_TRUE(client.on_answer(kStart, arrived(kStart), answer_to(*first)));
    (void)client.poll_reply(kStart);
  }
  HeartbeatClient client;
};

TEST(HeartbeatClient, FirstHeartbeatIsDueAtOnce) {
  HeartbeatClient client(options(5s));
  EXPECT_EQ(client.deadline()->at, kStart);
  EXPECT_FALSE(client.poll_heartbeat(kStart - 1ns));
  EXPECT_TRUE(client.poll_heartbeat(kStart));
  EXPECT_FALSE(client.poll_heartbeat(kStart)) << "one, not a burst";
}

TEST(HeartbeatClient, TimestampIsUnixTimeInMicroseconds) {
  HeartbeatClient client(options(5s));
  const auto heartbeat = client.poll_heartbeat(kStart + 1'234'567ns);
  EXPECT_EQ(heartbeat->body.timestamp.text(), "1700001000.001234");
}

TEST(HeartbeatClient, TimestampsDifferWithinOneMicrosecond) {
  HeartbeatClient client(options(1ns));
  const auto a = client.poll_heartbeat(kStart);
  const auto b = client.poll_heartbeat(kStart + 10ns);
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->body.timestamp.text(), b->body.timestamp.text());
}

TEST(HeartbeatClient, TriesEvery200MsUntilTheFirstAnswer) {
  HeartbeatClient client(options(5s));
  std::vector<Instant> sent;
  for (Instant now = kStart; now <= kStart + 1s; now += 1ms) {
    if (client.poll_heartbeat(now)) sent.push_back(now);
  }
  ASSERT_EQ(sent.size(), 6U);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i], kStart + static_cast<int>(i) * 200ms);
  }
}

TEST(HeartbeatClient, ShortIntervalIsNotStretchedByTheFirstTries) {
  HeartbeatClient client(options(50ms));
  EXPECT_TRUE(client.poll_heartbeat(kStart));
  EXPECT_TRUE(client.poll_heartbeat(kStart + 50ms));
}

TEST(HeartbeatClient, AfterTheFirstAnswerTheIntervalCountsFromItsHeartbeat) {
  HeartbeatClient client(options(5s));
  (void)client.poll_heartbeat(kStart);
  const auto second = client.poll_heartbeat(kStart + 200ms);
  ASSERT_TRUE(client.on_answer(kStart + 250ms, arrived(kStart + 250ms), answer_to(*second)));
  EXPECT_FALSE(client.poll_heartbeat(kStart + 5199ms));
  EXPECT_TRUE(client.poll_heartbeat(kStart + 5200ms));
}

// A round trip longer than the interval: the heartbeats of those slots have all been sent.
TEST(HeartbeatClient, FirstAnswerThatTookManyIntervalsCountsNoneAsSkipped) {
  HeartbeatClient client(options(10ms));
  const auto first = client.poll_heartbeat(kStart);
  for (int i = 1; i <= 10; ++i) EXPECT_TRUE(client.poll_heartbeat(kStart + i * 10ms));
  ASSERT_TRUE(client.on_answer(kStart + 105ms, arrived(kStart + 105ms), answer_to(*first)));
  EXPECT_EQ(client.idle().skipped, 0U);
  EXPECT_FALSE(client.poll_heartbeat(kStart + 109ms));
  EXPECT_TRUE(client.poll_heartbeat(kStart + 110ms));
}

TEST_F(AnsweredClient, LateTurnsDoNotShiftTheSchedule) {
  EXPECT_TRUE(client.poll_heartbeat(kStart + 1s + 300ms));
  EXPECT_FALSE(client.poll_heartbeat(kStart + 2s - 1ns));
  EXPECT_TRUE(client.poll_heartbeat(kStart + 2s)) << "absolute, not 1 s after the late one";
}

TEST_F(AnsweredClient, AnswersThatDoNotComeDoNotDelayTheNextHeartbeat) {
  for (int i = 1; i <= 20; ++i) {
    EXPECT_TRUE(client.poll_heartbeat(kStart + i * 1s)) << i;
    client.on_timer(kStart + i * 1s);
  }
}

TEST_F(AnsweredClient, MissedSlotsAreSkippedAndCountedNotMadeUpFor) {
  EXPECT_TRUE(client.poll_heartbeat(kStart + 4500ms));
  EXPECT_FALSE(client.poll_heartbeat(kStart + 4500ms)) << "no burst";
  EXPECT_EQ(client.idle().skipped, 3U);
  EXPECT_EQ(client.deadline()->at, kStart + 5s);
}

TEST_F(AnsweredClient, NudgeSendsOneAtOnce) {
  client.send_now(kStart + 300ms);
  EXPECT_TRUE(client.poll_heartbeat(kStart + 300ms));
  EXPECT_FALSE(client.poll_heartbeat(kStart + 300ms));
}

TEST_F(AnsweredClient, RoundTripEndsAtTheKernelsStampAndTheApplicationsAtTheReading) {
  const auto heartbeat = client.poll_heartbeat(kStart + 1s);
  const auto answered = client.on_answer(kStart + 1s + 30ms, arrived(kStart + 1s + 20ms, true),
                                         answer_to(*heartbeat));
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->round_trip.rtt, 20ms);
  EXPECT_EQ(answered->round_trip.application_rtt, 30ms);
  EXPECT_FALSE(answered->first);
}

TEST_F(AnsweredClient, NetworkRoundTripLeavesOutTheTurnaround) {
  const auto heartbeat = client.poll_heartbeat(kStart + 1s);
  client.on_transmit_stamp(heartbeat->token, kStart + 1s + 1ms);
  wire::HeartbeatReply answer = answer_to(*heartbeat);
  answer.turnaround_ns = 4'000'000;
  const auto answered =
      client.on_answer(kStart + 1s + 30ms, arrived(kStart + 1s + 20ms, true), answer);
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->round_trip.network_rtt, 15ms);
  EXPECT_EQ(client.idle().network_rtt->count, 1U);
}

TEST_F(AnsweredClient, TurnaroundLongerThanTheTripGivesNoNetworkRoundTrip) {
  const auto heartbeat = client.poll_heartbeat(kStart + 1s);
  client.on_transmit_stamp(heartbeat->token, kStart + 1s);
  wire::HeartbeatReply answer = answer_to(*heartbeat);
  answer.turnaround_ns = 20'000'001;
  const auto answered =
      client.on_answer(kStart + 1s + 30ms, arrived(kStart + 1s + 20ms, true), answer);
  ASSERT_TRUE(answered);
  EXPECT_FALSE(answered->round_trip.network_rtt);
  EXPECT_EQ(answered->round_trip.rtt, 20ms) << "the round trip itself is measured";
}

TEST_F(AnsweredClient, WithoutEveryStampThereIsNoNetworkRoundTrip) {
  enum class Missing { kTransmitStamp, kReceiveStamp, kTurnaround };
  Instant now = kStart;
  for (const auto missing :
       {Missing::kTransmitStamp, Missing::kReceiveStamp, Missing::kTurnaround}) {
    now += 1s;
    const auto heartbeat = client.poll_heartbeat(now);
    ASSERT_TRUE(heartbeat);
    if (missing != Missing::kTransmitStamp) client.on_transmit_stamp(heartbeat->token, now);
    wire::HeartbeatReply answer = answer_to(*heartbeat);
    if (missing != Missing::kTurnaround) answer.turnaround_ns = 5;
    const auto answered =
        client.on_answer(now + 1ms, arrived(now + 1ms, missing != Missing::kReceiveStamp), answer);
    ASSERT_TRUE(answered);
    EXPECT_FALSE(answered->round_trip.network_rtt);
  }
  EXPECT_FALSE(client.idle().network_rtt);
}

// Answers two heartbeats, 20 ms each by the kernel's stamps; the first answer says 5 ms of
// turnaround, the second one says what `earlier` says of it, and 2 ms of its own.
LatencyTotals two_answers(HeartbeatClient& client, std::string_view earlier_server) {
  const auto first = client.poll_heartbeat(kStart + 1s);
  client.on_transmit_stamp(first->token, kStart + 1s);
  wire::HeartbeatReply answer = answer_to(*first);
  answer.turnaround_ns = 5'000'000;
  EXPECT_TRUE(client.on_answer(kStart + 1020ms, arrived(kStart + 1020ms, true), answer));

  const auto second = client.poll_heartbeat(kStart + 2s);
  client.on_transmit_stamp(second->token, kStart + 2s);
  answer = answer_to(*second);
  answer.turnaround_ns = 2'000'000;
  answer.earlier = {wire::Timestamp::from_number_text(earlier_server).value(), 8'000'000};
  EXPECT_TRUE(client.on_answer(kStart + 2020ms, arrived(kStart + 2020ms, true), answer));
  return client.idle();
}

TEST_F(AnsweredClient, TurnaroundByTheServersKernelReplacesTheOneToldBefore) {
  const LatencyTotals totals = two_answers(client, "1700000000.5");
  EXPECT_EQ(totals.network_rtt->count, 2U);
  EXPECT_EQ(totals.network_rtt->min, 12ms);
  EXPECT_EQ(totals.network_rtt->max, 18ms);
}

TEST_F(AnsweredClient, TurnaroundOfAnotherAnswerReplacesNothing) {
  const LatencyTotals totals = two_answers(client, "1700000000.6");
  EXPECT_EQ(totals.network_rtt->count, 2U);
  EXPECT_EQ(totals.network_rtt->min, 15ms);
  EXPECT_EQ(totals.network_rtt->max, 18ms);
}

TEST_F(AnsweredClient, StampOfAnUnknownHeartbeatChangesNothing) {
  client.on_transmit_stamp(77, kStart);
  const auto heartbeat = client.poll_heartbeat(kStart + 1s);
  client.on_transmit_stamp(heartbeat->token - 1, kStart);
  client.on_transmit_stamp(heartbeat->token + 1, kStart);
  wire::HeartbeatReply answer = answer_to(*heartbeat);
  answer.turnaround_ns = 5;
  const auto answered = client.on_answer(kStart + 2s, arrived(kStart + 2s, true), answer);
  EXPECT_FALSE(answered->round_trip.network_rtt);
}

TEST_F(AnsweredClient, AnswerWithAnotherTimestampIsRefused) {
  const auto heartbeat = client.poll_heartbeat(kStart + 1s);
  wire::HeartbeatReply answer = answer_to(*heartbeat);
  answer.client = wire::Timestamp::from_number_text("1700001000.999").value();
  EXPECT_EQ(client.on_answer(kStart + 1s, arrived(kStart + 1s), answer).error(),
            DropReason::kUnknownTimestamp);
  EXPECT_FALSE(client.poll_reply(kStart + 1s));
}

TEST_F(AnsweredClient, SecondAnswerToOneHeartbeatIsRefused) {
  const auto one = client.poll_heartbeat(kStart + 1s);
  const auto other = client.poll_heartbeat(kStart + 2s);
  EXPECT_TRUE(client.on_answer(kStart + 2s, arrived(kStart + 2s), answer_to(*other)));
  EXPECT_EQ(client.on_answer(kStart + 2s, arrived(kStart + 2s), answer_to(*other)).error(),
            DropReason::kDuplicate);
  EXPECT_TRUE(client.on_answer(kStart + 2s, arrived(kStart + 2s), answer_to(*one)));
  EXPECT_FALSE(client.on_answer(kStart + 2s, arrived(kStart + 2s), answer_to(*one)));
  EXPECT_EQ(client.idle().received, 3U) << "the first one of the set-up, and these two";
}

TEST_F(AnsweredClient, ReplyTellsItsTurnaroundWhereTheServerTellsItsOwn) {
  for (const bool told : {false, true}) {
    const Instant at = kStart + (told ? 2s : 1s);
    wire::HeartbeatReply answer = answer_to(*client.poll_heartbeat(at));
    answer.turnaround_ns = told ? std::optional<std::uint64_t>(5) : std::nullopt;
    ASSERT_TRUE(client.on_answer(at + 1ms, arrived(at), answer));
    const auto reply = client.poll_reply(at + 3ms);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->turnaround_ns.has_value(), told) << "an original server is told nothing new";
    if (told) {
      EXPECT_EQ(reply->turnaround_ns, 3'000'000U) << "since the kernel's stamp";
    }
  }
}

TEST_F(AnsweredClient, ReplyEchoesBothTimestampsAsTheyWereWritten) {
  const auto heartbeat = client.poll_heartbeat(kStart + 1s);
  wire::HeartbeatReply answer = answer_to(*heartbeat);
  answer.server = wire::Timestamp::from_number_text("1.70000000000012300e9").value();
  answer.turnaround_ns = 5;
  ASSERT_TRUE(client.on_answer(kStart + 1s, arrived(kStart + 1s), answer));
  const auto reply = client.poll_reply(kStart + 1s);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->client.text(), heartbeat->body.timestamp.text());
  EXPECT_EQ(reply->server.text(), "1.70000000000012300e9");
  EXPECT_FALSE(client.poll_reply(kStart + 1s));
}

TEST_F(AnsweredClient, AnswerIsLostAfterFourSeconds) {
  const auto heartbeat = client.poll_heartbeat(kStart + 1s);
  client.on_timer(kStart + 5s - 1ns);
  EXPECT_EQ(client.idle().lost, 0U);
  client.on_timer(kStart + 5s);
  EXPECT_EQ(client.idle().lost, 1U);
  EXPECT_EQ(client.idle().sent, 2U) << "sent = received + lost";
  EXPECT_FALSE(client.on_answer(kStart + 5s, arrived(kStart + 5s), answer_to(*heartbeat)));
}

TEST_F(AnsweredClient, DeadlineCoversTheLossOfAnAnswer) {
  (void)client.poll_heartbeat(kStart + 1s);
  client.stop(kStart + 1s);
  const auto deadline = client.deadline();
  ASSERT_TRUE(deadline);
  EXPECT_EQ(deadline->at, kStart + 1250ms) << "after the last the wait is short";
  EXPECT_EQ(deadline->reason, DeadlineReason::kHeartbeatLost);
  EXPECT_FALSE(client.done());
  client.on_timer(deadline->at);
  EXPECT_FALSE(client.deadline());
  EXPECT_TRUE(client.done());
  EXPECT_EQ(client.idle().lost, 1U);
}

// A run's end must not hide what was lost in its last four seconds.
TEST_F(AnsweredClient, StopGivesUpWhatIsMissingForLongerThanThePathTakes) {
  (void)client.poll_heartbeat(kStart + 1s);
  (void)client.poll_heartbeat(kStart + 2s);
  client.stop(kStart + 2s);
  EXPECT_EQ(client.idle().lost, 1U);
  EXPECT_FALSE(client.done()) << "the other may still be answered";
}

TEST_F(AnsweredClient, StoppedClientSendsNoMoreButStillTakesAnswers) {
  const auto heartbeat = client.poll_heartbeat(kStart + 1s);
  client.stop(kStart + 1s);
  EXPECT_FALSE(client.poll_heartbeat(kStart + 10s));
  EXPECT_TRUE(client.on_answer(kStart + 2s, arrived(kStart + 2s), answer_to(*heartbeat)));
}

TEST_F(AnsweredClient, HeartbeatBelongsToThePhaseInWhichItWasSent) {
  const auto idle = client.poll_heartbeat(kStart + 1s);
  client.set_loaded(true);
  const auto loaded = client.poll_heartbeat(kStart + 2s);
  client.set_loaded(false);
  (void)client.poll_heartbeat(kStart + 3s);
  EXPECT_FALSE(client.on_answer(kStart + 3s, arrived(kStart + 3s), answer_to(*idle))->loaded);
  EXPECT_TRUE(client.on_answer(kStart + 3s, arrived(kStart + 3s), answer_to(*loaded))->loaded);
  EXPECT_EQ(client.idle().received, 2U);
  EXPECT_EQ(client.loaded().received, 1U);
  EXPECT_EQ(client.loaded().rtt->max, 1s);
}

TEST(HeartbeatClient, CountEndsTheHeartbeatsAndDoneWaitsForTheAnswers) {
  HeartbeatClient::Options two = options(1s);
  two.count = 2;
  HeartbeatClient client(two);
  const auto first = client.poll_heartbeat(kStart);
  EXPECT_TRUE(client.on_answer(kStart, arrived(kStart), answer_to(*first)));
  const auto second = client.poll_heartbeat(kStart + 1s);
  EXPECT_FALSE(client.poll_heartbeat(kStart + 9s));
  EXPECT_FALSE(client.done());
  EXPECT_TRUE(client.on_answer(kStart + 1s, arrived(kStart + 1s), answer_to(*second)));
  EXPECT_TRUE(client.done());
  EXPECT_FALSE(client.deadline());
}

TEST(HeartbeatClient, DoneComesWithoutTheLastAnswerAsWell) {
  HeartbeatClient::Options one = options(1s);
  one.count = 1;
  HeartbeatClient client(one);
  (void)client.poll_heartbeat(kStart);
  client.on_timer(kStart + 3999ms);
  EXPECT_FALSE(client.done());
  client.on_timer(kStart + 4s);
  EXPECT_TRUE(client.done());
  EXPECT_EQ(client.idle().lost, 1U);
}

// 1 us apart, four million would be outstanding when the first one is given up.
TEST(HeartbeatClient, OutstandingHeartbeatsAreBoundedAndTheOldestIsGivenUp) {
  HeartbeatClient client(options(1us));
  const auto first = client.poll_heartbeat(kStart);
  for (int i = 1; i < 10'000; ++i) ASSERT_TRUE(client.poll_heartbeat(kStart + i * 1us));
  const auto last = client.poll_heartbeat(kStart + 10ms);
  EXPECT_FALSE(client.on_answer(kStart + 10ms, arrived(kStart + 10ms), answer_to(*first)));
  EXPECT_TRUE(client.on_answer(kStart + 10ms, arrived(kStart + 10ms), answer_to(*last)));
  EXPECT_GE(client.idle().lost, 5000U);
}

}  // namespace heartbeat_client_test
}  // namespace wyndrvr::engine
