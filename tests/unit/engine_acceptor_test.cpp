// The acceptor in 0.14, and what is common to both dialects.
#include <array>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "unit/engine_acceptor_support.hpp"

namespace wyndrvr::engine {
namespace acceptor_test {

using namespace testing;

std::string assignment(const SessionSetup& setup) {
  return std::to_string(setup.ports[0].value) + "," + std::to_string(setup.ports[1].value) + "," +
         std::to_string(setup.ports[2].value) + "," + std::to_string(setup.heartbeat_key);
}

TEST_F(AcceptorTest, ConnectBindsTheLowestThreePortsBeforeItIsAnswered) {
  make();
  const auto all = connect(client_at(50'000));
  ASSERT_EQ(all.size(), 1U);
  const auto wanted_ports = std::get<BindPorts>(all[0]);
  EXPECT_EQ(wanted_ports.ports, (std::array<Port, 3>{{{7000}, {7001}, {7002}}}));
  EXPECT_EQ(wanted_ports.local, kMainAddress);

  acceptor->on_bound(kStart, wanted_ports.id, std::nullopt);
  const auto after = effects();
  ASSERT_EQ(after.size(), 2U);
  const SessionSetup setup = std::get<LaunchSession>(after[0]).setup;
  EXPECT_EQ(setup.client, client_at(50'000));
  EXPECT_LE(setup.heartbeat_key, 60'000U);
  const auto send = std::get<SendFromMain>(after[1]);
  EXPECT_EQ(send.to, client_at(50'000));
  EXPECT_EQ(send.from, kMainAddress);
  EXPECT_EQ(answer(after), assignment(setup));
}

TEST_F(AcceptorTest, OtherDatagramsAreIgnored) {
  make();
  for (const char* text : {"", "CONNECT ", "connect", "CONNEC", "\x06junk"}) {
    EXPECT_TRUE(send(client_at(50'000), text).empty());
  }
  EXPECT_EQ(acceptor->ignored(), 5U);
  EXPECT_EQ(acceptor->session_count(), 0U);
}

TEST_F(AcceptorTest, RepeatedConnectGetsTheSameNumbersUntilProven) {
  make();
  const SessionSetup setup = accept(client_at(50'000));
  for (int i = 0; i < 3; ++i) {
    const auto again = connect(client_at(50'000), kStart + 1s);
    EXPECT_EQ(again.size(), 1U);
    EXPECT_EQ(answer(again), assignment(setup));
  }
  acceptor->on_proven(setup.id);
  EXPECT_TRUE(connect(client_at(50'000), kStart + 2s).empty());
  EXPECT_EQ(acceptor->session_count(), 1U);
}

TEST_F(AcceptorTest, RepeatedConnectIsNotAnsweredBeforeThePortsAreBound) {
  make();
  EXPECT_EQ(connect(client_at(50'000)).size(), 1U);
  EXPECT_TRUE(connect(client_at(50'000)).empty());
}

TEST_F(AcceptorTest, OneAddressMayHaveSeveralSessions) {
  make();
  EXPECT_EQ(accept(client_at(50'000)).ports[0], Port{7000});
  EXPECT_EQ(accept(client_at(50'001)).ports[0], Port{7003});
}

TEST_F(AcceptorTest, AssignmentIsResentOnlyWhileNotProven) {
  make();
  const SessionSetup setup = accept(client_at(50'000));
  acceptor->resend_assignment(setup.id);
  EXPECT_EQ(answer(effects()), assignment(setup));
  acceptor->on_proven(setup.id);
  acceptor->resend_assignment(setup.id);
  EXPECT_TRUE(effects().empty());
}

TEST_F(AcceptorTest, PortsComeBackWhenTheSessionHasEnded) {
  make();
  const SessionSetup setup = accept(client_at(50'000));
  EXPECT_EQ(acceptor->free_ports(), 9U);
  acceptor->on_session_ended(setup.id);
  EXPECT_EQ(acceptor->free_ports(), 12U);
  EXPECT_EQ(acceptor->session_count(), 0U);
  acceptor->on_session_ended(setup.id);
  EXPECT_EQ(acceptor->free_ports(), 12U) << "once only";
  EXPECT_EQ(accept(client_at(50'000)).ports[0], Port{7000});
}

TEST_F(AcceptorTest, WithoutThreeFreePortsItRefusesAndKeepsNone) {
  make(7000, 7004);
  const SessionSetup first = accept(client_at(50'000));
  EXPECT_EQ(answer(connect(client_at(50'001))), "REFUSED no free ports");
  EXPECT_EQ(acceptor->free_ports(), 2U);
  EXPECT_EQ(acceptor->session_count(), 1U);
  acceptor->on_session_ended(first.id);
  EXPECT_EQ(accept(client_at(50'001)).ports[0], Port{7000});
}

TEST_F(AcceptorTest, RefusalsAreReportedOnceUntilASessionHasEnded) {
  make(7000, 7002);
  const SessionSetup first = accept(client_at(50'000));
  EXPECT_TRUE(find<Report>(connect(client_at(50'001))));
  EXPECT_FALSE(find<Report>(connect(client_at(50'002))));
  EXPECT_EQ(acceptor->refused(), 2U);
  acceptor->on_session_ended(first.id);
  (void)accept(client_at(50'003));
  EXPECT_TRUE(find<Report>(connect(client_at(50'004))));
}

TEST_F(AcceptorTest, AddressLimitIsPerAddress) {
  config.limits.max_sessions_per_address = 2;
  make();
  const SessionSetup first = accept(client_at(50'000));
  (void)accept(client_at(50'001));
  EXPECT_EQ(answer(connect(client_at(50'002))), "REFUSED address limit");
  EXPECT_EQ(accept(client_at(50'002, "192.0.2.2")).ports[0], Port{7006}) << "another address";
  acceptor->on_session_ended(first.id);
  EXPECT_EQ(accept(client_at(50'002)).ports[0], Port{7000});
}

TEST_F(AcceptorTest, SessionsInAllAreLimited) {
  config.limits.max_sessions = 2;
  make();
  acceptor->on_proven(accept(client_at(50'000)).id);
  acceptor->on_proven(accept(client_at(50'001)).id);
  EXPECT_EQ(answer(connect(client_at(50'002), kStart + 10s)), "REFUSED server full");
}

TEST_F(AcceptorTest, OldestUnprovenSessionMakesRoomAfterOneSecond) {
  config.limits.max_unproven_sessions = 2;
  make();
  const SessionSetup first = accept(client_at(50'000), kStart);
  (void)accept(client_at(50'001), kStart + 500ms);
  EXPECT_EQ(answer(connect(client_at(50'002), kStart + 999ms)), "REFUSED server full");

  const auto all = connect(client_at(50'002), kStart + 1s);
  ASSERT_TRUE(find<EndSession>(all));
  EXPECT_EQ(find<EndSession>(all)->id, first.id);
  EXPECT_EQ(find<EndSession>(all)->reason, SessionEnd::kEvicted);
  EXPECT_TRUE(find<BindPorts>(all));
  EXPECT_EQ(answer(connect(client_at(50'003), kStart + 1s)), "REFUSED server full")
      << "the next oldest is too young";
}

TEST_F(AcceptorTest, ProvenSessionIsNeverEvicted) {
  config.limits.max_unproven_sessions = 1;
  make();
  acceptor->on_proven(accept(client_at(50'000)).id);
  const SessionSetup unproven = accept(client_at(50'001));
  const auto all = connect(client_at(50'002), kStart + 100s);
  EXPECT_EQ(find<EndSession>(all)->id, unproven.id);
}

TEST_F(AcceptorTest, EvictionFreesPortsForTheNextAttempt) {
  make(7000, 7002);
  const SessionSetup first = accept(client_at(50'000));
  const auto all = connect(client_at(50'001), kStart + 2s);
  EXPECT_EQ(find<EndSession>(all)->id, first.id);
  EXPECT_EQ(answer(all), "") << "its next CONNECT finds the room";
  EXPECT_FALSE(find<EndSession>(connect(client_at(50'002), kStart + 2s))) << "it is ending already";
  acceptor->on_session_ended(first.id);
  EXPECT_EQ(accept(client_at(50'001), kStart + 3s).ports[0], Port{7000});
}

TEST_F(AcceptorTest, PortThatCannotBeBoundIsReplacedByTheNextAndSetAside) {
  make();
  const auto wanted_ports = find<BindPorts>(connect(client_at(50'000)));
  acceptor->on_bind_failed(kStart, wanted_ports->id, PortKind::kUpload);
  const auto again = find<BindPorts>(effects());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->ports, (std::array<Port, 3>{{{7000}, {7003}, {7002}}}));
  acceptor->on_bound(kStart, wanted_ports->id, std::nullopt);
  acceptor->on_session_ended(wanted_ports->id);
  EXPECT_EQ(acceptor->free_ports(), 12U);
  EXPECT_EQ(accept(client_at(50'000), kStart + 59s).ports[1], Port{7002});
  EXPECT_EQ(accept(client_at(50'001), kStart + 60s).ports[0], Port{7001});
}

TEST_F(AcceptorTest, WhereNoPortCanBeBoundTheClientIsRefusedAndNothingIsKept) {
  make(7000, 7002);
  const auto wanted_ports = find<BindPorts>(connect(client_at(50'000)));
  acceptor->on_bind_failed(kStart, wanted_ports->id, PortKind::kControl);
  const auto all = effects();
  EXPECT_EQ(answer(all), "REFUSED no free ports");
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(acceptor->free_ports(), 3U);
  acceptor->on_bound(kStart, wanted_ports->id, std::nullopt);
  EXPECT_TRUE(effects().empty());
}

// --- sessions that fail ---

TEST_F(AcceptorTest, OnlyAClientThatUnderstandsIsToldOfTheEnd) {
  make();
  const SessionSetup setup = accept(client_at(50'000));
  acceptor->on_proven(setup.id);
  acceptor->tell_ended(setup.id, "a fault");
  EXPECT_TRUE(effects().empty()) << "an original client, as far as we know";

  acceptor->on_extended(setup.id);
  acceptor->tell_ended(setup.id, "a fault");
  const auto all = effects();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(answer(all), "ENDED " + std::to_string(setup.heartbeat_key) + " a fault");
  EXPECT_EQ(find<SendFromMain>(all)->to, client_at(50'000));
  EXPECT_EQ(find<SendFromMain>(all)->from, kMainAddress);
  EXPECT_EQ(acceptor->session_count(), 1U) << "the session ends when its coordinator says so";
}

TEST_F(AcceptorTest, CauseOfAnyLengthAndKindCanBeTold) {
  make();
  const SessionSetup setup = accept(client_at(50'000));
  acceptor->on_extended(setup.id);
  acceptor->tell_ended(setup.id, "\x1b[2J" + std::string(1000, 'x'));
  EXPECT_TRUE(answer(effects()).ends_with(" ?[2J" + std::string(156, 'x')));
}

TEST_F(AcceptorTest, LostSessionIsReportedToldAndForgotten) {
  make();
  const SessionSetup setup = accept(client_at(50'000));
  acceptor->on_proven(setup.id);
  acceptor->on_extended(setup.id);
  acceptor->on_session_lost(setup.id, "session worker exited with 1");
  const auto all = effects();
  ASSERT_EQ(all.size(), 2U);
  const auto lost = std::get<SessionLost>(std::get<Report>(all[0]));
  EXPECT_EQ(lost.client, client_at(50'000));
  EXPECT_EQ(lost.cause, "session worker exited with 1");
  EXPECT_EQ(answer(all), "ENDED " + std::to_string(setup.heartbeat_key) + " " + lost.cause);
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(acceptor->free_ports(), 12U);
  acceptor->on_session_lost(setup.id, "once more");
  EXPECT_TRUE(effects().empty());
}

TEST_F(AcceptorTest, LostSessionOfAnOriginalClientIsOnlyReported) {
  make();
  const SessionSetup setup = accept(client_at(50'000));
  acceptor->on_session_lost(setup.id, "killed");
  const auto all = effects();
  EXPECT_EQ(all.size(), 1U);
  EXPECT_TRUE(find<Report>(all));
  EXPECT_EQ(acceptor->free_ports(), 12U);
}

TEST_F(AcceptorTest, SessionThatCannotBeLaunchedIsRefusedAfterAll) {
  make();
  const SessionSetup setup = accept(client_at(50'000));
  acceptor->on_launch_failed(kStart, setup.id, "too many processes");
  const auto all = effects();
  EXPECT_EQ(answer(all), "REFUSED cannot start workers");
  EXPECT_EQ(find<SendFromMain>(all)->to, client_at(50'000));
  EXPECT_EQ(std::get<LimitReached>(*find<Report>(all)).limit,
            "cannot start workers: too many processes");
  EXPECT_EQ(acceptor->refused(), 1U);
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(acceptor->free_ports(), 12U);
  EXPECT_EQ(accept(client_at(50'000)).ports[0], Port{7000}) << "a further CONNECT is a new one";
}

TEST_F(AcceptorTest, LaunchesThatFailAreReportedOnceUntilASessionHasEnded) {
  make();
  const SessionSetup good = accept(client_at(50'000));
  acceptor->on_launch_failed(kStart, accept(client_at(50'001)).id, "why");
  EXPECT_TRUE(find<Report>(effects()));
  acceptor->on_launch_failed(kStart, accept(client_at(50'002)).id, "why");
  EXPECT_FALSE(find<Report>(effects()));
  EXPECT_EQ(acceptor->refused(), 2U);
  acceptor->on_session_ended(good.id);
  acceptor->on_launch_failed(kStart, accept(client_at(50'003)).id, "why");
  EXPECT_TRUE(find<Report>(effects()));
}

TEST_F(AcceptorTest, EvictedSessionMayStillFailToLaunch) {
  config.limits.max_unproven_sessions = 1;
  make();
  const SessionSetup first = accept(client_at(50'000));
  (void)connect(client_at(50'001), kStart + 2s);
  acceptor->on_launch_failed(kStart + 2s, first.id, "why");
  EXPECT_EQ(acceptor->session_count(), 1U);
  EXPECT_EQ(acceptor->free_ports(), 9U);
}

TEST_F(AcceptorTest, UnknownSessionsAreNoReasonToDoAnything) {
  make();
  acceptor->on_bound(kStart, {77}, std::nullopt);
  acceptor->on_bind_failed(kStart, {77}, PortKind::kControl);
  acceptor->on_proven({77});
  acceptor->resend_assignment({77});
  acceptor->on_session_ended({77});
  acceptor->on_extended({77});
  acceptor->tell_ended({77}, "cause");
  acceptor->on_session_lost({77}, "cause");
  acceptor->on_launch_failed(kStart, {77}, "why");
  EXPECT_TRUE(effects().empty());
}

TEST_F(AcceptorTest, FloodFromManyAddressesKeepsAllBounds) {
  config.limits.max_unproven_sessions = 3;
  make();
  for (int i = 0; i < 2000; ++i) {
    const Instant now = kStart + i * 10ms;
    const Endpoint from = client_at(static_cast<std::uint16_t>(40'000 + i));
    for (const AcceptorEffect& effect : connect(from, now)) {
      if (const auto* wanted_ports = std::get_if<BindPorts>(&effect))
        acceptor->on_bound(now, wanted_ports->id, std::nullopt);
      if (const auto* end = std::get_if<EndSession>(&effect)) acceptor->on_session_ended(end->id);
    }
    (void)effects();
    ASSERT_LE(acceptor->session_count(), 4U);
  }
  EXPECT_GT(acceptor->accepted(), 10U) << "room is made again and again";
  EXPECT_EQ(acceptor->free_ports() + 3 * acceptor->session_count(), 12U);
}

}  // namespace acceptor_test
}  // namespace wyndrvr::engine
