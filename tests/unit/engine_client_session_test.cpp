#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/engine_client_session_support.hpp"

namespace wyndrvr::engine {
namespace client_session_test {

using namespace testing;

TEST_F(ClientSessionTest, ConnectsAtOnceFiveTimesOneSecondApartThenGivesUp) {
  make();
  EXPECT_EQ(find<SendMain>(effects())->to, kMain);
  for (int i = 1; i < 5; ++i) {
    EXPECT_EQ(session->poll_deadline()->at, kStart + i * 1s);
    EXPECT_TRUE(wait_until(kStart + i * 1s - 1ns).empty());
    EXPECT_TRUE(find<SendMain>(wait_until(kStart + i * 1s)));
  }
  const Effects all = wait_until(kStart + 5s);
  EXPECT_EQ(count_reports<NoAnswer>(all), 1U);
  EXPECT_TRUE(find<Finish>(all));
  EXPECT_TRUE(session->finished());
  EXPECT_FALSE(session->poll_deadline());
  expect_problem(ProblemCode::kNoAnswer);
}

TEST_F(ClientSessionTest, CandidatesAreAllAskedAQuarterOfASecondApart) {
  const Endpoint other = endpoint("192.0.2.10", 6711);
  config.servers = {kMain, other};
  make();
  EXPECT_EQ(find<SendMain>(effects())->to, kMain);
  EXPECT_EQ(find<SendMain>(wait_until(kStart + 250ms))->to, other);
  EXPECT_EQ(find<SendMain>(wait_until(kStart + 1s))->to, kMain);
}

TEST_F(ClientSessionTest, TheServerThatAnswersIsToldWhereItIsNotTheOneToldLast) {
  const Endpoint other = endpoint("192.0.2.10", 6711);
  config.servers = {kMain, other};
  make();
  EXPECT_EQ(count_reports<Connecting>(effects()), 1U);
  (void)wait_until(kStart + 250ms);
  session->on_main_datagram(kStart + 300ms, other, as_bytes("7000,7001,7002,99"));
  const auto first = find<Report>(effects());
  ASSERT_TRUE(first);
  const auto* const told = std::get_if<Connecting>(&*first);
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->server, other);
  EXPECT_EQ(told->attempt, 1U) << "the line that scripts look for";
}

TEST_F(ClientSessionTest, CandidateWhereNobodyListensIsPassedByAtOnceButOnlyOnceRound) {
  const Endpoint other = endpoint("192.0.2.10", 6711);
  config.servers = {kMain, other};
  make();
  (void)effects();
  const auto refuse = [this](const Endpoint& by) {
    session->on_main_unreachable(kStart, by, Unreachable::kNobodyListens);
    return find<SendMain>(effects());
  };
  EXPECT_FALSE(refuse(other)) << "that was not the one asked";
  EXPECT_EQ(refuse(kMain)->to, other);
  EXPECT_FALSE(refuse(other)) << "the next round waits its second";
  EXPECT_TRUE(find<SendMain>(wait_until(kStart + 1s)));
}

TEST_F(ClientSessionTest, AssignmentOpensTheThreePortsOfTheServerThatAnswered) {
  make();
  const Effects all = main_says("7000,7001,7002,99");
  EXPECT_EQ(count_reports<Assigned>(all), 1U);
  const auto ports = find<OpenPorts>(all)->ports;
  EXPECT_EQ(ports[0], (Endpoint{kMain.address, {7000}}));
  EXPECT_EQ(ports[2], (Endpoint{kMain.address, {7002}}));
  const PortConfig port = session->port_config(PortKind::kUpload, kStart, 0s, 1);
  EXPECT_EQ(port.side, Side::kClient);
  EXPECT_EQ(port.peer, (Endpoint{kMain.address, {7001}}));
  EXPECT_EQ(port.heartbeat_key, 99U);
}

TEST_F(ClientSessionTest, AnswersOfStrangersAndGarbageAreIgnored) {
  make();
  (void)effects();
  EXPECT_TRUE(main_says("7000,7001,7002,99", kStart, kStrangerEnd).empty());
  EXPECT_TRUE(main_says("REFUSED server full", kStart, kStrangerEnd).empty());
  EXPECT_TRUE(main_says("7000,7001,7002").empty());
  EXPECT_TRUE(main_says("").empty());
}

TEST_F(ClientSessionTest, RefusalEndsTheRunWithItsReason) {
  make();
  const Effects all = main_says("REFUSED address limit");
  EXPECT_EQ(count_reports<Refused>(all), 1U);
  EXPECT_TRUE(find<Finish>(all));
  expect_problem(ProblemCode::kRefused);
  EXPECT_EQ(session->result().server, kMain);
}

TEST_F(ClientSessionTest, PortsThatCannotBeOpenedEndTheRun) {
  make();
  (void)main_says("7000,7001,7002,99");
  session->on_ports_failed(kStart, "no more descriptors");
  EXPECT_TRUE(find<Finish>(effects()));
  expect_problem(ProblemCode::kLocalFailure);
}

TEST_F(ClientSessionTest, RepeatedAssignmentNudgesTheHeartbeatsButNotTooOften) {
  make();
  open();
  EXPECT_EQ(count_posts<Nudge>(main_says("7000,7001,7002,99", kStart)), 3U);
  EXPECT_EQ(count_posts<Nudge>(main_says("7000,7001,7002,99", kStart + 99ms)), 0U);
  EXPECT_EQ(count_posts<Nudge>(main_says("7000,7001,7002,99", kStart + 100ms)), 3U);
  EXPECT_EQ(count_posts<Nudge>(main_says("7000,7001,7002,98", kStart + 1s)), 0U)
      << "another assignment is none of ours";
}

TEST_F(ClientSessionTest, CountedLatencyRunEndsWhenAllPortsHaveCounted) {
  config.heartbeat_count = 3;
  make();
  open();
  EXPECT_EQ(session->port_config(PortKind::kControl, kStart, 0s, 1).heartbeat_count, 3U);
  for (const PortKind port : kPortKinds) (void)tell(port, PortProven{});
  (void)tell(PortKind::kControl, HeartbeatsDone{});
  EXPECT_TRUE(tell(PortKind::kUpload, HeartbeatsDone{}).empty());
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kDownload, HeartbeatsDone{})), 3U);
  EXPECT_TRUE(find<Finish>(drain()));
  EXPECT_TRUE(session->result().valid);
}

TEST_F(ClientSessionTest, ShortLatencyRunsNameThePortThatNeverAnswered) {
  for (const bool counted : {true, false}) {
    config.heartbeat_count = counted ? std::optional<std::uint64_t>(3) : std::nullopt;
    config.latency_duration = counted ? std::nullopt : std::optional<Duration>(2s);
    for (const PortKind filtered : kPortKinds) {
      make();
      open();
      for (const PortKind port : kPortKinds) {
        if (port != filtered) (void)tell(port, PortProven{});
      }
      if (!counted) (void)wait_until(kStart + 2s);
      for (const PortKind port : kPortKinds) (void)tell(port, HeartbeatsDone{}, kStart + 4s);
      EXPECT_TRUE(find<Finish>(drain(kStart + 4s)));
      expect_problem(ProblemCode::kPortUnproven, true);
      ASSERT_EQ(session->result().problems.size(), 1U);
      EXPECT_THAT(session->result().problems[0].message,
                  ::testing::HasSubstr(std::string(label(filtered))));
    }
  }
}

TEST_F(ClientSessionTest, TimedLatencyRunEndsAtItsTime) {
  config.latency_duration = 3s;
  make();
  open();
  EXPECT_EQ(count_posts<Quiet>(wait_until(kStart + 3s - 1ns)), 0U);
  const Effects over = wait_until(kStart + 3s);
  EXPECT_EQ(count_posts<Quiet>(over), 3U);
  EXPECT_EQ(count_posts<Drain>(over), 0U) << "answers are on the way";
  (void)tell(PortKind::kControl, HeartbeatsDone{});
  (void)tell(PortKind::kUpload, HeartbeatsDone{});
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kDownload, HeartbeatsDone{}, kStart + 3s)), 3U);
  EXPECT_TRUE(find<Finish>(drain(kStart + 3s)));
  EXPECT_EQ(session->result().duration, 3s);
}

TEST_F(ClientSessionTest, TimedLatencyRunDoesNotWaitForeverForItsPorts) {
  config.latency_duration = 3s;
  make();
  open();
  (void)wait_until(kStart + 3s);
  const Instant end = kStart + 3s + ClientSession::kSettleTimeout;
  EXPECT_EQ(count_posts<Drain>(wait_until(end - 1ns)), 0U);
  EXPECT_EQ(count_posts<Drain>(wait_until(end)), 3U);
}

TEST_F(ClientSessionTest, PortWithoutAnswerIsAProblemOfALatencyRunButNotItsEnd) {
  make();
  open();
  (void)tell(PortKind::kControl, PortProven{});
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 10s)), 0U);
  expect_problem(ProblemCode::kPortUnproven, true);
  EXPECT_EQ(session->result().problems.size(), 2U) << "upload and download";
}

TEST_F(ClientSessionTest, SilentServerEndsTheRun) {
  make();
  open();
  (void)tell(PortKind::kControl, PortSilent{});
  (void)tell(PortKind::kUpload, PortSilent{});
  (void)tell(PortKind::kUpload, PortHeard{});
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kDownload, PortSilent{})), 0U);
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kUpload, PortSilent{})), 3U);
  expect_problem(ProblemCode::kServerSilent);
}

TEST_F(ClientSessionTest, StopEndsALatencyRunValidly) {
  make();
  open();
  session->stop(kStart + 1s);
  EXPECT_EQ(count_posts<Drain>(effects()), 3U);
  session->stop(kStart + 1s);
  EXPECT_TRUE(effects().empty());
  EXPECT_TRUE(find<Finish>(drain()));
  EXPECT_TRUE(session->result().valid);
  EXPECT_TRUE(session->result().problems.empty()) << "its ports may have answered a moment later";
}

TEST_F(ClientSessionTest, StopAfterTheWaitForAnswersNamesThePortsWithoutOne) {
  make();
  open();
  (void)tell(PortKind::kControl, PortProven{});
  session->stop(kStart + ClientSession::kPortsPatience);
  EXPECT_TRUE(find<Finish>(drain()));
  expect_problem(ProblemCode::kPortUnproven, true);
}

TEST_F(ClientSessionTest, NoAnswerOnAnyPortEndsALatencyRun) {
  make();
  open();
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 10s)), 3U);
  EXPECT_TRUE(find<Finish>(drain(kStart + 10s)));
  expect_problem(ProblemCode::kPortUnproven);
  EXPECT_EQ(session->result().problems.size(), 3U);
}

TEST_F(ClientSessionTest, StopBeforeAnAnswerOrInAnUploadMakesTheRunInvalid) {
  make();
  session->stop(kStart);
  EXPECT_TRUE(find<Finish>(effects()));
  expect_problem(ProblemCode::kInterrupted);

  make_upload();
  (void)run();
  session->stop(kStart + 1s);
  EXPECT_TRUE(find<Finish>(drain()));
  expect_problem(ProblemCode::kInterrupted);
  ASSERT_EQ(session->result().tests.size(), 1U) << "the sender's side is still told";
  EXPECT_FALSE(session->result().tests[0].has_result);
}

TEST_F(ClientSessionTest, ActorsThatDoNotAnswerDrainAreNotWaitedForLongerThanItsTimeout) {
  make();
  open();
  session->stop(kStart);
  (void)effects();
  EXPECT_EQ(session->poll_deadline()->at, kStart + ClientSession::kDrainTimeout);
  EXPECT_TRUE(find<Finish>(wait_until(kStart + ClientSession::kDrainTimeout)));
  EXPECT_FALSE(session->poll_deadline());
}

TEST_F(ClientSessionTest, SkippedHeartbeatsAreAProblem) {
  make();
  open();
  session->stop(kStart);
  PortReport report;
  report.totals.idle.sent = 100;
  report.totals.idle.skipped = 2;
  session->on_message(kStart, PortKind::kControl, report);
  session->on_message(kStart, PortKind::kUpload, PortReport{});
  session->on_message(kStart, PortKind::kDownload, PortReport{});
  expect_problem(ProblemCode::kScheduleSlipped, true);
}

TEST_F(ClientSessionTest, WithoutASocketToAskFromTheRunFailsAtOnce) {
  make();
  (void)effects();
  session->on_main_failed(kStart, kMain, "cannot open a UDP socket: Too many open files");
  EXPECT_TRUE(find<Finish>(effects()));
  expect_problem(ProblemCode::kLocalFailure);
}

TEST_F(ClientSessionTest, AnAddressOfAFamilyThatThisHostLacksIsSkipped) {
  config.servers = {endpoint("2001:db8::9", 6711), kMain};
  make();
  (void)effects();
  session->on_main_failed(kStart, endpoint("2001:db8::9", 6711), "this host has no IPv6");
  const Effects all = effects();
  EXPECT_FALSE(find<Finish>(all));
  ASSERT_TRUE(find<SendMain>(all));
  EXPECT_EQ(find<SendMain>(all)->to, kMain);
}

}  // namespace client_session_test
}  // namespace wyndrvr::engine
