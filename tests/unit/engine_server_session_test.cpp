#include <gtest/gtest.h>

#include "unit/engine_server_session_support.hpp"

namespace wyndrvr::engine {
namespace server_session_test {

using namespace testing;

TEST_F(ServerSessionTest, ClientIsConnectedWhenAllThreePortsAreProven) {
  EXPECT_FALSE(find<SessionProven>(tell(PortKind::kControl, PortProven{})));
  EXPECT_FALSE(find<SessionProven>(tell(PortKind::kUpload, PortProven{})));
  const auto all = tell(PortKind::kDownload, PortProven{});
  EXPECT_TRUE(find<SessionProven>(all));
  EXPECT_EQ(find_report<ClientConnected>(all)->client, kClientEnd);
  EXPECT_EQ(session.poll_deadline()->reason, DeadlineReason::kLifetime)
      << "from now on the actors watch for silence";
}

TEST_F(ServerSessionTest, EndsWhenItsTimeIsOverAndSaysSo) {
  prove_all();
  (void)effects();
  const Instant end = kStart + config.limits.max_session_duration;
  EXPECT_EQ(session.poll_deadline()->at, end);
  session.on_timer(end - 1ns);
  EXPECT_TRUE(effects().empty());
  session.on_timer(end);
  const auto all = effects();
  EXPECT_EQ(find<TellEnded>(all)->reason, SessionEnd::kTimeOver);
  EXPECT_EQ(count_drains(all), 3U);
  EXPECT_EQ(find<SessionOver>(drain(end))->reason, SessionEnd::kTimeOver);
}

TEST_F(ServerSessionTest, TestThatHasBegunIsNotCutByTheEndOfItsTime) {
  prove_all();
  const Instant end = kStart + config.limits.max_session_duration;
  const auto all = tell(PortKind::kControl, TestStarted{{4711}, end - 1s, 600s, false}, end - 1s);
  EXPECT_EQ(find<TestUnderWay>(all)->duration, 600s);
  session.on_timer(end + 599s);
  EXPECT_TRUE(effects().empty());
  const Instant over = end - 1s + 600s + ServerSession::kTestMargin;
  EXPECT_EQ(session.poll_deadline()->at, over);
  session.on_timer(over);
  EXPECT_TRUE(find<TellEnded>(effects()));
}

TEST_F(ServerSessionTest, TestHoldsTheSessionNoLongerThanItMayLast) {
  prove_all();
  const Instant end = kStart + config.limits.max_session_duration;
  (void)tell(PortKind::kControl, TestStarted{{4711}, end + 24h, 100h, false}, end - 1s);
  EXPECT_EQ(session.poll_deadline()->at,
            end - 1s + config.limits.max_test_duration + ServerSession::kTestMargin);
}

TEST_F(ServerSessionTest, UnprovenSessionEndsAtItsTimeout) {
  const Instant end = kStart + config.limits.proof_timeout;
  EXPECT_EQ(session.poll_deadline()->at, end);
  session.on_timer(end - 1ns);
  EXPECT_TRUE(effects().empty());
  session.on_timer(end);
  EXPECT_EQ(count_drains(effects()), 3U);
  const auto all = drain(end);
  EXPECT_EQ(find<SessionOver>(all)->reason, SessionEnd::kUnproven);
  EXPECT_FALSE(find_report<ClientGone>(all)->was_connected);
  EXPECT_FALSE(session.poll_deadline());
}

TEST_F(ServerSessionTest, PartlyProvenSessionHasTheAssignmentResent) {
  (void)tell(PortKind::kControl, PortProven{}, kStart + 100ms);
  int resent = 0;
  for (Instant now = kStart + 100ms; now < kStart + 4s; now += 10ms) {
    session.on_timer(now);
    resent += find<ResendAssignment>(effects()) ? 1 : 0;
  }
  EXPECT_EQ(resent, 3) << "every adjustment_delay";
  prove_all(kStart + 4s);
  session.on_timer(kStart + 6s);
  EXPECT_TRUE(effects().empty());
}

TEST_F(ServerSessionTest, OneProvenPortKeepsTheSessionWhicheverItIs) {
  for (const PortKind proven : kPortKinds) {
    ServerSession other(config, setup(), kStart);
    const auto take = [&other] {
      Effects all;
      while (auto effect = other.poll_effect()) all.push_back(std::move(*effect));
      return all;
    };
    other.on_message(kStart + 100ms, proven, PortProven{});
    (void)take();
    other.on_timer(kStart + config.limits.proof_timeout);
    const Effects all = take();
    EXPECT_EQ(count_drains(all), 0U);
    EXPECT_TRUE(find<SessionProven>(all)) << "its address is";
    EXPECT_TRUE(find_report<ClientConnected>(all));
    EXPECT_EQ(other.poll_deadline()->reason, DeadlineReason::kLifetime)
        << "from now on the actors watch for silence";
    other.on_timer(kStart + 1h);
    EXPECT_TRUE(take().empty()) << "and the assignment is not resent for ever";
    // The filtered ports are silent as well, in the end.
    for (const PortKind port : kPortKinds) other.on_message(kStart + 2h, port, PortSilent{});
    EXPECT_EQ(count_drains(take()), 3U);
  }
}

TEST_F(ServerSessionTest, RunningTestKeepsAPartlyProvenSession) {
  (void)tell(PortKind::kControl, PortProven{});
  (void)tell(PortKind::kControl, TestStarted{{5}, kStart, 10s});
  session.on_timer(kStart + 20s);
  EXPECT_EQ(count_drains(effects()), 0U);
}

TEST_F(ServerSessionTest, DeliveredResultEndsTheSession) {
  prove_all();
  ReceiverTotals totals;
  totals.packets = 12;
  const auto all = tell(PortKind::kControl, ResultDelivered{totals});
  EXPECT_EQ(find_report<ServerTestResult>(all)->totals, totals);
  EXPECT_EQ(count_drains(all), 3U);
  EXPECT_EQ(find<SessionOver>(drain())->reason, SessionEnd::kResultDelivered);
}

TEST_F(ServerSessionTest, UndeliveredResultEndsTheSession) {
  prove_all();
  EXPECT_EQ(count_drains(tell(PortKind::kControl, TestFailed{})), 3U);
  EXPECT_EQ(find<SessionOver>(drain())->reason, SessionEnd::kResultUndelivered);
}

TEST_F(ServerSessionTest, SilenceOnAllThreePortsEndsTheSession) {
  prove_all();
  (void)tell(PortKind::kControl, PortSilent{});
  (void)tell(PortKind::kUpload, PortSilent{});
  (void)tell(PortKind::kControl, PortHeard{});
  EXPECT_EQ(count_drains(tell(PortKind::kDownload, PortSilent{})), 0U) << "control was heard";
  EXPECT_EQ(count_drains(tell(PortKind::kControl, PortSilent{})), 3U);
  EXPECT_EQ(find<SessionOver>(drain())->reason, SessionEnd::kIdle);
}

TEST_F(ServerSessionTest, EvictionAndShutdownEndTheSession) {
  for (const SessionEnd reason : {SessionEnd::kEvicted, SessionEnd::kShutdown}) {
    ServerSession other(config, setup(), kStart);
    other.end(kStart, reason);
    for (const PortKind port : kPortKinds) other.on_message(kStart, port, PortReport{});
    Effects all;
    while (auto effect = other.poll_effect()) all.push_back(std::move(*effect));
    EXPECT_EQ(find<SessionOver>(all)->reason, reason);
  }
}

TEST_F(ServerSessionTest, ActorsThatDoNotAnswerDrainAreNotWaitedForLongerThanItsTimeout) {
  prove_all();
  session.end(kStart, SessionEnd::kShutdown);
  (void)effects();
  EXPECT_EQ(session.poll_deadline()->at, kStart + ServerSession::kDrainTimeout);
  session.on_timer(kStart + ServerSession::kDrainTimeout - 1ns);
  EXPECT_TRUE(effects().empty());
  session.on_timer(kStart + ServerSession::kDrainTimeout);
  EXPECT_TRUE(find<SessionOver>(effects()));
  EXPECT_TRUE(drain().empty()) << "and it ends once";
}

TEST_F(ServerSessionTest, FirstReasonToEndIsTheOneThatIsTold) {
  prove_all();
  session.end(kStart, SessionEnd::kShutdown);
  session.end(kStart, SessionEnd::kEvicted);
  EXPECT_EQ(count_drains(effects()), 3U);
  EXPECT_EQ(find<SessionOver>(drain())->reason, SessionEnd::kShutdown);
}

TEST_F(ServerSessionTest, SessionOverIsTheLastEffectAndComesWithTheMeanRoundTrips) {
  prove_all();
  session.end(kStart, SessionEnd::kShutdown);
  PortReport report;
  report.totals.idle.rtt.emplace().mean = 3ms;
  session.on_message(kStart, PortKind::kUpload, report);
  session.on_message(kStart, PortKind::kControl, PortReport{});
  session.on_message(kStart, PortKind::kDownload, PortReport{});
  const auto all = effects();
  const auto gone = find_report<ClientGone>(all);
  EXPECT_TRUE(gone->was_connected);
  EXPECT_EQ(gone->mean_rtt[index_of(PortKind::kUpload)], 3ms);
  EXPECT_FALSE(gone->mean_rtt[index_of(PortKind::kControl)]);
  EXPECT_TRUE(std::holds_alternative<SessionOver>(all.back()));
}

TEST_F(ServerSessionTest, HeartbeatsAndTracesAreReportedWithTheClient) {
  const auto sample = find_report<ServerLatencySample>(
      tell(PortKind::kDownload, HeartbeatSample{7ms, std::nullopt, false}));
  EXPECT_EQ(sample->client, kClientEnd);
  EXPECT_EQ(sample->port, PortKind::kDownload);
  EXPECT_EQ(sample->rtt, 7ms);
  const Trace trace{TraceKind::kUcmSent, {5}, {}};
  EXPECT_TRUE(tell(PortKind::kControl, trace).empty()) << "nobody asked for it";
  config.protocol.trace = true;
  ServerSession traced(config, setup(), kStart);
  traced.on_message(kStart, PortKind::kControl, trace);
  const auto line = find_report<TraceLine>({*traced.poll_effect()});
  EXPECT_EQ(line->client, kClientEnd);
  EXPECT_EQ(line->kind, TraceKind::kUcmSent);
}

TEST_F(ServerSessionTest, ActorsAreConfiguredForTheClientAlone) {
  const PortConfig port = session.port_config(PortKind::kUpload, kStart, 5s, 42);
  EXPECT_EQ(port.side, Side::kServer);
  EXPECT_EQ(port.kind, PortKind::kUpload);
  EXPECT_EQ(port.peer, kClientEnd);
  EXPECT_EQ(port.heartbeat_key, 99U);
  EXPECT_EQ(port.idle_timeout, config.limits.idle_timeout);
  EXPECT_EQ(port.start, kStart);
  EXPECT_EQ(port.seed, 42U);
}

}  // namespace server_session_test
}  // namespace wyndrvr::engine
