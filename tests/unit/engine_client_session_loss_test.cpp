// What the client makes of losses: a port's loop on this host, or a part of the server.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "unit/engine_client_session_support.hpp"

namespace wyndrvr::engine {
namespace client_session_loss_test {

using namespace testing;

class ClientLossTest : public ClientSessionTest {
 protected:
  static constexpr std::string_view kEnded = "ENDED 99 upload worker (pid 42) was killed";

  Effects lose(PortKind port, Instant now = kStart) {
    session->on_port_lost(now, port, cause_of(port));
    return effects();
  }
  static std::string cause_of(PortKind port) { return std::string(name(port)) + " is gone"; }
  static bool posted_to(const Effects& all, PortKind port) {
    return std::ranges::any_of(all, [port](const ClientSessionEffect& effect) {
      const auto* post = std::get_if<Post>(&effect);
      return post != nullptr && post->to == port;
    });
  }
  [[nodiscard]] std::size_t problem_count() const { return session->result().problems.size(); }
};

TEST_F(ClientLossTest, LossInAnUploadEndsItAtOnceWithTheCause) {
  for (const PortKind port : kPortKinds) {
    make_upload();
    (void)run();
    const Effects all = lose(port, kStart + 2s);
    EXPECT_EQ(count_reports<PortLost>(all), 1U);
    EXPECT_EQ(count_posts<Drain>(all), 2U) << "nobody is left to drain the third";
    EXPECT_FALSE(posted_to(all, port));
    expect_problem(ProblemCode::kWorkerLost);
    EXPECT_EQ(session->result().problems[0].message, cause_of(port));
    EXPECT_EQ(session->result().duration, 2s);
  }
}

TEST_F(ClientLossTest, EndOfALostUploadWaitsForTheOtherTwoPortsOnly) {
  make_upload();
  (void)run();
  (void)lose(PortKind::kUpload);
  EXPECT_FALSE(find<Finish>(tell(PortKind::kControl, PortReport{})));
  EXPECT_TRUE(find<Finish>(tell(PortKind::kDownload, PortReport{})));
  EXPECT_FALSE(session->result().ports[index_of(PortKind::kUpload)]);
  EXPECT_TRUE(session->result().ports[index_of(PortKind::kControl)]);
}

TEST_F(ClientLossTest, WhatTheLostSenderHadSentIsStillTold) {
  make_upload();
  const TestPlan plan = run();
  SenderTotals totals;
  totals.packets = 55;
  (void)tell(PortKind::kUpload, SenderProgress{plan.channel, totals});
  (void)lose(PortKind::kUpload);
  (void)drain();
  ASSERT_EQ(session->result().tests.size(), 1U);
  EXPECT_EQ(session->result().tests[0].sender.packets, 55U);
  EXPECT_FALSE(session->result().tests[0].has_result);
}

TEST_F(ClientLossTest, LossBeforeTheTestEndsAnUploadAsWell) {
  make_upload();
  open();
  EXPECT_EQ(count_posts<Drain>(lose(PortKind::kDownload)), 2U);
  expect_problem(ProblemCode::kWorkerLost);
}

TEST_F(ClientLossTest, LossWhilePortsAreOpenedEndsAnUpload) {
  make_upload();
  (void)main_says("7000,7001,7002,99");
  EXPECT_TRUE(find<Finish>(lose(PortKind::kControl)));
  expect_problem(ProblemCode::kWorkerLost);
}

TEST_F(ClientLossTest, OtherPortsOfALatencyRunGoOn) {
  config.latency_duration = 3s;
  make();
  open();
  const Effects lost = lose(PortKind::kUpload);
  EXPECT_EQ(count_reports<PortLost>(lost), 1U);
  EXPECT_EQ(count_posts<Drain>(lost), 0U);
  expect_problem(ProblemCode::kWorkerLost);
  EXPECT_EQ(count_reports<LatencySample>(tell(PortKind::kControl, HeartbeatSample{})), 1U);
  const Effects over = wait_until(kStart + 3s);
  EXPECT_EQ(count_posts<Quiet>(over), 2U);
  EXPECT_FALSE(posted_to(over, PortKind::kUpload));
  (void)tell(PortKind::kControl, HeartbeatsDone{});
  const Effects all = tell(PortKind::kDownload, HeartbeatsDone{});
  EXPECT_EQ(count_posts<Drain>(all), 2U);
  EXPECT_FALSE(posted_to(all, PortKind::kUpload));
  (void)tell(PortKind::kControl, PortReport{});
  EXPECT_TRUE(find<Finish>(tell(PortKind::kDownload, PortReport{})));
  EXPECT_EQ(problem_count(), 1U);
}

TEST_F(ClientLossTest, LostPortIsNotCalledUnproven) {
  make();
  open();
  (void)tell(PortKind::kControl, PortProven{});
  (void)lose(PortKind::kUpload);
  (void)wait_until(kStart + ClientSession::kPortsTimeout);
  ASSERT_EQ(problem_count(), 2U);
  EXPECT_EQ(session->result().problems[1].code, ProblemCode::kPortUnproven);
  EXPECT_NE(session->result().problems[1].message.find("DOWNLOAD"), std::string::npos);
}

TEST_F(ClientLossTest, LostPortIsNotWaitedForByACountedRun) {
  config.heartbeat_count = 3;
  make();
  open();
  (void)tell(PortKind::kControl, HeartbeatsDone{});
  (void)lose(PortKind::kUpload);
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kDownload, HeartbeatsDone{})), 2U);

  make();
  open();
  (void)tell(PortKind::kControl, HeartbeatsDone{});
  (void)tell(PortKind::kDownload, HeartbeatsDone{});
  EXPECT_EQ(count_posts<Drain>(lose(PortKind::kUpload)), 2U) << "it was the last one";
}

TEST_F(ClientLossTest, LostPortCountsAsSilent) {
  make();
  open();
  (void)tell(PortKind::kControl, PortSilent{});
  (void)lose(PortKind::kUpload);
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kDownload, PortSilent{})), 2U);
  expect_problem(ProblemCode::kServerSilent);

  make();
  open();
  (void)tell(PortKind::kControl, PortSilent{});
  (void)tell(PortKind::kDownload, PortSilent{});
  EXPECT_EQ(count_posts<Drain>(lose(PortKind::kUpload)), 2U);
  expect_problem(ProblemCode::kServerSilent);
}

TEST_F(ClientLossTest, RunWithoutPortsEndsAtOnce) {
  make();
  open();
  (void)lose(PortKind::kControl);
  (void)lose(PortKind::kUpload);
  EXPECT_FALSE(session->finished());
  const Effects all = lose(PortKind::kDownload);
  EXPECT_TRUE(find<Finish>(all));
  EXPECT_EQ(count_posts<Drain>(all), 0U);
  EXPECT_EQ(problem_count(), 3U) << "one for each port, and no other";
  EXPECT_FALSE(session->poll_deadline());
}

TEST_F(ClientLossTest, LateMessagesOfALostPortAreIgnored) {
  make();
  open();
  (void)lose(PortKind::kUpload);
  EXPECT_TRUE(tell(PortKind::kUpload, PortProven{}).empty());
  EXPECT_TRUE(tell(PortKind::kUpload, HeartbeatSample{}).empty());
  (void)tell(PortKind::kUpload, PortReport{});
  EXPECT_FALSE(session->result().ports[index_of(PortKind::kUpload)]);
}

TEST_F(ClientLossTest, SecondLossOfOnePortChangesNothing) {
  make();
  open();
  (void)lose(PortKind::kUpload);
  EXPECT_TRUE(lose(PortKind::kUpload).empty());
  EXPECT_EQ(problem_count(), 1U);
}

TEST_F(ClientLossTest, LossAfterTheResultOfAPortThatSentNothingLeavesItValid) {
  make_upload();
  (void)run();
  (void)tell(PortKind::kControl, ResultArrived{result()});
  const Effects all = lose(PortKind::kDownload);
  EXPECT_EQ(count_reports<PortLost>(all), 1U);
  EXPECT_EQ(count_posts<Drain>(all), 0U) << "repeats are still acknowledged";
  expect_problem(ProblemCode::kWorkerLost, true);
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + ClientSession::kLinger)), 2U);
}

TEST_F(ClientLossTest, LossOfTheSenderBeforeItsLastFiguresMakesTheResultInvalid) {
  make_upload();
  (void)run();
  (void)tell(PortKind::kControl, ResultArrived{result()});
  (void)lose(PortKind::kUpload);
  expect_problem(ProblemCode::kWorkerLost, false);
}

TEST_F(ClientLossTest, LossOfTheLastPortThatDrainsEndsTheRun) {
  make();
  open();
  session->stop(kStart);
  (void)effects();
  (void)tell(PortKind::kControl, PortReport{});
  (void)tell(PortKind::kUpload, PortReport{});
  const Effects all = lose(PortKind::kDownload);
  EXPECT_TRUE(find<Finish>(all));
  EXPECT_EQ(count_reports<PortLost>(all), 1U);
  expect_problem(ProblemCode::kWorkerLost, true);
}

TEST_F(ClientLossTest, LossAfterAPortsLastWordsIsNoProblem) {
  make();
  open();
  session->stop(kStart);
  (void)effects();
  (void)tell(PortKind::kControl, PortReport{});
  EXPECT_EQ(count_reports<PortLost>(lose(PortKind::kControl)), 1U);
  EXPECT_EQ(problem_count(), 0U);
  EXPECT_TRUE(session->result().ports[index_of(PortKind::kControl)]);
}

TEST_F(ClientLossTest, LossAfterTheEndIsNoNews) {
  make();
  open();
  session->stop(kStart);
  EXPECT_TRUE(find<Finish>(drain()));
  EXPECT_TRUE(lose(PortKind::kControl).empty());
  EXPECT_EQ(problem_count(), 0U);
}

// --- the server says so ---

TEST_F(ClientLossTest, EndedEndsTheRunWithTheServersWords) {
  make_upload();
  (void)run();
  EXPECT_EQ(count_posts<Drain>(main_says(kEnded, kStart + 1s)), 3U);
  expect_problem(ProblemCode::kServerFailed);
  EXPECT_EQ(session->result().problems[0].message,
            "the server ended the session: upload worker (pid 42) was killed");
  EXPECT_TRUE(main_says(kEnded, kStart + 1200ms).empty()) << "its repetition";
  EXPECT_EQ(problem_count(), 1U);
}

TEST_F(ClientLossTest, EndedIsBelievedWhileTheResultIsAwaited) {
  make_upload();
  (void)run();
  (void)wait_until(kStart + 11s);
  EXPECT_EQ(count_posts<Drain>(main_says(kEnded, kStart + 11s)), 3U);
}

TEST_F(ClientLossTest, EndedOfOthersIsIgnored) {
  const Endpoint other = endpoint("192.0.2.10", 6711);
  config.servers = {kMain, other};
  make_upload();
  (void)run();
  EXPECT_TRUE(main_says("ENDED 98 a guess", kStart).empty()) << "another key";
  EXPECT_TRUE(main_says(kEnded, kStart, kStrangerEnd).empty());
  EXPECT_TRUE(main_says(kEnded, kStart, other).empty()) << "a candidate, but not the one";
  EXPECT_EQ(problem_count(), 0U);
}

TEST_F(ClientLossTest, EndedBeforeThePortsAreOpenIsIgnored) {
  make();
  (void)effects();
  EXPECT_TRUE(main_says(kEnded).empty());
  (void)main_says("7000,7001,7002,99");
  EXPECT_TRUE(main_says(kEnded).empty());
}

TEST_F(ClientLossTest, EndedAfterTheResultIsIgnored) {
  make_upload();
  (void)run();
  (void)tell(PortKind::kControl, ResultArrived{result()});
  EXPECT_TRUE(main_says(kEnded).empty());
  EXPECT_TRUE(session->result().valid);
}

TEST_F(ClientLossTest, AssignmentMayBeWithdrawnUntilAPortHasAnswered) {
  make();
  (void)main_says("7000,7001,7002,99");
  EXPECT_TRUE(find<Finish>(main_says("REFUSED cannot start workers")));
  expect_problem(ProblemCode::kRefused);

  make();
  open();
  const Effects all = main_says("REFUSED cannot start workers");
  EXPECT_EQ(count_reports<Refused>(all), 1U);
  EXPECT_EQ(count_posts<Drain>(all), 3U);
  expect_problem(ProblemCode::kRefused);
}

TEST_F(ClientLossTest, AssignmentIsNotWithdrawnOnceAPortHasAnswered) {
  make();
  open();
  (void)tell(PortKind::kDownload, PortProven{});
  EXPECT_TRUE(main_says("REFUSED cannot start workers").empty());
  EXPECT_EQ(problem_count(), 0U);
}

TEST_F(ClientLossTest, AssignmentIsNotWithdrawnByAnotherServer) {
  const Endpoint other = endpoint("192.0.2.10", 6711);
  config.servers = {kMain, other};
  make();
  open();
  EXPECT_TRUE(main_says("REFUSED server full", kStart, other).empty());
  EXPECT_EQ(session->result().server, kMain);
}

}  // namespace client_session_loss_test
}  // namespace wyndrvr::engine
