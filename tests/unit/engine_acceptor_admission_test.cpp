// Sessions of dialect 1: what is granted, to whom, and within which limits.
#include <array>
#include <string>

#include <gtest/gtest.h>

#include "crypto/blake2b.hpp"
#include "unit/engine_acceptor_support.hpp"

namespace wyndrvr::engine {
namespace acceptor_admission_test {

using namespace testing;
using wire::RefuseReason;

class AcceptorAdmissionTest : public AcceptorTest {
 protected:
  AcceptorAdmissionTest() {
    config.dialect = DialectChoice::kAuto;
    wanted.directions = wire::Directions::kDownload;
    wanted.duration = 10s;
  }
  // What the last session was granted, as its client sees it.
  wire::SessionFields granted() const {
    const auto grant = answer_as<wire::Grant>(last_sent);
    EXPECT_TRUE(grant);
    return grant ? grant->granted : wire::SessionFields{};
  }
  wire::Refuse refused(const AcceptorEffects& all) {
    const auto refuse = answer_as<wire::Refuse>(answer(all));
    EXPECT_TRUE(refuse);
    return refuse.value_or(wire::Refuse{});
  }
  static Opening from_port(std::uint16_t port) { return {.from = client_at(port)}; }
};

// --- GRANT ---

TEST_F(AcceptorAdmissionTest, OpenBindsPortsAndIsAnsweredWhenTheyAreBound) {
  make();
  const Opening run;
  const auto all = open(run);
  ASSERT_EQ(all.size(), 1U);
  const SessionSetup setup = bind(all);
  EXPECT_EQ(std::get<BindPorts>(all[0]).ports, setup.ports);
  const auto grant = answer_as<wire::Grant>(last_sent);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->client_nonce, run.client_nonce());
  EXPECT_EQ(grant->ports, (wire::GrantedPorts{setup.ports[0], setup.ports[1], setup.ports[2]}));
  EXPECT_FALSE(grant->signature);
  ASSERT_TRUE(setup.path);
  EXPECT_EQ(setup.client, run.from);
  EXPECT_EQ(setup.path->handshake.session, grant->session.value);
  EXPECT_EQ(setup.path->handshake.server_nonce, grant->server_nonce);
  EXPECT_EQ(setup.path->handshake.client_nonce, run.client_nonce());
  EXPECT_EQ(fields_of(setup.path->terms), grant->granted);
  EXPECT_FALSE(setup.path->keys);
  EXPECT_EQ(acceptor->accepted(), 1U);
}

TEST_F(AcceptorAdmissionTest, SessionsShareNothingThatIsDrawn) {
  make();
  const PathSetup one = *admit(from_port(1)).path;
  const PathSetup other = *admit(from_port(2)).path;
  EXPECT_NE(one.handshake.session, other.handshake.session);
  EXPECT_NE(one.handshake.server_nonce, other.handshake.server_nonce);
  EXPECT_FALSE(crypto::equal(one.path_secret.view(), other.path_secret.view()));
}

TEST_F(AcceptorAdmissionTest, SameOpenGetsTheSameGrantOctetForOctet) {
  config.keys = {test_key(3, 0x11)};
  make();
  for (const Opening& run : {from_port(1), Opening{.key = test_key(3, 0x11)}}) {
    const std::string datagram = run.open(cookie_for(run), wanted);
    const auto first = send(run.from, datagram);
    EXPECT_TRUE(send(run.from, datagram).empty()) << "not bound yet";
    const SessionSetup setup = bind(first);
    const std::string grant = last_sent;
    EXPECT_TRUE(answer_as<wire::Grant>(grant));
    EXPECT_EQ(answer(send(run.from, datagram, kStart + 1s)), grant);
    acceptor->on_proven(setup.id);
    const auto again = send(run.from, datagram, kStart + 2s);
    EXPECT_EQ(answer(again), grant);
    EXPECT_EQ(again.size(), 1U);
  }
  EXPECT_EQ(acceptor->session_count(), 2U);
}

TEST_F(AcceptorAdmissionTest, WithAKeyTheGrantHasAMacAndTheSessionItsKeys) {
  const crypto::Key key = test_key(3, 0x11);
  config.keys = {test_key(2, 0x22), key};
  make();
  const SessionSetup setup = admit({.key = key});
  const auto grant = answer_as<wire::Grant>(last_sent);
  ASSERT_TRUE(grant && grant->signature && setup.path->keys);
  const auto keys = crypto::derive_session_keys(
      key, {grant->client_nonce, grant->server_nonce, grant->session.value});
  EXPECT_EQ(crypto::packet_mac(keys.server_to_client, Port{0}, grant->signature->signed_part),
            grant->signature->mac);
  EXPECT_TRUE(crypto::equal(setup.path->keys->client_to_server.octets.view(),
                            keys.client_to_server.octets.view()));
}

TEST_F(AcceptorAdmissionTest, TermsAreRestrictedAndEveryFieldIsAnswered) {
  config.limits.max_rate = BitRate{5e6};
  config.limits.max_streams = 2;
  config.limits.max_test_duration = 3s;
  make();
  wanted.streams = 8;
  wanted.data_tags = true;
  wanted.octets = ByteCount{1000};
  (void)admit({});
  EXPECT_EQ(granted().rate, wire::WantedRate{BitRate{5e6}});
  EXPECT_EQ(granted().streams, 2);
  EXPECT_EQ(granted().duration, 3s);
  EXPECT_EQ(granted().octets, ByteCount{1000});
  EXPECT_EQ(granted().data_tags, false) << "without a key there is nothing to make them from";
  EXPECT_TRUE(granted().payload && granted().reliable && granted().single_port);
  EXPECT_TRUE(granted().fragment && granted().traffic_class && granted().directions);
}

TEST_F(AcceptorAdmissionTest, WithAKeyDataTagsAreGranted) {
  config.keys = {test_key(3, 0x11)};
  make();
  wanted.data_tags = true;
  (void)admit({.key = test_key(3, 0x11)});
  EXPECT_EQ(granted().data_tags, true);
}

TEST_F(AcceptorAdmissionTest, PayloadIsWhatTheRouteTakesInOnePiece) {
  make();
  wanted.payload = ByteCount{9000};
  const SessionSetup setup = bind(open(from_port(1)), kStart, 1472);
  EXPECT_EQ(granted().payload, ByteCount{1472});
  EXPECT_EQ(setup.path->terms.payload_bytes, 1472U);
  (void)bind(open(from_port(2)), kStart, 65'000);
  EXPECT_EQ(granted().payload, ByteCount{9000});
  wanted.fragment = true;
  (void)bind(open(from_port(3)), kStart, 1472);
  EXPECT_EQ(granted().payload, ByteCount{9000}) << "fragments are wanted";
}

// --- ports ---

TEST_F(AcceptorAdmissionTest, SinglePortIsTakenAndGivenBackOnce) {
  make(7000, 7001);
  wanted.single_port = true;
  const SessionSetup one = admit(from_port(1));
  const Port port = one.ports[0];
  EXPECT_EQ(one.ports, (std::array<Port, 3>{port, port, port}));
  EXPECT_EQ(answer_as<wire::Grant>(last_sent)->ports, (wire::GrantedPorts{port, port, port}));
  EXPECT_EQ(acceptor->free_ports(), 1U);
  EXPECT_NE(admit(from_port(2)).ports[2], one.ports[0]);
  EXPECT_EQ(refusal_of(open(from_port(3))), RefuseReason::kNoFreePorts);
  acceptor->on_session_ended(one.id);
  EXPECT_EQ(acceptor->free_ports(), 1U);
  EXPECT_EQ(admit(from_port(3)).ports, one.ports);
}

TEST_F(AcceptorAdmissionTest, SinglePortThatCannotBeBoundIsReplaced) {
  make(7000, 7001);
  wanted.single_port = true;
  const auto first = find<BindPorts>(open({}));
  acceptor->on_bind_failed(kStart, first->id, PortKind::kDownload);
  const auto second = find<BindPorts>(effects());
  ASSERT_TRUE(second);
  EXPECT_NE(second->ports[0], first->ports[0]);
  EXPECT_EQ(second->ports[0], second->ports[2]);
  acceptor->on_bind_failed(kStart, first->id, PortKind::kControl);
  EXPECT_EQ(refusal_of(effects()), RefuseReason::kNoFreePorts) << "both are set aside";
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(acceptor->free_ports(), 2U);
}

TEST_F(AcceptorAdmissionTest, WithoutFreePortsItIsRefusedAndReportedOnce) {
  make(7000, 7004);
  const SessionSetup first = admit(from_port(1));
  const auto all = open(from_port(2));
  EXPECT_EQ(refused(all).reason, RefuseReason::kNoFreePorts);
  EXPECT_FALSE(refused(all).come_again_after);
  EXPECT_TRUE(std::holds_alternative<PortsExhausted>(*find<Report>(all)));
  EXPECT_FALSE(find<Report>(open(from_port(3))));
  EXPECT_EQ(acceptor->free_ports(), 2U);
  EXPECT_EQ(acceptor->refused(), 2U);
  acceptor->on_session_ended(first.id);
  EXPECT_TRUE(admit(from_port(2)).path);
}

TEST_F(AcceptorAdmissionTest, WherePortsAreHeldByWhoMayBeForgedTheClientIsToldToComeAgain) {
  make(7000, 7002);
  const SessionSetup forged = accept(client_at(1));
  const auto all = open(from_port(2), kStart + 2s);
  EXPECT_EQ(find<EndSession>(all)->id, forged.id);
  EXPECT_EQ(refused(all).reason, RefuseReason::kNoFreePorts);
  EXPECT_EQ(refused(all).come_again_after, Acceptor::kRoomComesBackAfter);
}

// --- limits ---

TEST_F(AcceptorAdmissionTest, LimitsHaveTheirOwnReasons) {
  config.limits.max_sessions = 4;
  config.limits.max_sessions_per_address = 2;
  config.limits.max_sessions_per_network = 3;
  make();
  const SessionSetup first = admit(from_port(1));
  (void)admit(from_port(2));
  const auto third = open(from_port(3));
  EXPECT_EQ(refused(third).reason, RefuseReason::kAddressLimit);
  EXPECT_FALSE(refused(third).come_again_after);
  EXPECT_EQ(std::get<LimitReached>(*find<Report>(third)).limit, "address limit");
  (void)admit({.from = client_at(1, "192.0.2.2")});
  EXPECT_EQ(refusal_of(open({.from = client_at(1, "192.0.2.3")})), RefuseReason::kNetworkLimit);
  (void)admit({.from = client_at(1, "192.0.3.1")});
  EXPECT_EQ(refusal_of(open({.from = client_at(1, "198.51.100.1")})), RefuseReason::kServerFull);
  acceptor->on_session_ended(first.id);
  EXPECT_TRUE(admit(from_port(3)).path) << "its places in all three counts are free again";
}

TEST_F(AcceptorAdmissionTest, SessionsOfBothDialectsCountTogether) {
  config.limits.max_sessions_per_network = 2;
  make();
  const SessionSetup original = accept(client_at(1));
  (void)admit(from_port(2));
  acceptor->on_proven(original.id);
  EXPECT_EQ(refusal_of(open({.from = client_at(1, "192.0.2.77")})), RefuseReason::kNetworkLimit);
  EXPECT_EQ(answer(connect(client_at(1, "192.0.2.78"))), "REFUSED network limit");
}

TEST_F(AcceptorAdmissionTest, ForgedSessionsInItsNameKeepNoRealAddressOut) {
  config.limits.max_sessions_per_address = 2;
  config.limits.max_sessions_per_network = 2;
  make();
  for (std::uint16_t port = 1; port <= 2; ++port) (void)accept(client_at(port));
  EXPECT_EQ(answer(connect(client_at(3))), "REFUSED address limit");
  EXPECT_TRUE(admit(from_port(4)).path);
  EXPECT_TRUE(admit(from_port(5)).path);
  EXPECT_EQ(refusal_of(open(from_port(6))), RefuseReason::kAddressLimit);
}

TEST_F(AcceptorAdmissionTest, SessionProvenBeyondItsAddressesShareEnds) {
  config.limits.max_sessions_per_address = 1;
  make();
  const SessionSetup original = accept(client_at(1));
  (void)admit(from_port(2));
  acceptor->on_proven(original.id);
  const auto all = effects();
  ASSERT_TRUE(find<EndSession>(all));
  EXPECT_EQ(find<EndSession>(all)->id, original.id);
}

TEST_F(AcceptorAdmissionTest, RealAddressesDoNotCountAsUnprovenAndAreNotEvicted) {
  config.limits.max_unproven_sessions = 1;
  make();
  for (std::uint16_t port = 1; port <= 2; ++port) EXPECT_TRUE(admit(from_port(port)).path);
  EXPECT_TRUE(find<BindPorts>(connect(client_at(3)))) << "the first that is not proven";
  const auto all = connect(client_at(4), kStart + 100s);
  EXPECT_FALSE(find<EndSession>(all)) << "its ports are not bound yet, and nobody else may go";
  EXPECT_EQ(answer(all), "REFUSED server full");
}

TEST_F(AcceptorAdmissionTest, TotalRateMakesBusyUntilTheFirstShouldBeOver) {
  config.limits.max_total_rate = BitRate{10e6};
  config.limits.proof_timeout = 4s;
  make();
  wanted.rate = wire::WantedRate{BitRate{8e6}};
  const SessionSetup first = admit(from_port(1));
  const auto all = open(from_port(2), kStart + 1s);
  EXPECT_EQ(refused(all).reason, RefuseReason::kBusy);
  EXPECT_EQ(refused(all).come_again_after, 10s)
      << "a second after its 10 s, as most are over by then";
  EXPECT_EQ(std::get<LimitReached>(*find<Report>(all)).limit, "total rate");
  acceptor->on_session_ended(first.id);
  EXPECT_TRUE(admit(from_port(2), kStart + 1s).path);
}

TEST_F(AcceptorAdmissionTest, AsFastAsItGoesIsGrantedWhatIsLeft) {
  config.limits.max_total_rate = BitRate{10e6};
  make();
  wanted.rate = wire::WantedRate{BitRate{8e6}};
  (void)admit(from_port(1));
  wanted.rate = wire::WantedRate{};
  (void)admit(from_port(2));
  EXPECT_EQ(granted().rate, wire::WantedRate{BitRate{2e6}});
  EXPECT_EQ(refusal_of(open(from_port(3))), RefuseReason::kBusy);
}

TEST_F(AcceptorAdmissionTest, RateOfAFailedBindingComesBack) {
  config.limits.max_total_rate = BitRate{10e6};
  make(7000, 7002);
  const auto first = find<BindPorts>(open(from_port(1)));
  acceptor->on_launch_failed(kStart, first->id, "why");
  EXPECT_EQ(refusal_of(effects()), RefuseReason::kNoWorker);
  (void)admit(from_port(2));
  EXPECT_EQ(granted().rate, wire::WantedRate{BitRate{10e6}});
}

TEST_F(AcceptorAdmissionTest, WhoHoldsHisShareForTooLongMakesRoomWhenItIsWanted) {
  config.limits.max_total_rate = BitRate{10e6};
  make();
  const SessionSetup first = admit(from_port(1));
  const Duration most = config.limits.proof_timeout + 10s + Acceptor::kSessionMargin;
  const auto early = open(from_port(2), kStart + most);
  EXPECT_FALSE(find<EndSession>(early));
  EXPECT_EQ(refused(early).come_again_after, 1s);
  const auto late = open(from_port(2), kStart + most + RateBook::kOverdueAfter);
  ASSERT_TRUE(find<EndSession>(late));
  EXPECT_EQ(find<EndSession>(late)->id, first.id);
  EXPECT_EQ(find<EndSession>(late)->reason, SessionEnd::kEvicted);
  const auto close = answer_as<wire::Close>(answer(late));
  ASSERT_TRUE(close);
  EXPECT_EQ(close->reason, wire::CloseReason::kEvicted);
  EXPECT_EQ(find<SendFromMain>(late)->to, client_at(1));
  EXPECT_TRUE(admit(from_port(2), kStart + most + RateBook::kOverdueAfter + 1s).path);
}

TEST_F(AcceptorAdmissionTest, RefusalHasAMacWhereOpenHadARightOne) {
  const crypto::Key key = test_key(3, 0x11);
  config.keys = {key};
  config.limits.max_sessions = 0;
  make();
  const std::string octets = answer(open({.key = key}));
  const auto refuse = answer_as<wire::Refuse>(octets);
  ASSERT_TRUE(refuse && refuse->signature);
  EXPECT_EQ(crypto::refuse_mac(crypto::derive_refuse_key(key), refuse->signature->signed_part),
            refuse->signature->mac);
  EXPECT_FALSE(refused(open({})).signature);
  const auto wrong = refused(open({.key = test_key(3, 0x12)}));
  EXPECT_EQ(wrong.reason, RefuseReason::kWrongMac);
  EXPECT_FALSE(wrong.signature);
  EXPECT_EQ(acceptor->session_count(), 0U);
}

}  // namespace acceptor_admission_test
}  // namespace wyndrvr::engine
