// Which of a name's addresses is asked when, and who is the server.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/connect_race.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/connect.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::engine::testing {
namespace {

std::vector<Endpoint> servers_of(std::size_t count) {
  std::vector<Endpoint> servers;
  for (std::size_t i = 0; i < count; ++i) {
    servers.push_back(endpoint("192.0.2." + std::to_string(i + 1), 6711));
  }
  return servers;
}

class ConnectRaceTest : public ::testing::Test {
 protected:
  void begin(std::size_t servers) {
    options.nonce.fill(std::byte{7});
    race.emplace(servers_of(servers), options, now);
  }
  // All that is to be sent now, by address.
  std::vector<Endpoint> sent() {
    std::vector<Endpoint> to;
    while (const auto sending = race->poll_transmit()) to.push_back(sending->to);
    return to;
  }
  // Until the deadline of the race, which is then met.
  void pass_to(Instant until) {
    while (const auto due = race->poll_deadline()) {
      if (*due > until) break;
      now = std::max(now, *due);
      race->on_timer(now);
      for (const Endpoint& to : sent()) asked.push_back(to);
    }
    now = until;
  }
  void answer_with_cookie(const Endpoint& from) {
    std::array<std::byte, wire::kMaxHandshakeSize> out{};
    const std::size_t size = wire::write_handshake(out, wire::Cookie{options.nonce, {}});
    race->on_datagram(now, from, ByteView(out).first(size));
  }

  Instant now = kStart;
  HandshakeClient::Options options;
  std::optional<ConnectRace> race;
  std::vector<Endpoint> asked;
};

TEST(InTurnByFamily, BeginsWithTheFirstOnesFamily) {
  const std::vector<Endpoint> servers = {endpoint("::1", 1), endpoint("::2", 1), endpoint("::3", 1),
                                         endpoint("192.0.2.1", 1), endpoint("192.0.2.2", 1)};
  EXPECT_EQ(in_turn_by_family(servers),
            (std::vector{servers[0], servers[3], servers[1], servers[4], servers[2]}));
  EXPECT_TRUE(in_turn_by_family({}).empty());
}

TEST_F(ConnectRaceTest, TheAddressesBeginAQuarterOfASecondApart) {
  begin(3);
  EXPECT_EQ(sent(), servers_of(1));
  pass_to(kStart + 249ms);
  EXPECT_EQ(race->asked(), 1U);
  pass_to(kStart + 250ms);
  EXPECT_EQ(race->asked(), 2U);
  EXPECT_EQ(race->current(), servers_of(3)[1]);
  pass_to(kStart + 500ms);
  EXPECT_EQ(race->asked(), 3U);
}

TEST_F(ConnectRaceTest, BehindFortyDeadOnesTheLiveOneIsAskedAfterTheirStaggers) {
  begin(41);
  sent();
  const Endpoint live = servers_of(41).back();
  pass_to(kStart + 40 * ConnectRace::kStagger);
  EXPECT_EQ(asked.back(), live);
  answer_with_cookie(live);
  EXPECT_TRUE(race->answered());
  EXPECT_EQ(race->current(), live);
}

TEST_F(ConnectRaceTest, EachGoesOnBeingAskedUntilOneHasAnswered) {
  begin(2);
  sent();
  pass_to(kStart + 2s);
  const auto servers = servers_of(2);
  EXPECT_GE(std::ranges::count(asked, servers[0]), 3);
  EXPECT_GE(std::ranges::count(asked, servers[1]), 3);
  answer_with_cookie(servers[0]);
  EXPECT_EQ(race->current(), servers[0]) << "the first may still be the one that answers first";
  sent();
  asked.clear();
  pass_to(kStart + 4s);
  EXPECT_EQ(std::ranges::count(asked, servers[1]), 0) << "the other is left alone";
  EXPECT_GE(std::ranges::count(asked, servers[0]), 3);
}

TEST_F(ConnectRaceTest, OneThatCannotBeReachedMakesWayAtOnceAndOnce) {
  begin(4);
  sent();
  const auto servers = servers_of(4);
  race->on_unreachable(now, servers[0]);
  EXPECT_EQ(race->asked(), 2U);
  race->on_unreachable(now, servers[0]);
  EXPECT_EQ(race->asked(), 2U) << "that is known already";
  race->on_unreachable(now, endpoint("203.0.113.1", 6711));
  EXPECT_EQ(race->asked(), 2U) << "a stranger's";
  EXPECT_EQ(sent(), (std::vector{servers[1]}));
}

TEST_F(ConnectRaceTest, OnlyAnAddressThatWasAskedIsHeard) {
  begin(2);
  answer_with_cookie(servers_of(2)[1]);
  EXPECT_FALSE(race->answered()) << "not asked yet";
  answer_with_cookie(endpoint("203.0.113.1", 6711));
  EXPECT_FALSE(race->answered());
}

TEST_F(ConnectRaceTest, NobodyHasAnsweredOnceTheLastOneIsGivenUp) {
  begin(3);
  pass_to(kStart + 9s);
  EXPECT_FALSE(race->poll_event());
  pass_to(kStart + 60s);
  const auto event = race->poll_event();
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::holds_alternative<HandshakeClient::NoAnswer>(*event));
  EXPECT_FALSE(race->poll_event());
  EXPECT_FALSE(race->poll_deadline());
}

TEST_F(ConnectRaceTest, AnOriginalServersAssignmentIsAnAnswer) {
  begin(2);
  pass_to(kStart + 3s);
  const auto server = servers_of(2)[1];
  race->on_datagram(now, server, as_bytes("7000,7001,7002,5"));
  EXPECT_EQ(race->current(), server);
  const auto event = race->poll_event();
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::holds_alternative<HandshakeClient::FellBack>(*event));
}

}  // namespace
}  // namespace wyndrvr::engine::testing
