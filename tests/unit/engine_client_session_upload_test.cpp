// An upload, from the plan to the end of the run.
#include <gtest/gtest.h>

#include "unit/engine_client_session_support.hpp"

namespace wyndrvr::engine {
namespace client_session_upload_test {

using namespace testing;

class ClientUploadTest : public ClientSessionTest {};

TEST_F(ClientUploadTest, UploadWithoutAnAnswerOnItsPortFails) {
  make_upload();
  open();
  (void)tell(PortKind::kControl, PortProven{});
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 10s)), 3U);
  EXPECT_TRUE(find<Finish>(drain()));
  expect_problem(ProblemCode::kPortUnproven);
}

TEST_F(ClientUploadTest, UploadDoesNotWaitForTheDownloadPort) {
  make_upload();
  open();
  (void)tell(PortKind::kControl, PortProven{true});
  const Effects all = tell(PortKind::kUpload, PortProven{true});
  ASSERT_EQ(count_posts<StartTest>(all), 1U);
  EXPECT_EQ(find<Post>(all)->to, PortKind::kControl);
}

TEST_F(ClientUploadTest, PlanIsWhatWasAskedForOnAChannelOfItsOwn) {
  config.upload = UploadRequest{.duration = 7s, .payload_bytes = 500};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    session.emplace(config, kStart, seed);
    const TestPlan plan = start();
    EXPECT_EQ(plan.duration, 7s);
    EXPECT_EQ(plan.payload_bytes, 500U);
    EXPECT_NE(plan.channel.value, 99U);
    EXPECT_GE(plan.channel.value, 1U);
    EXPECT_LE(plan.channel.value, ChannelId::kMax);
  }
}

TEST_F(ClientUploadTest, OnlyAServerThatKnowsOurExtensionsIsAskedForProgress) {
  make_upload();
  EXPECT_TRUE(start(true).ask_progress);
  make_upload();
  EXPECT_FALSE(start(false).ask_progress);
}

TEST_F(ClientUploadTest, WholeUploadGoesToItsEnd) {
  make_upload();
  const TestPlan plan = start();
  Effects all = tell(PortKind::kControl, TestStarted{plan.channel, kStart, 10s});
  EXPECT_EQ(count_reports<TestBegun>(all), 1U);
  EXPECT_EQ(count_posts<SetLoaded>(all), 3U);
  EXPECT_EQ(count_reports<TestDraining>(wait_until(kStart + 10s)), 0U) << "a moment's patience";
  EXPECT_EQ(count_reports<TestDraining>(wait_until(kStart + 10'300ms)), 1U);

  all = tell(PortKind::kControl, ResultArrived{result()}, kStart + 10'400ms);
  EXPECT_EQ(count_posts<Quiet>(all), 3U);
  EXPECT_EQ(count_reports<TestResultArrived>(all), 1U);
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 15'400ms - 1ns)), 0U) << "still acknowledging";
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 15'400ms)), 3U);

  PortReport report;
  report.sender.emplace().packets = 101;
  session->on_message(kStart + 15'500ms, PortKind::kUpload, report);
  EXPECT_FALSE(session->finished());
  EXPECT_TRUE(find<Finish>(drain(kStart + 15'500ms)));
  ASSERT_EQ(session->result().tests.size(), 1U);
  const TestOutcome& test = session->result().tests[0];
  EXPECT_TRUE(session->result().valid);
  EXPECT_TRUE(test.has_result);
  EXPECT_EQ(test.sender.packets, 101U);
  EXPECT_EQ(test.bytes_received, 93'700U);
  ASSERT_TRUE(test.receiver);
  EXPECT_EQ(test.receiver->lost(), 2U);
}

TEST_F(ClientUploadTest, ResultMayComeBeforeTheClientsOwnClockHasRunOut) {
  make_upload();
  (void)run();
  EXPECT_EQ(count_posts<Quiet>(tell(PortKind::kControl, ResultArrived{result()}, kStart + 9s)), 3U);
  EXPECT_EQ(count_reports<TestDraining>(wait_until(kStart + 11s)), 0U);
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 14s)), 3U);
}

TEST_F(ClientUploadTest, OriginalServersResultIsTakenWithANote) {
  make_upload();
  (void)run();
  wire::TestResult plain = result();
  plain.detail.reset();
  (void)tell(PortKind::kControl, ResultArrived{plain});
  (void)wait_until(kStart + 5s);
  (void)drain();
  EXPECT_TRUE(session->result().tests[0].has_result);
  EXPECT_FALSE(session->result().tests[0].receiver);
  expect_problem(ProblemCode::kNoReceiverDetail, true);
}

TEST_F(ClientUploadTest, DetailThatContradictsItselfIsNotTaken) {
  wire::TestResult more_than_sent = result();
  more_than_sent.detail->highest = 97;
  wire::TestResult other_sum = result();
  other_sum.detail->duplicate = 3;
  wire::TestResult endless = result();
  endless.detail->first_to_last_ns = UINT64_MAX;
  for (const wire::TestResult& odd : {more_than_sent, other_sum, endless}) {
    make_upload();
    (void)run();
    (void)tell(PortKind::kControl, ResultArrived{odd});
    (void)wait_until(kStart + 5s);
    (void)drain();
    EXPECT_FALSE(session->result().tests[0].receiver);
    EXPECT_EQ(session->result().tests[0].bytes_received, 93'700U);
  }
}

TEST_F(ClientUploadTest, ProgressMakesTheIntervalsAndOldOnesAreIgnored) {
  make_upload();
  const TestPlan plan = run();
  ReceiverTotals totals;
  totals.elapsed = 1s;
  totals.packets = 10;
  totals.bytes = 9370;
  EXPECT_EQ(
      count_reports<TestProgress>(tell(PortKind::kControl, ReceiverProgress{plan.channel, totals})),
      1U);
  EXPECT_TRUE(tell(PortKind::kControl, ReceiverProgress{plan.channel, totals}).empty());
  (void)tell(PortKind::kControl, ResultArrived{result()});
  (void)wait_until(kStart + 5s);
  (void)drain();
  const auto& intervals = session->result().tests[0].intervals;
  ASSERT_EQ(intervals.size(), 2U);
  EXPECT_EQ(intervals[0].bytes + intervals[1].bytes, 93'700U);
}

TEST_F(ClientUploadTest, WhatDrainsAfterTheTestIsTheLastIntervals) {
  make_upload();
  const TestPlan plan = run();
  ReceiverTotals totals;
  for (const Duration elapsed : {9000ms, 10'000ms, 10'100ms}) {
    totals.elapsed = elapsed;
    totals.packets += 30;
    totals.bytes += 28'110;
    (void)tell(PortKind::kControl, ReceiverProgress{plan.channel, totals});
  }
  (void)tell(PortKind::kControl, ResultArrived{result()});
  (void)wait_until(kStart + 5s);
  (void)drain();
  const auto& intervals = session->result().tests[0].intervals;
  ASSERT_EQ(intervals.size(), 2U);
  EXPECT_EQ(intervals[1].end, 10s);
  EXPECT_EQ(intervals[1].packets, 70U);
}

TEST_F(ClientUploadTest, ShorterGrantIsAProblemButValid) {
  make_upload();
  const TestPlan plan = start();
  (void)tell(PortKind::kControl, TestStarted{plan.channel, kStart, 4s});
  expect_problem(ProblemCode::kReceiverShrunk, true);
  EXPECT_EQ(count_reports<TestDraining>(wait_until(kStart + 5s)), 1U);
}

TEST_F(ClientUploadTest, FailedTestsEndTheRunWithTheirCause) {
  for (const ProblemCode code : {ProblemCode::kNoAcknowledgement, ProblemCode::kNoResult}) {
    make_upload();
    (void)run();
    EXPECT_EQ(count_posts<Drain>(tell(PortKind::kControl, TestFailed{code})), 3U);
    EXPECT_TRUE(find<Finish>(drain()));
    expect_problem(code);
  }
}

TEST_F(ClientUploadTest, SilenceWhileLingeringIsNoProblem) {
  make_upload();
  (void)run();
  (void)tell(PortKind::kControl, ResultArrived{result()});
  for (const PortKind port : kPortKinds) (void)tell(port, PortSilent{});
  EXPECT_TRUE(session->result().valid);
}

TEST_F(ClientUploadTest, StopWhileLingeringKeepsTheResult) {
  make_upload();
  (void)run();
  (void)tell(PortKind::kControl, ResultArrived{result()});
  session->stop(kStart + 11s);
  EXPECT_TRUE(find<Finish>(drain()));
  EXPECT_TRUE(session->result().valid);
  EXPECT_TRUE(session->result().tests[0].has_result);
}

}  // namespace client_session_upload_test
}  // namespace wyndrvr::engine
