// How sessions of dialect 1 end, and what their clients are told.
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "crypto/blake2b.hpp"
#include "unit/engine_acceptor_support.hpp"

namespace wyndrvr::engine {
namespace acceptor_close_test {

using namespace testing;
using wire::CloseReason;

class AcceptorCloseTest : public AcceptorTest {
 protected:
  AcceptorCloseTest() {
    config.dialect = DialectChoice::kAuto;
    config.keys = {key, other_key};
    make();
  }
  // Whether this ended the session, as its client wished.
  static bool closes(const AcceptorEffects& all, const SessionSetup& setup) {
    const auto ended = find<EndSession>(all);
    return ended && ended->id == setup.id && ended->reason == SessionEnd::kClosed;
  }
  const crypto::Key key = test_key(3, 0x11);
  const crypto::Key other_key = test_key(4, 0x22);
  const Opening plain{};
  const Opening keyed{.from = client_at(50'001), .key = key};
};

// --- the client's CLOSE ---

TEST_F(AcceptorCloseTest, WithoutAKeyItMustComeFromWhereOpenCameFrom) {
  const SessionSetup setup = admit(plain);
  const std::string close = plain.close(*setup.path);
  for (const Endpoint& elsewhere : {client_at(50'009), client_at(50'000, "192.0.2.66")}) {
    EXPECT_TRUE(send(elsewhere, close).empty());
  }
  EXPECT_EQ(acceptor->ignored(), 2U);
  EXPECT_TRUE(closes(send(plain.from, close), setup));
  EXPECT_TRUE(send(plain.from, close).empty()) << "its copies end nothing more";
  EXPECT_EQ(acceptor->free_ports(), 9U) << "until its coordinator has let them go";
  acceptor->on_session_ended(setup.id);
  EXPECT_EQ(acceptor->free_ports(), 12U);
  EXPECT_TRUE(send(plain.from, close).empty());
}

TEST_F(AcceptorCloseTest, WithAKeyItsMacDecidesWhereverItComesFrom) {
  const SessionSetup setup = admit(keyed);
  Opening without_key = keyed;
  without_key.key.reset();
  EXPECT_TRUE(send(keyed.from, without_key.close(*setup.path)).empty());
  const Opening with_other_key{.from = keyed.from, .key = other_key};
  EXPECT_TRUE(send(keyed.from, with_other_key.close(*setup.path)).empty());
  EXPECT_TRUE(closes(send(client_at(1, "203.0.113.1"), keyed.close(*setup.path)), setup))
      << "a NAT has rebound";
}

TEST_F(AcceptorCloseTest, OtherSessionOrNonceIsIgnored) {
  const SessionSetup setup = admit(plain);
  PathSetup other = *setup.path;
  ++other.handshake.session;
  EXPECT_TRUE(send(plain.from, plain.close(other)).empty());
  const Opening other_nonce{.nonce = 9};
  EXPECT_TRUE(send(plain.from, other_nonce.close(*setup.path)).empty());
}

TEST_F(AcceptorCloseTest, ServersOwnCloseSentBackToItIsIgnored) {
  const SessionSetup setup = admit(plain);
  acceptor->tell_ended(setup.id, "cause");
  const std::string close = answer(effects());
  EXPECT_TRUE(send(plain.from, close).empty());
}

// --- a new run ---

TEST_F(AcceptorCloseTest, NewRunFromTheSameEndpointEndsTheLastAndStandsBesideIt) {
  const SessionSetup first = admit(plain);
  const auto all = open({.nonce = 2});
  EXPECT_TRUE(closes(all, first));
  const SessionSetup second = bind(all);
  EXPECT_NE(second.ports[0], first.ports[0]);
  EXPECT_EQ(acceptor->session_count(), 2U);
  acceptor->on_session_ended(first.id);
  const Opening again{.nonce = 2};
  EXPECT_TRUE(answer_as<wire::Grant>(answer(open(again)))) << "the second is still known";
  EXPECT_EQ(acceptor->session_count(), 1U);
}

TEST_F(AcceptorCloseTest, LateCopyOfTheLastRunDoesNotEndTheNewOne) {
  const std::string late = plain.open(cookie_for(plain), wanted);
  (void)bind(send(plain.from, late));
  const SessionSetup second = admit({.nonce = 2});
  EXPECT_TRUE(send(plain.from, late).empty());
  acceptor->on_session_ended({1});
  EXPECT_TRUE(send(plain.from, late).empty()) << "also when that run is forgotten";
  EXPECT_TRUE(find<EndSession>(send(plain.from, plain.close(*second.path))) == std::nullopt);
  EXPECT_EQ(acceptor->session_count(), 1U);
}

TEST_F(AcceptorCloseTest, RunWithoutTheKeyDoesNotEndOneThatHasIt) {
  const SessionSetup first = admit(keyed);
  Opening other{.from = keyed.from, .nonce = 2};
  EXPECT_FALSE(find<EndSession>(open(other)));
  other.key = other_key;
  other.nonce = 3;
  EXPECT_FALSE(find<EndSession>(open(other)));
  other.key = key;
  other.nonce = 4;
  EXPECT_TRUE(closes(open(other), first));
}

TEST_F(AcceptorCloseTest, RunThatIsSupersededWhileItsPortsAreBoundEndsWhenTheyAre) {
  const auto first = find<BindPorts>(open(plain));
  const auto second = open({.nonce = 2});
  EXPECT_FALSE(find<EndSession>(second)) << "the host does not know the session yet";
  acceptor->on_bound(kStart, first->id, std::nullopt);
  const auto all = effects();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<LaunchSession>(all[0]));
  EXPECT_EQ(std::get<EndSession>(all[1]).reason, SessionEnd::kClosed);
  EXPECT_TRUE(bind(second).path);
}

TEST_F(AcceptorCloseTest, EndedRunMakesNoneOfItsRateWait) {
  config.limits.max_total_rate = BitRate{10e6};
  make();
  wanted.directions = wire::Directions::kUpload;
  (void)admit(plain);
  EXPECT_TRUE(admit({.nonce = 2}).path);
}

// --- what the server says ---

TEST_F(AcceptorCloseTest, LossOfAPartIsToldWithItsCause) {
  for (const Opening& run : {plain, keyed}) {
    const SessionSetup setup = admit(run);
    acceptor->tell_ended(setup.id, "upload worker\n\"gone\"");
    const auto all = effects();
    ASSERT_EQ(all.size(), 1U);
    const std::string octets = answer(all);
    const auto close = answer_as<wire::Close>(octets);
    ASSERT_TRUE(close);
    EXPECT_EQ(close->reason, CloseReason::kPartLost);
    EXPECT_EQ(close->text.view(), "upload worker??gone?");
    EXPECT_EQ(close->session.value, setup.path->handshake.session);
    EXPECT_EQ(find<SendFromMain>(all)->to, run.from);
    ASSERT_EQ(close->signature.has_value(), run.key.has_value());
    if (!run.key) continue;
    const auto keys = crypto::derive_session_keys(key, setup.path->handshake);
    EXPECT_EQ(crypto::packet_mac(keys.server_to_client, Port{0}, close->signature->signed_part),
              close->signature->mac);
  }
}

TEST_F(AcceptorCloseTest, CauseOfAnyLengthIsCut) {
  const SessionSetup setup = admit(plain);
  acceptor->tell_ended(setup.id, std::string(1000, 'x'));
  EXPECT_EQ(answer_as<wire::Close>(answer(effects()))->text.view(), std::string(160, 'x'));
}

TEST_F(AcceptorCloseTest, LostSessionIsReportedToldAndForgotten) {
  const SessionSetup setup = admit(plain);
  acceptor->on_session_lost(setup.id, "killed");
  const auto all = effects();
  EXPECT_EQ(std::get<SessionLost>(*find<Report>(all)).cause, "killed");
  EXPECT_EQ(answer_as<wire::Close>(answer(all))->reason, CloseReason::kPartLost);
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(acceptor->free_ports(), 12U);
  EXPECT_TRUE(find<BindPorts>(open(plain))) << "the same run may try again";
}

TEST_F(AcceptorCloseTest, LaunchThatFailsAfterTheGrantClosesTheSession) {
  const SessionSetup setup = admit(plain);
  acceptor->on_launch_failed(kStart, setup.id, "too many processes");
  const auto close = answer_as<wire::Close>(answer(effects()));
  ASSERT_TRUE(close);
  EXPECT_EQ(close->reason, CloseReason::kPartLost);
  EXPECT_EQ(close->text.view(), "it cannot start workers") << "why is the host's business";
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(acceptor->free_ports(), 12U);
}

TEST_F(AcceptorCloseTest, AllAreToldOnceThatTheServerStops) {
  const SessionSetup one = admit(plain);
  const SessionSetup other = admit(keyed);
  (void)accept(client_at(50'002));
  (void)open({.from = client_at(50'003)});  // has no GRANT yet
  acceptor->tell_all_closing();
  const auto all = effects();
  EXPECT_EQ(count<SendFromMain>(all), 2U);
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(answer_as<wire::Close>(answer(all))->reason, CloseReason::kServerStops);
  acceptor->tell_all_closing();
  EXPECT_TRUE(effects().empty());
}

TEST_F(AcceptorCloseTest, NothingOfTheOriginalIsSaidInDialectOne) {
  const SessionSetup setup = admit(plain);
  acceptor->resend_assignment(setup.id);
  acceptor->on_extended(setup.id);
  EXPECT_TRUE(effects().empty());
}

}  // namespace acceptor_close_test
}  // namespace wyndrvr::engine
