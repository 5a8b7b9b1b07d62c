#include <gtest/gtest.h>

#include "engine/connect_troubles.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace connect_troubles_test {

using testing::kStart;
using enum Unreachable;

TEST(ConnectTroubles, HopeEndsTwoSecondsAfterTheFirstRefusalIfItGoesOn) {
  ConnectTroubles troubles(1);
  troubles.on_unreachable(kStart, 0, kNobodyListens);
  EXPECT_EQ(troubles.next_look(kStart), kStart + 2s);
  troubles.on_unreachable(kStart + 1s, 0, kNobodyListens);
  EXPECT_FALSE(troubles.hopeless(kStart + 1999ms));
  EXPECT_TRUE(troubles.hopeless(kStart + 2s));
}

TEST(ConnectTroubles, ASingleRefusalIsNotBelieved) {
  ConnectTroubles troubles(1);
  troubles.on_unreachable(kStart, 0, kNobodyListens);
  EXPECT_FALSE(troubles.hopeless(kStart + 1h));
}

TEST(ConnectTroubles, RefusalsThatHaveStoppedAreOfThePast) {
  ConnectTroubles troubles(1);
  for (int i = 0; i < 8; ++i) troubles.on_unreachable(kStart + 100ms * i, 0, kHostUnreachable);
  EXPECT_FALSE(troubles.hopeless(kStart + 2s));
  troubles.on_unreachable(kStart + 4s, 0, kHostUnreachable);
  EXPECT_TRUE(troubles.hopeless(kStart + 4s)) << "they have not";
}

TEST(ConnectTroubles, OneAddressThatIsNotRefusedIsHope) {
  ConnectTroubles troubles(3);
  for (int i = 0; i < 30; ++i) {
    troubles.on_unreachable(kStart + 100ms * i, i % 2 == 0 ? 0 : 2, kNobodyListens);
    EXPECT_FALSE(troubles.hopeless(kStart + 100ms * i));
  }
  EXPECT_FALSE(troubles.cause_of(1));
}

TEST(ConnectTroubles, WhatThisHostKnowsExplainsWhatIcmpSays) {
  ConnectTroubles troubles(1);
  troubles.on_unreachable(kStart, 0, kNobodyListens);
  troubles.on_unreachable(kStart, 0, kLocalFirewall);
  troubles.on_unreachable(kStart, 0, kNobodyListens);
  EXPECT_EQ(troubles.cause_of(0), kLocalFirewall);
}

// nftables: `reject with icmpx type host-unreachable`, `no-route`.
TEST(ConnectTroubles, ALocalFirewallExplainsEachErrorThatItsRejectionSends) {
  for (const Unreachable rejection : {kNoNeighbour, kNoRoute, kProhibitedOnTheWay}) {
    ConnectTroubles troubles(1);
    troubles.on_unreachable(kStart, 0, rejection);
    troubles.on_unreachable(kStart, 0, kLocalFirewall);
    troubles.on_unreachable(kStart, 0, rejection);
    EXPECT_EQ(troubles.cause_of(0), kLocalFirewall);
  }
}

}  // namespace connect_troubles_test
}  // namespace wyndrvr::engine
