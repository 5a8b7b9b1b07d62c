#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/client_session.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;

const Endpoint kMain = endpoint("192.0.2.9", 6711);
using Effects = std::vector<ClientSessionEffect>;

template <class Wanted>
std::optional<Wanted> find(const Effects& all) {
  for (const ClientSessionEffect& effect : all) {
    if (const auto* found = std::get_if<Wanted>(&effect)) return *found;
  }
  return std::nullopt;
}
template <class Wanted>
std::size_t count_reports(const Effects& all) {
  return static_cast<std::size_t>(std::ranges::count_if(all, [](const auto& effect) {
    const auto* report = std::get_if<Report>(&effect);
    return report != nullptr && std::holds_alternative<Wanted>(*report);
  }));
}
template <class Wanted>
std::size_t count_posts(const Effects& all) {
  return static_cast<std::size_t>(std::ranges::count_if(all, [](const auto& effect) {
    const auto* post = std::get_if<Post>(&effect);
    return post != nullptr && std::holds_alternative<Wanted>(post->message);
  }));
}

class ClientSessionTest : public ::testing::Test {
 protected:
  ClientSessionTest() { config.servers = {kMain}; }

  void make() { session.emplace(config, kStart, 1); }
  void make_upload() {
    config.upload = UploadRequest{.duration = 10s};
    make();
  }
  Effects effects() {
    Effects all;
    while (auto effect = session->poll_effect()) all.push_back(std::move(*effect));
    return all;
  }
  Effects main_says(std::string_view text, Instant now = kStart, const Endpoint& from = kMain) {
    session->on_main_datagram(now, from, as_bytes(text));
    return effects();
  }
  Effects tell(PortKind from, const Message& message, Instant now = kStart) {
    session->on_message(now, from, message);
    return effects();
  }
  Effects wait_until(Instant now) {
    session->on_timer(now);
    return effects();
  }
  void open() {
    (void)main_says("7000,7001,7002,99");
    session->on_ports_open(kStart);
    (void)effects();
  }
  // Until BWUP is out; returns the plan.
  TestPlan start(bool extended = true) {
    open();
    Effects all = tell(PortKind::kControl, PortProven{extended});
    EXPECT_EQ(count_posts<StartTest>(all), 0U);
    all = tell(PortKind::kUpload, PortProven{extended});
    (void)tell(PortKind::kDownload, PortProven{extended});
    return std::get<StartTest>(find<Post>(all)->message).plan;
  }
  TestPlan run() {
    const TestPlan plan = start();
    (void)tell(PortKind::kControl, TestStarted{plan.channel, kStart, 10s});
    return plan;
  }
  // All three actors answer Drain.
  Effects drain(Instant now = kStart) {
    for (const PortKind port : kPortKinds) session->on_message(now, port, PortReport{});
    return effects();
  }
  void expect_problem(ProblemCode code, bool valid = false) {
    EXPECT_TRUE(std::ranges::any_of(session->result().problems, [code](const Problem& problem) {
      return problem.code == code;
    }));
    EXPECT_EQ(session->result().valid, valid);
  }

  static wire::TestResult result() {
    wire::TestResult result;
    result.packet_count = 100;
    result.bytes_received = 93'700;
    result.bandwidth_bps = 74'960;
    result.duration_s = 10;
    result.detail.emplace();
    result.detail->unique = 98;
    result.detail->duplicate = 2;
    result.detail->highest = 100;
    result.detail->unique_bytes = 91'826;
    return result;
  }

  ClientConfig config;
  std::optional<ClientSession> session;
};

TEST_F(ClientSessionTest, ConnectsAtOnceFiveTimesOneSecondApartThenGivesUp) {
  make();
  EXPECT_EQ(find<SendConnect>(effects())->to, kMain);
  for (int i = 1; i < 5; ++i) {
    EXPECT_EQ(session->poll_deadline()->at, kStart + i * 1s);
    EXPECT_TRUE(wait_until(kStart + i * 1s - 1ns).empty());
    EXPECT_TRUE(find<SendConnect>(wait_until(kStart + i * 1s)));
  }
  const Effects all = wait_until(kStart + 5s);
  EXPECT_EQ(count_reports<NoAnswer>(all), 1U);
  EXPECT_TRUE(find<Finish>(all));
  EXPECT_TRUE(session->finished());
  EXPECT_FALSE(session->poll_deadline());
  expect_problem(ProblemCode::kNoAnswer);
}

TEST_F(ClientSessionTest, CandidatesAreTriedInTurn) {
  const Endpoint other = endpoint("192.0.2.10", 6711);
  config.servers = {kMain, other};
  make();
  EXPECT_EQ(find<SendConnect>(effects())->to, kMain);
  EXPECT_EQ(find<SendConnect>(wait_until(kStart + 1s))->to, other);
  EXPECT_EQ(find<SendConnect>(wait_until(kStart + 2s))->to, kMain);
}

TEST_F(ClientSessionTest, CandidateWhereNobodyListensIsPassedByAtOnceButOnlyOnceRound) {
  const Endpoint other = endpoint("192.0.2.10", 6711);
  config.servers = {kMain, other};
  make();
  (void)effects();
  session->on_main_refused(kStart, other);
  EXPECT_TRUE(effects().empty()) << "that was not the one asked";
  session->on_main_refused(kStart, kMain);
  EXPECT_EQ(find<SendConnect>(effects())->to, other);
  session->on_main_refused(kStart, other);
  EXPECT_TRUE(effects().empty()) << "the next round waits its second";
  EXPECT_TRUE(find<SendConnect>(wait_until(kStart + 1s)));
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

TEST_F(ClientSessionTest, RefusalAfterTheAssignmentIsIgnored) {
  make();
  open();
  EXPECT_TRUE(main_says("REFUSED server full").empty());
  EXPECT_FALSE(session->finished());
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
  (void)tell(PortKind::kControl, HeartbeatsDone{});
  EXPECT_TRUE(tell(PortKind::kUpload, HeartbeatsDone{}).empty());
  EXPECT_EQ(count_posts<Drain>(tell(PortKind::kDownload, HeartbeatsDone{})), 3U);
  EXPECT_TRUE(find<Finish>(drain()));
  EXPECT_TRUE(session->result().valid);
}

TEST_F(ClientSessionTest, TimedLatencyRunEndsAtItsTime) {
  config.latency_duration = 3s;
  make();
  open();
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 3s - 1ns)), 0U);
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 3s)), 3U);
  EXPECT_TRUE(find<Finish>(drain(kStart + 3s)));
  EXPECT_EQ(session->result().duration, 3s);
}

TEST_F(ClientSessionTest, PortWithoutAnswerIsAProblemOfALatencyRunButNotItsEnd) {
  make();
  open();
  (void)tell(PortKind::kControl, PortProven{});
  EXPECT_TRUE(wait_until(kStart + 10s).empty());
  expect_problem(ProblemCode::kPortUnproven, true);
  EXPECT_EQ(session->result().problems.size(), 2U) << "upload and download";
}

TEST_F(ClientSessionTest, UploadWithoutAnAnswerOnItsPortFails) {
  make_upload();
  open();
  (void)tell(PortKind::kControl, PortProven{});
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 10s)), 3U);
  EXPECT_TRUE(find<Finish>(drain()));
  expect_problem(ProblemCode::kPortUnproven);
}

TEST_F(ClientSessionTest, UploadDoesNotWaitForTheDownloadPort) {
  make_upload();
  open();
  (void)tell(PortKind::kControl, PortProven{true});
  const Effects all = tell(PortKind::kUpload, PortProven{true});
  ASSERT_EQ(count_posts<StartTest>(all), 1U);
  EXPECT_EQ(find<Post>(all)->to, PortKind::kControl);
}

TEST_F(ClientSessionTest, PlanIsWhatWasAskedForOnAChannelOfItsOwn) {
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

TEST_F(ClientSessionTest, OnlyAServerThatKnowsOurExtensionsIsAskedForProgress) {
  make_upload();
  EXPECT_TRUE(start(true).ask_progress);
  make_upload();
  EXPECT_FALSE(start(false).ask_progress);
}

TEST_F(ClientSessionTest, WholeUploadGoesToItsEnd) {
  make_upload();
  const TestPlan plan = start();
  Effects all = tell(PortKind::kControl, TestStarted{plan.channel, kStart, 10s});
  EXPECT_EQ(count_reports<UploadStarted>(all), 1U);
  EXPECT_EQ(count_posts<SetLoaded>(all), 3U);
  EXPECT_EQ(count_reports<UploadDraining>(wait_until(kStart + 10s)), 0U) << "a moment's patience";
  EXPECT_EQ(count_reports<UploadDraining>(wait_until(kStart + 10'300ms)), 1U);

  all = tell(PortKind::kControl, ResultArrived{result()}, kStart + 10'400ms);
  EXPECT_EQ(count_posts<Quiet>(all), 3U);
  EXPECT_EQ(count_reports<UploadResultArrived>(all), 1U);
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

TEST_F(ClientSessionTest, ResultMayComeBeforeTheClientsOwnClockHasRunOut) {
  make_upload();
  (void)run();
  EXPECT_EQ(count_posts<Quiet>(tell(PortKind::kControl, ResultArrived{result()}, kStart + 9s)), 3U);
  EXPECT_EQ(count_reports<UploadDraining>(wait_until(kStart + 11s)), 0U);
  EXPECT_EQ(count_posts<Drain>(wait_until(kStart + 14s)), 3U);
}

TEST_F(ClientSessionTest, OriginalServersResultIsTakenWithANote) {
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

TEST_F(ClientSessionTest, DetailThatContradictsItselfIsNotTaken) {
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

TEST_F(ClientSessionTest, ProgressMakesTheIntervalsAndOldOnesAreIgnored) {
  make_upload();
  const TestPlan plan = run();
  ReceiverTotals totals;
  totals.elapsed = 1s;
  totals.packets = 10;
  totals.bytes = 9370;
  EXPECT_EQ(count_reports<UploadProgress>(
                tell(PortKind::kControl, ReceiverProgress{plan.channel, totals})),
            1U);
  EXPECT_TRUE(tell(PortKind::kControl, ReceiverProgress{plan.channel, totals}).empty());
  (void)tell(PortKind::kControl, ResultArrived{result()});
  (void)wait_until(kStart + 5s);
  (void)drain();
  const auto& intervals = session->result().tests[0].intervals;
  ASSERT_EQ(intervals.size(), 2U);
  EXPECT_EQ(intervals[0].bytes + intervals[1].bytes, 93'700U);
}

TEST_F(ClientSessionTest, ShorterGrantIsAProblemButValid) {
  make_upload();
  const TestPlan plan = start();
  (void)tell(PortKind::kControl, TestStarted{plan.channel, kStart, 4s});
  expect_problem(ProblemCode::kReceiverShrunk, true);
  EXPECT_EQ(count_reports<UploadDraining>(wait_until(kStart + 5s)), 1U);
}

TEST_F(ClientSessionTest, FailedTestsEndTheRunWithTheirCause) {
  for (const ProblemCode code : {ProblemCode::kNoAcknowledgement, ProblemCode::kNoResult}) {
    make_upload();
    (void)run();
    EXPECT_EQ(count_posts<Drain>(tell(PortKind::kControl, TestFailed{code})), 3U);
    EXPECT_TRUE(find<Finish>(drain()));
    expect_problem(code);
  }
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

TEST_F(ClientSessionTest, SilenceWhileLingeringIsNoProblem) {
  make_upload();
  (void)run();
  (void)tell(PortKind::kControl, ResultArrived{result()});
  for (const PortKind port : kPortKinds) (void)tell(port, PortSilent{});
  EXPECT_TRUE(session->result().valid);
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

TEST_F(ClientSessionTest, StopWhileLingeringKeepsTheResult) {
  make_upload();
  (void)run();
  (void)tell(PortKind::kControl, ResultArrived{result()});
  session->stop(kStart + 11s);
  EXPECT_TRUE(find<Finish>(drain()));
  EXPECT_TRUE(session->result().valid);
  EXPECT_TRUE(session->result().tests[0].has_result);
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

}  // namespace
}  // namespace wyndrvr::engine
