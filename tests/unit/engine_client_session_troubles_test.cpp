// A client's session where the server, or a port of it, cannot be reached, is silent, or repeats
// itself; and where a worker of its own says what cannot be.
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/engine_client_session_one_support.hpp"
#include "unit/engine_client_session_support.hpp"

namespace wyndrvr::engine {
namespace client_session_troubles_test {

using namespace testing;
using ::testing::HasSubstr;
using enum Unreachable;

class ClientTroublesTest : public ClientSessionTest {
 protected:
  Effects unreachable(Unreachable cause, Instant now, const Endpoint& to = kMain) {
    session->on_main_unreachable(now, to, cause);
    return effects();
  }
  [[nodiscard]] const std::vector<Problem>& problems() const { return session->result().problems; }
};

// --- while connecting ---

TEST_F(ClientTroublesTest, ARefusedClientSaysSoAtOnceAndGivesUpAfterTwoSeconds) {
  for (const DialectChoice dialect : {DialectChoice::kOriginal, DialectChoice::kAuto}) {
    config.dialect = dialect;
    make();
    (void)effects();
    Instant now = kStart;
    const auto told = find_report<ServerUnreachable>(unreachable(kNobodyListens, now));
    ASSERT_TRUE(told);
    EXPECT_EQ(told->server, kMain);
    EXPECT_EQ(told->cause, kNobodyListens);
    std::size_t repeated = 0;
    while (!session->finished() && now < kStart + 20s) {
      now = session->poll_deadline()->at;
      const bool sent = find<SendMain>(wait_until(now)).has_value();
      if (sent) repeated += count_reports<ServerUnreachable>(unreachable(kNobodyListens, now));
    }
    EXPECT_EQ(now, kStart + 2s);
    EXPECT_EQ(repeated, 0U);
    expect_problem(ProblemCode::kNoAnswer);
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_EQ(problems()[0].cause, kNobodyListens);
    EXPECT_THAT(problems()[0].message, HasSubstr("nobody listens on 192.0.2.9:6711"));
  }
}

TEST_F(ClientTroublesTest, EachCauseIsNamed) {
  for (const Unreachable cause :
       {kLocalFirewall, kNoRoute, kUnreachableRoute, kProhibitedRoute, kBlackholeRoute,
        kNoNeighbour, kHostUnreachable, kProhibitedOnTheWay}) {
    make();
    (void)effects();
    (void)unreachable(cause, kStart);
    (void)unreachable(cause, kStart + 1s);
    (void)wait_until(kStart + 2s);
    EXPECT_TRUE(session->finished());
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_EQ(problems()[0].cause, cause);
    EXPECT_EQ(problems()[0].message, "192.0.2.9:6711 cannot be reached");
  }
}

TEST_F(ClientTroublesTest, ASingleForgedRefusalDoesNotEndTheAsking) {
  make();
  (void)effects();
  (void)unreachable(kNobodyListens, kStart);
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(find<SendMain>(wait_until(kStart + 1s * i)));
  EXPECT_FALSE(session->finished());
  EXPECT_TRUE(find<OpenPorts>(main_says("7000,7001,7002,99", kStart + 4s)));
}

TEST_F(ClientTroublesTest, AFirewallOfThisHostExplainsTheRejectionThatItSends) {
  make();
  (void)effects();
  EXPECT_EQ(count_reports<ServerUnreachable>(unreachable(kLocalFirewall, kStart)), 1U);
  EXPECT_EQ(count_reports<ServerUnreachable>(unreachable(kNobodyListens, kStart)), 0U);
  (void)unreachable(kLocalFirewall, kStart + 1s);
  (void)unreachable(kNobodyListens, kStart + 1s);
  (void)wait_until(kStart + 2s);
  EXPECT_EQ(problems()[0].cause, kLocalFirewall);
}

TEST_F(ClientTroublesTest, AddressesThatFailAlikeAreOneProblem) {
  config.dialect = DialectChoice::kAuto;
  config.servers.clear();
  for (std::uint16_t i = 1; i <= 40; ++i) config.servers.push_back(endpoint("192.0.2.9", i));
  make();
  (void)effects();
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < 39; ++i) {
      (void)unreachable(i % 2 == 0 ? kNoRoute : kHostUnreachable, kStart + 1s * round,
                        config.servers[i]);
    }
  }
  while (!session->finished()) (void)wait_until(session->poll_deadline()->at);
  ASSERT_EQ(problems().size(), 3U);
  EXPECT_THAT(problems()[0].message, HasSubstr("192.0.2.9:1 and 19 other addresses"));
  EXPECT_EQ(problems()[2].cause, std::nullopt);
  EXPECT_THAT(problems()[2].message, HasSubstr("192.0.2.9:40 never answered"));
}

// --- ports ---

TEST_F(ClientTroublesTest, APortThatNeverAnsweredIsNamedWithItsCause) {
  make();
  open();
  (void)tell(PortKind::kControl, PortProven{});
  (void)tell(PortKind::kDownload, PortProven{});
  const auto told =
      find_report<ServerUnreachable>(tell(PortKind::kUpload, PortTrouble{kLocalFirewall}));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->server, endpoint("192.0.2.9", 7001));
  EXPECT_EQ(count_reports<ServerUnreachable>(tell(PortKind::kUpload, PortTrouble{kLocalFirewall})),
            0U);
  (void)wait_until(kStart + 10s);
  ASSERT_EQ(problems().size(), 1U);
  EXPECT_EQ(problems()[0].code, ProblemCode::kPortUnproven);
  EXPECT_EQ(problems()[0].cause, kLocalFirewall);
  EXPECT_EQ(problems()[0].message, "no heartbeat came back on UPLOAD port 7001");
  EXPECT_TRUE(session->result().valid);
}

TEST_F(ClientTroublesTest, ALocalFirewallsRejectionOfAPortIsTheFirewalls) {
  make();
  open();
  for (const PortKind port : kPortKinds) {
    for (const Unreachable cause : {kNoNeighbour, kLocalFirewall, kNoNeighbour, kNoRoute}) {
      (void)tell(port, PortTrouble{cause});
    }
  }
  (void)wait_until(kStart + 10s);
  ASSERT_EQ(problems().size(), 3U);
  for (const Problem& problem : problems()) EXPECT_EQ(problem.cause, kLocalFirewall);
}

// Heartbeats were counted, or the length was over, before the time that ports have to answer.
TEST_F(ClientTroublesTest, ShortLatencyRunWithoutAnyAnswerIsNotValid) {
  make();
  open();
  for (const PortKind port : kPortKinds) (void)tell(port, HeartbeatsDone{}, kStart + 4s);
  EXPECT_TRUE(find<Finish>(drain(kStart + 4s)));
  expect_problem(ProblemCode::kPortUnproven);
  EXPECT_EQ(problems().size(), 3U);
}

TEST_F(ClientTroublesTest, ShortLatencyRunWithOneAnswerIsValid) {
  make();
  open();
  (void)tell(PortKind::kDownload, PortProven{});
  for (const PortKind port : kPortKinds) (void)tell(port, HeartbeatsDone{}, kStart + 4s);
  EXPECT_TRUE(find<Finish>(drain(kStart + 4s)));
  expect_problem(ProblemCode::kPortUnproven, true);
  EXPECT_EQ(problems().size(), 2U);
}

TEST_F(ClientTroublesTest, UploadWithoutControlNamesThatPort) {
  make_upload();
  open();
  (void)tell(PortKind::kUpload, PortProven{});
  (void)tell(PortKind::kDownload, PortProven{});
  (void)wait_until(kStart + 10s);
  EXPECT_TRUE(find<Finish>(drain(kStart + 10s)));
  expect_problem(ProblemCode::kPortUnproven);
  ASSERT_EQ(problems().size(), 1U);
  EXPECT_EQ(
      problems()[0].message,
      "no heartbeat came back on CONTROL port 7000, so the test was not begun: is UDP open on "
      "the way there?");
}

TEST_F(ClientTroublesTest, ShortUploadNamesTheFilteredDownloadPortAndIsValid) {
  make_upload();
  open();
  (void)tell(PortKind::kControl, PortProven{true});
  const TestPlan plan =
      std::get<StartTest>(find<Post>(tell(PortKind::kUpload, PortProven{true}))->message).plan;
  (void)tell(PortKind::kControl, TestStarted{plan.channel, kStart, 1s});
  (void)tell(PortKind::kControl, ResultArrived{result()}, kStart + 1s);
  (void)wait_until(kStart + 1s + ClientSession::kLinger);
  EXPECT_TRUE(find<Finish>(drain(kStart + 7s)));
  expect_problem(ProblemCode::kPortUnproven, true);
}

TEST_F(ClientTroublesTest, SilentServerIsToldWithTheCauseThatIsKnown) {
  make();
  open();
  for (const PortKind port : kPortKinds) (void)tell(port, PortProven{});
  (void)tell(PortKind::kControl, PortTrouble{kHostUnreachable});
  for (const PortKind port : kPortKinds) (void)tell(port, PortSilent{});
  EXPECT_EQ(problems()[0].code, ProblemCode::kServerSilent);
  EXPECT_EQ(problems()[0].cause, kHostUnreachable);
}

TEST_F(ClientTroublesTest, ATestWithoutAnAnswerIsToldWithTheCauseThatIsKnown) {
  for (const ProblemCode code : {ProblemCode::kNoResult, ProblemCode::kNoAcknowledgement}) {
    make_upload();
    if (code == ProblemCode::kNoResult) {
      (void)run();
    } else {
      (void)start();
    }
    (void)tell(PortKind::kDownload, PortTrouble{kProhibitedRoute});
    (void)tell(PortKind::kControl, PortTrouble{kNoRoute});
    (void)tell(PortKind::kControl, TestFailed{code}, kStart + 20s);
    ASSERT_EQ(problems().size(), 1U);
    EXPECT_EQ(problems()[0].code, code);
    EXPECT_EQ(problems()[0].cause, kNoRoute) << "of the port that the answer comes to";
  }
}

TEST_F(ClientTroublesTest, ACauseThatHasPassedIsNotTold) {
  make();
  open();
  for (const PortKind port : kPortKinds) (void)tell(port, PortProven{});
  (void)tell(PortKind::kControl, PortTrouble{kHostUnreachable});
  (void)tell(PortKind::kControl, HeartbeatSample{1ms, std::nullopt, false});
  for (const PortKind port : kPortKinds) (void)tell(port, PortSilent{});
  EXPECT_EQ(problems()[0].cause, std::nullopt);
}

TEST_F(ClientTroublesTest, RefusalsAtTheEndAreNoTroubles) {
  make_upload();
  (void)run();
  (void)tell(PortKind::kControl, ResultArrived{result()});
  EXPECT_EQ(count_reports<ServerUnreachable>(tell(PortKind::kControl, PortTrouble{})), 0U);
}

// --- silence ---

TEST_F(ClientTroublesTest, SilentSecondsOfALatencyRunAreTold) {
  config.protocol.heartbeat_interval = 100ms;
  make();
  open();
  for (const PortKind port : kPortKinds) (void)tell(port, PortProven{}, kStart + 1ms);
  (void)tell(PortKind::kControl, HeartbeatSample{1ms, std::nullopt, false}, kStart + 1s);
  for (int seconds = 2; seconds < 6; ++seconds) {
    const Instant due = kStart + 1s + 1s * seconds;
    EXPECT_LE(session->poll_deadline()->at, due);
    const auto silence = find_report<NothingReceived>(wait_until(due));
    ASSERT_TRUE(silence) << seconds;
    EXPECT_EQ(silence->silent, 1s * seconds);
    EXPECT_FALSE(silence->direction);
  }
}

TEST_F(ClientTroublesTest, NoSilenceIsToldBetweenHeartbeatsThatAreAnswered) {
  make();
  open();
  for (const PortKind port : kPortKinds) (void)tell(port, PortProven{}, kStart);
  for (Instant now = kStart; now < kStart + 60s; now += 100ms) {
    if ((now - kStart) % 5s == 0s) {
      (void)tell(PortKind::kControl, HeartbeatSample{1ms, std::nullopt, false}, now);
    }
    EXPECT_EQ(count_reports<NothingReceived>(wait_until(now)), 0U);
  }
}

TEST_F(ClientTroublesTest, SilentSecondsOfATestAreTold) {
  make_upload();
  const TestPlan plan = run();
  ReceiverTotals totals;
  totals.packets = 10;
  totals.elapsed = 1s;
  EXPECT_EQ(count_reports<TestProgress>(
                tell(PortKind::kControl, ReceiverProgress{plan.channel, totals}, kStart + 1s)),
            1U);
  EXPECT_EQ(count_reports<NothingReceived>(wait_until(kStart + 3s - 1ns)), 0U);
  for (int seconds = 2; seconds < 9; ++seconds) {
    const auto silence = find_report<NothingReceived>(wait_until(kStart + 1s + 1s * seconds));
    ASSERT_TRUE(silence) << seconds;
    EXPECT_EQ(silence->silent, 1s * seconds);
    EXPECT_EQ(silence->direction, PortKind::kUpload);
    EXPECT_EQ(silence->elapsed, 1s + 1s * seconds);
    EXPECT_EQ(silence->duration, 10s);
  }
}

TEST_F(ClientTroublesTest, AProgressWithoutAnythingNewIsASilentSecond) {
  make_upload();
  const TestPlan plan = run();
  ReceiverTotals totals;
  totals.packets = 10;
  for (int seconds = 1; seconds < 5; ++seconds) {
    totals.elapsed = 1s * seconds;
    const Effects all =
        tell(PortKind::kControl, ReceiverProgress{plan.channel, totals}, kStart + 1s * seconds);
    EXPECT_EQ(count_reports<TestProgress>(all), seconds == 1 ? 1U : 0U);
    EXPECT_EQ(count_reports<NothingReceived>(all), seconds == 1 ? 0U : 1U);
    EXPECT_EQ(count_reports<NothingReceived>(wait_until(kStart + 1s * seconds)), 0U);
  }
}

TEST_F(ClientTroublesTest, UnansweredStartIsSilence) {
  make_upload();
  (void)start();
  const auto silence = find_report<NothingReceived>(wait_until(kStart + 2s));
  ASSERT_TRUE(silence);
  EXPECT_EQ(silence->silent, 2s);
}

// --- repetition ---

class ClientRepetitionTest : public ClientSessionOneTest {};

TEST_F(ClientRepetitionTest, BrokenOverAndOverIsOneProblemWithACount) {
  config.terms.directions = wire::Directions::kUpload;
  open_ports();
  (void)tell(PortKind::kControl, PortProven{true});
  (void)tell(PortKind::kUpload, PortProven{true});
  (void)tell(PortKind::kControl, TestStarted{{1}, kStart, 10s, true});
  for (int i = 0; i < 9'192; ++i) {
    (void)tell(PortKind::kControl, TestBroken{{1}, wire::StopReason::kSustainedLoss});
  }
  ASSERT_EQ(session->result().problems.size(), 1U);
  EXPECT_EQ(session->result().problems[0].count, 9'192U);
}

TEST_F(ClientRepetitionTest, ProgressMoreOftenThanItWasAskedForFillsNoLog) {
  config.terms.directions = wire::Directions::kUpload;
  open_ports();
  (void)tell(PortKind::kControl, PortProven{true});
  (void)tell(PortKind::kUpload, PortProven{true});
  (void)tell(PortKind::kControl, TestStarted{{1}, kStart, 10s, true});
  std::size_t shown = 0;
  ReceiverTotals totals;
  for (int i = 1; i <= 10'000; ++i) {
    totals.packets += 1;
    totals.elapsed += 1us;
    shown += count_reports<TestProgress>(
        tell(PortKind::kUpload, ReceiverProgress{{1}, totals}, kStart + 2s));
  }
  EXPECT_LE(shown, 8U);
}

// --- a worker that was taken over ---

class ClientTakenOverTest : public ClientTroublesTest {
 protected:
  // Everything that a port can say, by every port.
  void say_everything(Instant now) {
    for (const PortKind port : kPortKinds) {
      for (const Message& message :
           {Message(PortProven{true}), Message(HeartbeatSample{1ms, 1ms, true}),
            Message(TestStarted{{1}, now + 1h, Duration::max(), true}),
            Message(ResultArrived{result()}),
            Message(TestReported{{1}, PortKind::kDownload, {}, {}}),
            Message(TestBroken{{1}, wire::StopReason::kSustainedLoss}),
            Message(TestFailed{ProblemCode::kNoResult}), Message(PortReport{}),
            Message(SenderProgress{}), Message(ReceiverProgress{}), Message(ResultDelivered{}),
            Message(StartTest{}), Message(Drain{}), Message(Trace{}), Message(PortTrouble{}),
            Message(HeartbeatsDone{}), Message(PortHeard{})}) {
        session->on_message(now, port, message);
        (void)effects();
      }
    }
  }
};

TEST_F(ClientTakenOverTest, ResultWithoutAnUploadChangesNothing) {
  make();
  open();
  for (const PortKind port : kPortKinds) (void)tell(port, PortProven{});
  EXPECT_TRUE(tell(PortKind::kControl, ResultArrived{result()}).empty());
  EXPECT_TRUE(tell(PortKind::kUpload, ResultArrived{result()}).empty());
  EXPECT_EQ(session->ignored_messages(), 1U) << "only control has results";
  EXPECT_TRUE(session->result().valid);
}

TEST_F(ClientTakenOverTest, NothingThatItSaysAtAnyTimeAbortsTheClient) {
  for (const bool upload : {false, true}) {
    if (upload) {
      make_upload();
    } else {
      make();
    }
    (void)main_says("7000,7001,7002,99");
    say_everything(kStart);  // before the ports are open
    session->on_ports_open(kStart);
    say_everything(kStart + 1s);
    for (Instant now = kStart + 2s; now < kStart + 60s; now += 1s) {
      (void)wait_until(now);
      say_everything(now);
    }
    session->stop(kStart + 60s);
    say_everything(kStart + 60s);
    (void)wait_until(kStart + 61s);
    EXPECT_TRUE(session->finished());
    EXPECT_LE(problems().size(), 16U);
  }
}

TEST_F(ClientTakenOverTest, LastWordsBeforeTheyAreAskedForAreNoFigures) {
  make();
  open();
  PortReport report;
  report.totals.idle.sent = 1'000'000;
  (void)tell(PortKind::kControl, report);
  EXPECT_EQ(session->ignored_messages(), 1U);
  session->stop(kStart);
  (void)tell(PortKind::kControl, PortReport{});
  (void)tell(PortKind::kControl, report);
  EXPECT_EQ(session->result().ports[0]->idle.sent, 0U) << "and the first ones count";
}

TEST_F(ClientTakenOverTest, ATestLastsNoLongerThanItWasAskedFor) {
  make_upload();
  const TestPlan plan = start();
  (void)tell(PortKind::kControl, TestStarted{plan.channel, kStart + 1h, Duration::max()}, kStart);
  EXPECT_EQ(count_reports<TestDraining>(wait_until(kStart + 10s + ClientSession::kResultPatience)),
            1U);
}

}  // namespace client_session_troubles_test
}  // namespace wyndrvr::engine
