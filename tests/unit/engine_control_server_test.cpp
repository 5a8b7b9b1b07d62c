#include <cmath>
#include <optional>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "base/uuid.hpp"
#include "engine/control_server.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace control_server_test {

using namespace testing;
using wire::DropReason;

constexpr ChannelId kChannel{4711};
constexpr std::uint32_t kKey = 99;

wire::Bwup request(double seconds = 10, ChannelId channel = kChannel) {
  return {channel, seconds, std::nullopt};
}

ReceiverTotals some_totals() {
  ReceiverTotals totals;
  totals.packets = 1000;
  totals.bytes = 937'000;
  totals.unique = 990;
  totals.duplicate = 10;
  totals.expected = 1001;
  totals.retransmitted = 7;
  totals.first_to_last = 9900ms;
  totals.elapsed = 9950ms;
  return totals;
}

class ControlServerTest : public ::testing::Test {
 protected:
  void run(const wire::Bwup& bwup = {kChannel, 10, 250}) {
    EXPECT_TRUE(server.on_request(bwup, mail));
    server.on_port_ready(kChannel);
    EXPECT_TRUE(server.poll(kStart, mail));
    (void)take_all(mail);
  }
  void finish(Instant now) { server.on_finished(now, {kChannel, some_totals()}); }
  wire::TestResult next_result(Instant now) {
    const auto packet = server.poll(now, mail);
    return std::get<wire::TestResult>(packet.value());
  }

  Mail mail{Mailbox::kControl};
  ControlServer server{{.resend_interval = 100ms,
                        .max_test_duration = 60s,
                        .heartbeat_key = kKey,
                        .trace = false,
                        .seed = 7}};
};

TEST_F(ControlServerTest, FirstBwupAsksForTheReceiver) {
  EXPECT_FALSE(server.channel());
  ASSERT_TRUE(server.on_request({kChannel, 10, 250}, mail));
  const auto posted = take_all(mail);
  ASSERT_EQ(posted.size(), 1U);
  EXPECT_EQ(posted[0].to, Mailbox::kUpload);
  const TestPlan plan = std::get<StartTest>(posted[0].message).plan;
  EXPECT_EQ(plan.channel, kChannel);
  EXPECT_EQ(plan.duration, 10s);
  EXPECT_EQ(plan.progress_interval, 250ms);
  EXPECT_EQ(server.channel(), kChannel);
}

TEST_F(ControlServerTest, AcknowledgementsWaitUntilTheReceiverIsThere) {
  EXPECT_TRUE(server.on_request(request(), mail));
  EXPECT_TRUE(server.on_request(request(), mail));
  EXPECT_FALSE(server.poll(kStart, mail));
  server.on_port_ready({5});
  EXPECT_FALSE(server.poll(kStart, mail)) << "that was another channel's";
  server.on_port_ready(kChannel);
  EXPECT_TRUE(server.poll(kStart, mail));
  EXPECT_TRUE(server.poll(kStart, mail));
  EXPECT_FALSE(server.poll(kStart, mail)) << "one for each BWUP";
}

TEST_F(ControlServerTest, EveryBwupGetsOneAcknowledgementWithTheSameUid) {
  run();
  std::optional<wire::IdText> uid;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(server.on_request(request(), mail));
    const auto packet = server.poll(kStart + 1s, mail);
    const auto acknowledgement = std::get<wire::BwupAck>(packet.value());
    EXPECT_EQ(acknowledgement.channel, kChannel);
    EXPECT_DOUBLE_EQ(acknowledgement.duration_s, 10);
    EXPECT_TRUE(base::parse_uuid(acknowledgement.uid.view()));
    EXPECT_EQ(uid.value_or(acknowledgement.uid), acknowledgement.uid);
    uid = acknowledgement.uid;
    EXPECT_FALSE(server.poll(kStart + 1s, mail));
  }
}

TEST_F(ControlServerTest, GoComesWithTheFirstAcknowledgementAndOnlyThen) {
  EXPECT_TRUE(server.on_request(request(), mail));
  server.on_port_ready(kChannel);
  EXPECT_EQ(count_of<Go>(take_all(mail)), 0U);
  EXPECT_TRUE(server.poll(kStart + 5ms, mail));
  const auto posted = take_all(mail);
  EXPECT_EQ(only<Go>(posted), (Go{kChannel, kStart + 5ms, 10s}));
  EXPECT_EQ(only<TestStarted>(posted), (TestStarted{kChannel, kStart + 5ms, 10s}));
  EXPECT_TRUE(server.on_request(request(), mail));
  EXPECT_TRUE(server.poll(kStart + 1s, mail));
  EXPECT_TRUE(mail.empty()) << "the clock does not start again";
}

TEST_F(ControlServerTest, ClientThatAskedForProgressIsOneOfOurs) {
  for (const std::optional<std::uint32_t> progress :
       {std::optional<std::uint32_t>(), std::optional<std::uint32_t>(1)}) {
    ControlServer other({.heartbeat_key = kKey});
    EXPECT_TRUE(other.on_request({kChannel, 10, progress}, mail));
    other.on_port_ready(kChannel);
    EXPECT_TRUE(other.poll(kStart, mail));
    EXPECT_EQ(only<TestStarted>(take_all(mail))->extended, progress.has_value());
  }
}

TEST_F(ControlServerTest, SecondChannelIsRefused) {
  run();
  EXPECT_EQ(server.on_request(request(10, {4712}), mail).error(), DropReason::kWrongChannel);
  EXPECT_FALSE(server.poll(kStart, mail));
  EXPECT_EQ(server.channel(), kChannel);
}

TEST_F(ControlServerTest, HeartbeatKeyIsNoTestChannel) {
  EXPECT_EQ(server.on_request(request(10, {kKey}), mail).error(), DropReason::kWrongChannel);
  EXPECT_FALSE(server.channel());
}

TEST_F(ControlServerTest, LongTestsAreGrantedTheMaximum) {
  EXPECT_TRUE(server.on_request(request(1e5), mail));
  server.on_port_ready(kChannel);
  EXPECT_DOUBLE_EQ(std::get<wire::BwupAck>(server.poll(kStart, mail).value()).duration_s, 60);
  EXPECT_EQ(only<Go>(take_all(mail))->duration, 60s);
}

// 1e-300 s is a valid number and no time at all: neither the grant nor the rate may break.
TEST_F(ControlServerTest, TestOfNoLengthGivesFiniteFigures) {
  EXPECT_TRUE(server.on_request(request(1e-300), mail));
  server.on_port_ready(kChannel);
  EXPECT_GT(std::get<wire::BwupAck>(server.poll(kStart, mail).value()).duration_s, 0);
  server.on_finished(kStart, {kChannel, {}});
  const wire::TestResult result = next_result(kStart);
  EXPECT_TRUE(std::isfinite(result.bandwidth_bps));
  EXPECT_GT(result.duration_s, 0);
}

TEST_F(ControlServerTest, OwedAcknowledgementsAreBounded) {
  EXPECT_TRUE(server.on_request(request(), mail));
  int taken = 1;
  while (taken < 1000 && server.on_request(request(), mail)) ++taken;
  EXPECT_LT(taken, 100);
  EXPECT_EQ(server.on_request(request(), mail).error(), DropReason::kQueueFull);
}

TEST_F(ControlServerTest, ResultSaysWhatWasReceived) {
  run();
  finish(kStart + 10s);
  const wire::TestResult result = next_result(kStart + 10s);
  EXPECT_EQ(result.channel, kChannel);
  EXPECT_EQ(result.bytes_received, 937'000U);
  EXPECT_EQ(result.packet_count, 1000U);
  EXPECT_EQ(result.retransmit_count, 7U);
  EXPECT_DOUBLE_EQ(result.duration_s, 10);
  EXPECT_DOUBLE_EQ(result.bandwidth_bps, 749'600);
  ASSERT_TRUE(result.detail);
  EXPECT_EQ(result.detail->unique, 990U);
  EXPECT_EQ(result.detail->highest, 1001U);
  EXPECT_EQ(result.detail->first_to_last_ns, 9'900'000'000U);
}

TEST_F(ControlServerTest, ClientThatDidNotAskForProgressGetsTheOriginalsResult) {
  run(request());
  finish(kStart + 10s);
  EXPECT_FALSE(next_result(kStart + 10s).detail);
}

TEST_F(ControlServerTest, RateIsNotFlatteredByWhatArrivedAfterTheEnd) {
  run();
  ReceiverTotals late = some_totals();
  late.elapsed = 12'500ms;
  server.on_finished(kStart + 12'600ms, {kChannel, late});
  const wire::TestResult result = next_result(kStart + 12'600ms);
  EXPECT_DOUBLE_EQ(result.duration_s, 12.5);
  EXPECT_DOUBLE_EQ(result.bandwidth_bps, 8 * 937'000 / 12.5);
}

TEST_F(ControlServerTest, ResultIsResentEveryIntervalWithTheSameGuidUntilAcknowledged) {
  run();
  finish(kStart);
  std::vector<wire::TestResult> sent;
  for (Instant now = kStart; now < kStart + 1s; now += 1ms) {
    const auto packet = server.poll(now, mail);
    if (packet) sent.push_back(std::get<wire::TestResult>(*packet));
  }
  ASSERT_EQ(sent.size(), 10U);
  for (const wire::TestResult& result : sent) EXPECT_EQ(result, sent[0]);
  EXPECT_TRUE(server.on_acknowledgement({sent[0].guid}, mail));
  EXPECT_FALSE(server.poll(kStart + 2s, mail));
  EXPECT_FALSE(server.deadline());
  EXPECT_EQ(only<ResultDelivered>(take_all(mail))->totals, some_totals());
}

TEST_F(ControlServerTest, AcknowledgementOfAnotherGuidDeliversNothing) {
  run();
  EXPECT_EQ(server.on_acknowledgement({}, mail).error(), DropReason::kNoTest);
  finish(kStart);
  wire::TestResultAck other;
  other.guid = wire::IdText::from("6f3c1d1e-0000-4000-8000-000000000000").value();
  EXPECT_FALSE(server.on_acknowledgement(other, mail));
  EXPECT_TRUE(mail.empty());
  EXPECT_TRUE(server.poll(kStart, mail)) << "it goes on sending";
}

TEST_F(ControlServerTest, SecondAcknowledgementIsADuplicate) {
  run();
  finish(kStart);
  const wire::TestResult result = next_result(kStart);
  EXPECT_TRUE(server.on_acknowledgement({result.guid}, mail));
  EXPECT_EQ(server.on_acknowledgement({result.guid}, mail).error(), DropReason::kDuplicate);
  EXPECT_EQ(count_of<ResultDelivered>(take_all(mail)), 1U);
}

TEST_F(ControlServerTest, ResultIsGivenUpAfterSixtySeconds) {
  run();
  finish(kStart);
  server.on_timer(kStart + 60s - 1ns, mail);
  EXPECT_TRUE(mail.empty());
  server.on_timer(kStart + 60s, mail);
  EXPECT_TRUE(only<TestFailed>(take_all(mail)));
  EXPECT_FALSE(server.poll(kStart + 61s, mail));
  EXPECT_FALSE(server.deadline());
}

TEST_F(ControlServerTest, BwupAfterTheTestIsADuplicate) {
  run();
  finish(kStart);
  EXPECT_EQ(server.on_request(request(), mail).error(), DropReason::kDuplicate);
}

TEST_F(ControlServerTest, ProgressIsPassedOnOnceAndTheNewestWins) {
  run();
  ReceiverTotals totals = some_totals();
  server.on_progress({kChannel, totals});
  totals.packets = 1001;
  server.on_progress({kChannel, totals});
  const auto packet = server.poll(kStart, mail);
  EXPECT_EQ(std::get<wire::Progress>(packet.value()).packets, 1001U);
  EXPECT_EQ(std::get<wire::Progress>(packet.value()).elapsed_ns, 9'950'000'000U);
  EXPECT_FALSE(server.poll(kStart, mail));
}

TEST_F(ControlServerTest, ProgressOutsideOfTheTestIsNotPassedOn) {
  server.on_progress({kChannel, some_totals()});
  run();
  server.on_progress({{5}, some_totals()});
  EXPECT_FALSE(server.poll(kStart, mail));
  finish(kStart);
  server.on_progress({kChannel, some_totals()});
  EXPECT_TRUE(std::holds_alternative<wire::TestResult>(server.poll(kStart, mail).value()));
}

}  // namespace control_server_test
}  // namespace wyndrvr::engine
