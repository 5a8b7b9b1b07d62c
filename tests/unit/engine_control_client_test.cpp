#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/control_client.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace control_client_test {

using namespace testing;
using wire::DropReason;

constexpr ChannelId kChannel{4711};

wire::IdText id(std::string_view text) {
  return wire::IdText::from(text).value();
}

wire::ControlBody granted(double seconds, ChannelId channel = kChannel) {
  return wire::BwupAck{channel, seconds, id("u-1")};
}

wire::TestResultBody result(std::string_view guid, ChannelId channel = kChannel) {
  wire::TestResult body;
  body.guid = id(guid);
  body.channel = channel;
  body.duration_s = 10;
  return body;
}

class ControlClientTest : public ::testing::Test {
 protected:
  ControlClientTest() {
    plan.channel = kChannel;
    plan.duration = 10s;
    plan.payload_bytes = 900;
    plan.progress_interval = 1s;
    plan.ask_progress = true;
  }
  // Until BWUP may leave.
  void prepare() {
    client.start(plan, mail);
    (void)take_all(mail);
    client.on_port_ready(kStart, kChannel);
  }
  // Until the test runs.
  void run(double granted_seconds = 10) {
    prepare();
    (void)client.poll(kStart, mail);
    EXPECT_TRUE(client.on_control(kStart, granted(granted_seconds), mail));
  }

  TestPlan plan;
  Mail mail{Mailbox::kControl};
  ControlClient client{100ms, false};
};

TEST_F(ControlClientTest, AsksForItsOwnSenderBeforeItAsksTheServer) {
  EXPECT_FALSE(client.channel());
  client.start(plan, mail);
  const auto posted = take_all(mail);
  ASSERT_EQ(posted.size(), 1U);
  EXPECT_EQ(posted[0].to, Mailbox::kUpload);
  EXPECT_EQ(std::get<StartTest>(posted[0].message).plan, plan);
  EXPECT_FALSE(client.poll(kStart, mail)) << "the sender is not there yet";
  client.on_port_ready(kStart, {1});
  EXPECT_FALSE(client.poll(kStart, mail)) << "that was another channel's";
  client.on_port_ready(kStart, kChannel);
  EXPECT_TRUE(client.poll(kStart, mail));
}

TEST_F(ControlClientTest, BwupCarriesThePlan) {
  prepare();
  const auto packet = client.poll(kStart, mail);
  EXPECT_EQ(std::get<wire::Bwup>(packet.value()), (wire::Bwup{kChannel, 10.0, 1000U}));
}

TEST_F(ControlClientTest, OriginalServerIsNotAskedForProgress) {
  plan.ask_progress = false;
  prepare();
  const auto packet = client.poll(kStart, mail);
  EXPECT_FALSE(std::get<wire::Bwup>(packet.value()).progress_ms);
}

TEST_F(ControlClientTest, BwupIsResentEveryIntervalUntilItIsAcknowledged) {
  prepare();
  std::vector<Instant> sent;
  for (Instant now = kStart; now < kStart + 1s; now += 1ms) {
    if (client.poll(now, mail)) sent.push_back(now);
    ASSERT_LE(client.deadline()->at, now + 100ms);
  }
  ASSERT_EQ(sent.size(), 10U);
  EXPECT_EQ(sent[9], kStart + 900ms);
  EXPECT_TRUE(client.on_control(kStart + 1s, granted(10), mail));
  EXPECT_FALSE(client.poll(kStart + 2s, mail));
}

TEST_F(ControlClientTest, AcknowledgementStartsTheClockOfBothHalves) {
  prepare();
  (void)client.poll(kStart, mail);
  ASSERT_TRUE(client.on_control(kStart + 42ms, granted(10), mail));
  const auto posted = take_all(mail);
  EXPECT_EQ(only<Go>(posted), (Go{kChannel, kStart + 42ms, 10s}));
  EXPECT_EQ(only<TestStarted>(posted), (TestStarted{kChannel, kStart + 42ms, 10s}));
}

TEST_F(ControlClientTest, RepeatedAcknowledgementDoesNotStartTheClockAgain) {
  run();
  (void)take_all(mail);
  EXPECT_EQ(client.on_control(kStart + 1s, granted(10), mail).error(), DropReason::kDuplicate);
  EXPECT_TRUE(mail.empty());
}

TEST_F(ControlClientTest, ShorterGrantIsHonoured) {
  run(2.5);
  EXPECT_EQ(only<Go>(take_all(mail))->duration, 2500ms);
}

TEST_F(ControlClientTest, LongerGrantIsNotTaken) {
  run(11);
  EXPECT_EQ(only<Go>(take_all(mail))->duration, 10s);
}

TEST_F(ControlClientTest, GrantBelowANanosecondStillIsATest) {
  run(1e-12);
  EXPECT_GT(only<TestStarted>(take_all(mail))->duration, 0ns);
}

TEST_F(ControlClientTest, AcknowledgementOfAnotherChannelIsIgnored) {
  prepare();
  (void)client.poll(kStart, mail);
  EXPECT_EQ(client.on_control(kStart, granted(10, {5}), mail).error(), DropReason::kWrongChannel);
  EXPECT_TRUE(mail.empty());
  EXPECT_TRUE(client.poll(kStart + 100ms, mail)) << "it goes on asking";
}

TEST_F(ControlClientTest, RequestFromTheServerIsRefused) {
  run();
  EXPECT_FALSE(client.on_control(kStart, wire::Bwup{kChannel, 10, std::nullopt}, mail));
}

TEST_F(ControlClientTest, WithoutAcknowledgementItGivesUpAfterTenSeconds) {
  prepare();
  client.on_timer(kStart + 10s - 1ns, mail);
  EXPECT_TRUE(mail.empty());
  client.on_timer(kStart + 10s, mail);
  EXPECT_EQ(only<TestFailed>(take_all(mail))->code, ProblemCode::kNoAcknowledgement);
  EXPECT_FALSE(client.poll(kStart + 11s, mail));
  EXPECT_FALSE(client.deadline());
}

TEST_F(ControlClientTest, WithoutResultItGivesUpTenSecondsAfterTheTestsEnd) {
  run();
  (void)take_all(mail);
  EXPECT_EQ(client.deadline()->at, kStart + 20s);
  client.on_timer(kStart + 20s - 1ns, mail);
  EXPECT_TRUE(mail.empty());
  client.on_timer(kStart + 20s, mail);
  EXPECT_EQ(only<TestFailed>(take_all(mail))->code, ProblemCode::kNoResult);
}

TEST_F(ControlClientTest, EveryResultIsAcknowledgedAndReportedOnce) {
  run();
  (void)take_all(mail);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.on_result(result("g-1"), mail));
    const auto packet = client.poll(kStart + 10s, mail);
    EXPECT_EQ(std::get<wire::TestResultAck>(packet.value()).guid, id("g-1"));
    EXPECT_FALSE(client.poll(kStart + 10s, mail)) << "one each";
  }
  EXPECT_TRUE(only<ResultArrived>(take_all(mail)));
}

TEST_F(ControlClientTest, ResultsThatCameTogetherAreEachAcknowledged) {
  run();
  EXPECT_TRUE(client.on_result(result("g-1"), mail));
  EXPECT_TRUE(client.on_result(result("g-2"), mail));
  EXPECT_EQ(std::get<wire::TestResultAck>(client.poll(kStart, mail).value()).guid, id("g-1"));
  EXPECT_EQ(std::get<wire::TestResultAck>(client.poll(kStart, mail).value()).guid, id("g-2"));
}

TEST_F(ControlClientTest, WaitingAcknowledgementsAreBounded) {
  run();
  int taken = 0;
  while (taken < 1000 && client.on_result(result("g-1"), mail)) ++taken;
  EXPECT_LT(taken, 100);
  EXPECT_EQ(client.on_result(result("g-1"), mail).error(), DropReason::kQueueFull);
}

TEST_F(ControlClientTest, ResultOfNoTestOrOfAnotherIsRefused) {
  prepare();
  EXPECT_EQ(client.on_result(result("g-1"), mail).error(), DropReason::kNoTest);
  EXPECT_TRUE(client.on_control(kStart, granted(10), mail));
  EXPECT_EQ(client.on_result(result("g-1", {5}), mail).error(), DropReason::kWrongChannel);
  EXPECT_FALSE(client.on_result(wire::TestResultAck{id("g-1")}, mail));
  EXPECT_FALSE(client.poll(kStart, mail));
}

TEST_F(ControlClientTest, ProgressGoesToTheSenderAndTheCoordinator) {
  run();
  (void)take_all(mail);
  wire::Progress progress;
  progress.channel = kChannel;
  progress.elapsed_ns = 1'000'000'000;
  progress.packets = 12;
  progress.unique = 11;
  progress.duplicate = 1;
  progress.highest = 14;
  ASSERT_TRUE(client.on_control(kStart + 1s, progress, mail));
  const auto posted = take_all(mail);
  ASSERT_EQ(count_of<ReceiverProgress>(posted), 2U);
  EXPECT_NE(posted[0].to, posted[1].to);
  const ReceiverTotals totals = std::get<ReceiverProgress>(posted[0].message).totals;
  EXPECT_EQ(totals.elapsed, 1s);
  EXPECT_EQ(totals.lost(), 3U);
}

TEST_F(ControlClientTest, ProgressBetweenTheSchedulesIsForTheSenderAlone) {
  run();
  (void)take_all(mail);
  wire::Progress progress;
  progress.channel = kChannel;
  std::vector<Duration> shown;
  int to_sender = 0;
  for (const Duration elapsed : {3ms, 999ms, 1003ms, 1006ms, 1999ms, 4500ms, 4999ms, 5000ms}) {
    progress.elapsed_ns = static_cast<std::uint64_t>(elapsed.count());
    progress.granted = ByteCount{progress.elapsed_ns};
    ASSERT_TRUE(client.on_control(kStart + elapsed, progress, mail));
    for (const Outgoing& posted : take_all(mail)) {
      const auto& told = std::get<ReceiverProgress>(posted.message);
      EXPECT_EQ(told.granted, ByteCount{progress.elapsed_ns});
      if (posted.to == Mailbox::kCoordinator) shown.push_back(told.totals.elapsed);
      to_sender += posted.to == Mailbox::kUpload ? 1 : 0;
    }
  }
  EXPECT_EQ(to_sender, 8);
  EXPECT_EQ(shown, (std::vector<Duration>{1003ms, 4500ms, 5000ms}));
}

TEST_F(ControlClientTest, ImpossibleProgressIsRefused) {
  run();
  (void)take_all(mail);
  wire::Progress progress;
  progress.channel = kChannel;
  progress.unique = 2;
  progress.highest = 1;
  EXPECT_EQ(client.on_control(kStart, progress, mail).error(), DropReason::kBadSequence);
  progress.highest = 2;
  progress.elapsed_ns = UINT64_MAX;
  EXPECT_EQ(client.on_control(kStart, progress, mail).error(), DropReason::kBadSequence);
  progress.elapsed_ns = 3'600'000'000'000;
  EXPECT_EQ(client.on_control(kStart, progress, mail).error(), DropReason::kBadSequence);
  progress.channel = {5};
  EXPECT_EQ(client.on_control(kStart, progress, mail).error(), DropReason::kWrongChannel);
  EXPECT_TRUE(mail.empty());
}

TEST_F(ControlClientTest, TraceTellsOfEachBwupAndOfTheAcknowledgement) {
  ControlClient traced(100ms, true);
  traced.start(plan, mail);
  traced.on_port_ready(kStart, kChannel);
  (void)traced.poll(kStart, mail);
  (void)traced.poll(kStart + 100ms, mail);
  EXPECT_TRUE(traced.on_control(kStart + 150ms, granted(10), mail));
  EXPECT_EQ(count_of<Trace>(take_all(mail)), 3U);
}

}  // namespace control_client_test
}  // namespace wyndrvr::engine
