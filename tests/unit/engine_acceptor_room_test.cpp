// What a stranger cannot do at the main port, and how room is made for those who want it.
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "unit/engine_acceptor_support.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;
using wire::RefuseReason;

class AcceptorRoomTest : public AcceptorTest {
 protected:
  AcceptorRoomTest() { config.dialect = DialectChoice::kAuto; }

  static Opening run_of(std::uint16_t port, std::string_view host = "192.0.2.1") {
    return {.from = client_at(port, host), .nonce = static_cast<unsigned char>(port)};
  }
  AcceptorEffects send_to(std::string_view local, std::string_view octets,
                          const Endpoint& from = client_at(50'000)) {
    acceptor->on_datagram(kStart, from, address(local), as_bytes(octets));
    return effects();
  }
  // A client of 0.14 with all its ports proven.
  SessionSetup prove(std::uint16_t port, std::string_view host, Instant now = kStart) {
    const SessionSetup setup = accept(client_at(port, host), now);
    acceptor->on_proven(setup.id);
    return setup;
  }
};

// --- one datagram takes no port from anybody ---

TEST_F(AcceptorRoomTest, NothingIsOpenedForGroupAddresses) {
  make();
  for (const char* local :
       {"224.0.0.1", "239.255.0.1", "255.255.255.255", "ff02::1", "ff05::2", "::ffff:224.0.0.1"}) {
    EXPECT_TRUE(send_to(local, wire::kConnect).empty()) << local;
    EXPECT_TRUE(send_to(local, run_of(1).hello()).empty()) << local;
  }
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(acceptor->ignored(), 12U);
}

TEST_F(AcceptorRoomTest, NothingIsOpenedForWhoCannotBeAnswered) {
  make();
  for (const Endpoint& from :
       {client_at(0), endpoint("0.0.0.0", 5), endpoint("224.0.0.1", 5), endpoint("ff02::1", 5)}) {
    EXPECT_TRUE(send(from, wire::kConnect).empty()) << to_string(from);
    EXPECT_TRUE(send(from, run_of(1).hello()).empty()) << to_string(from);
  }
  EXPECT_EQ(acceptor->session_count(), 0U);
}

TEST_F(AcceptorRoomTest, RefusedAddressCostsNoPortAndGetsNoAnswer) {
  make(7000, 7002);
  for (int i = 0; i < 100; ++i) {
    const auto original = find<BindPorts>(connect(client_at(50'000)));
    ASSERT_TRUE(original);
    acceptor->on_address_refused(original->id);
    EXPECT_TRUE(effects().empty());
    const auto one = find<BindPorts>(open(run_of(1)));
    ASSERT_TRUE(one);
    acceptor->on_address_refused(one->id);
    EXPECT_TRUE(effects().empty());
  }
  EXPECT_EQ(acceptor->free_ports(), 3U);
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(accept(client_at(1)).ports[0], Port{7000});
}

TEST_F(AcceptorRoomTest, PortsTakenAtOneAddressAreFreeAtTheOthers) {
  make(7000, 7002);
  auto wanted_ports = find<BindPorts>(send_to("198.51.100.9", wire::kConnect));
  while (wanted_ports) {
    acceptor->on_bind_failed(kStart, wanted_ports->id, PortKind::kControl);
    wanted_ports = find<BindPorts>(effects());
  }
  EXPECT_EQ(accept(client_at(1)).ports[0], Port{7000}) << "at the address that others use";
}

TEST_F(AcceptorRoomTest, DialectOneHasAnyPortsAndOriginalTheLowest) {
  make(7000, 7999);
  std::set<Port> seen;
  for (std::uint16_t port = 1; port <= 20; ++port) {
    for (const Port given : admit(run_of(port)).ports) EXPECT_TRUE(seen.insert(given).second);
  }
  // 60 draws all below 7500 come once in 2^60.
  EXPECT_GT(*seen.rbegin(), Port{7500});
  EXPECT_LT(*seen.begin(), Port{7500});
  std::uint16_t lowest = 7000;
  while (seen.contains(Port{lowest})) ++lowest;
  EXPECT_EQ(accept(client_at(60)).ports[0], Port{lowest});
}

TEST_F(AcceptorRoomTest, RefusalsAreNoLongerThanTheConnectsTheyAnswer) {
  config.limits.max_sessions_per_address = 1;
  make();
  const SessionSetup first = accept(client_at(1));
  std::size_t in = 0;
  std::size_t out = 0;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const std::string refusal = answer(connect(client_at(static_cast<std::uint16_t>(1000 + i))));
    EXPECT_TRUE(refusal.starts_with("REFUSED")) << refusal;
    in += wire::kConnect.size();
    out += refusal.size();
    ASSERT_LE(out, in + Acceptor::kRefusalCredit);
  }
  acceptor->on_proven(first.id);
  EXPECT_EQ(answer(connect(client_at(9000))), "REFUSED address limit");
}

// --- shares ---

TEST_F(AcceptorRoomTest, OldestForgedSessionOfAnAddressMakesRoomForIt) {
  config.limits.max_sessions_per_address = 2;
  make();
  const SessionSetup other = accept(client_at(9, "192.0.2.2"));
  const SessionSetup first = accept(client_at(1));
  (void)accept(client_at(2));
  EXPECT_EQ(answer(connect(client_at(3))), "REFUSED address limit");
  const auto all = connect(client_at(3), kStart + 1s);
  ASSERT_TRUE(find<EndSession>(all));
  EXPECT_EQ(find<EndSession>(all)->id, first.id) << "and not " << other.id.value;
  EXPECT_EQ(answer(all), "") << "its next CONNECT finds the room";
  acceptor->on_session_ended(first.id);
  EXPECT_TRUE(find<BindPorts>(connect(client_at(3), kStart + 2s)));
}

TEST_F(AcceptorRoomTest, NetworkLimitHoldsInBothDialects) {
  config.limits.max_sessions_per_network = 2;
  make();
  (void)prove(1, "192.0.2.1");
  (void)admit(run_of(1, "192.0.2.2"));
  EXPECT_EQ(answer(connect(client_at(1, "192.0.2.3"))), "REFUSED network limit");
  EXPECT_EQ(refusal_of(open(run_of(1, "192.0.2.4"))), RefuseReason::kNetworkLimit);
  EXPECT_TRUE(find<BindPorts>(connect(client_at(1, "198.51.100.1"))));
}

// --- room ---

TEST_F(AcceptorRoomTest, WhoHasNoTestMakesRoomAfterAMinute) {
  make(7000, 7005);
  const SessionSetup idle = prove(1, "192.0.2.1");
  (void)prove(2, "192.0.2.2", kStart + 30s);
  EXPECT_EQ(answer(connect(client_at(3, "192.0.2.3"), kStart + 59s)), "REFUSED no free ports");
  const auto all = connect(client_at(3, "192.0.2.3"), kStart + 61s);
  ASSERT_TRUE(find<EndSession>(all));
  EXPECT_EQ(find<EndSession>(all)->id, idle.id);
  EXPECT_EQ(find<EndSession>(all)->reason, SessionEnd::kEvicted);
  EXPECT_EQ(answer(all), "");
  acceptor->on_session_ended(idle.id);
  EXPECT_EQ(accept(client_at(3, "192.0.2.3"), kStart + 62s).ports[0], Port{7000});
}

TEST_F(AcceptorRoomTest, WhoIsInATestDoesNotMakeRoom) {
  make(7000, 7002);
  const SessionSetup busy = prove(1, "192.0.2.1");
  acceptor->on_testing(kStart + 1s, busy.id, 600s);
  EXPECT_FALSE(find<EndSession>(connect(client_at(2), kStart + 601s)));
  EXPECT_TRUE(find<EndSession>(connect(client_at(2), kStart + 662s)));
}

TEST_F(AcceptorRoomTest, TestIsBelievedToLastAsLongAsItMay) {
  config.limits.max_test_duration = 10s;
  make(7000, 7002);
  const SessionSetup liar = prove(1, "192.0.2.1");
  acceptor->on_testing(kStart, liar.id, 24h);
  EXPECT_TRUE(find<EndSession>(connect(client_at(2), kStart + 71s)));
}

TEST_F(AcceptorRoomTest, AddressThatHoldsTheMostMakesRoomFirst) {
  make(7000, 7008);
  (void)prove(1, "192.0.2.1");
  const SessionSetup second = prove(1, "198.51.100.1", kStart + 1s);
  (void)prove(2, "198.51.100.1", kStart + 2s);
  const auto all = open(run_of(3, "203.0.113.3"), kStart + 100s);
  ASSERT_TRUE(find<EndSession>(all));
  EXPECT_EQ(find<EndSession>(all)->id, second.id);
  const auto refuse = answer_as<wire::Refuse>(answer(all));
  ASSERT_TRUE(refuse);
  EXPECT_EQ(refuse->come_again_after, Acceptor::kRoomComesBackAfter);
}

TEST_F(AcceptorRoomTest, ClientOfDialectOneIsToldWhyItGoes) {
  config.limits.max_sessions = 1;
  make();
  const SessionSetup idle = admit(run_of(1));
  const auto all = open(run_of(2, "203.0.113.3"), kStart + 100s);
  ASSERT_TRUE(find<EndSession>(all));
  EXPECT_EQ(find<EndSession>(all)->id, idle.id);
  const auto close = answer_as<wire::Close>(answer(all));
  ASSERT_TRUE(close);
  EXPECT_EQ(close->reason, wire::CloseReason::kEvicted);
}

TEST_F(AcceptorRoomTest, FloodClearsNoMoreThanOneASecond) {
  make(7000, 7029);
  for (std::uint16_t i = 1; i <= 10; ++i) (void)prove(i, "192.0.2." + std::to_string(i));
  std::size_t ended = 0;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    const Endpoint forged = client_at(static_cast<std::uint16_t>(1000 + i), "203.0.113.7");
    ended += count<EndSession>(connect(forged, kStart + 100s + i * 1ms));
  }
  EXPECT_EQ(ended, 1U);
}

TEST_F(AcceptorRoomTest, UnprovenSessionsMakeRoomBeforeIdleOnes) {
  make(7000, 7005);
  (void)prove(1, "192.0.2.1");
  const SessionSetup forged = accept(client_at(2, "192.0.2.2"), kStart + 90s);
  const auto all = connect(client_at(3, "192.0.2.3"), kStart + 100s);
  ASSERT_TRUE(find<EndSession>(all));
  EXPECT_EQ(find<EndSession>(all)->id, forged.id);
}

TEST_F(AcceptorRoomTest, EndOfItsTimeIsToldWithItsReason) {
  make();
  const SessionSetup setup = admit(run_of(1));
  acceptor->tell_ended(setup.id, "over", SessionEnd::kTimeOver);
  const auto close = answer_as<wire::Close>(answer(effects()));
  ASSERT_TRUE(close);
  EXPECT_EQ(close->reason, wire::CloseReason::kTimeOver);
}

}  // namespace
}  // namespace wyndrvr::engine
