#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "engine/port_pool.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace port_pool_test {

using namespace testing;

PortPool pool_of(std::vector<PortRange> ranges) {
  return PortPool(ranges);
}

const IpAddress kHere = address("192.0.2.9");
const IpAddress kElsewhere = address("198.51.100.9");

TEST(PortPool, LowestFreePortComesFirst) {
  PortPool pool = pool_of({{{7100}, {7101}}, {{7000}, {7001}}});
  EXPECT_EQ(pool.take_lowest(kStart, kHere), Port{7000});
  EXPECT_EQ(pool.take_lowest(kStart, kHere), Port{7001});
  EXPECT_EQ(pool.take_lowest(kStart, kHere), Port{7100});
  pool.give_back({7000});
  EXPECT_EQ(pool.take_lowest(kStart, kHere), Port{7000});
  EXPECT_EQ(pool.take_lowest(kStart, kHere), Port{7101});
  EXPECT_FALSE(pool.take_lowest(kStart, kHere));
}

TEST(PortPool, AnyFreePortFollowsFromTheNumberDrawn) {
  std::set<Port> seen;
  for (std::uint64_t drawn = 0; drawn < 10; ++drawn) {
    PortPool pool = pool_of({{{7000}, {7009}}});
    seen.insert(pool.take_any(kStart, kHere, drawn).value());
  }
  EXPECT_EQ(seen.size(), 10U) << "each number has a port of its own";
}

TEST(PortPool, BothWaysOfTakingLeaveEachPortToOne) {
  PortPool pool = pool_of({{{7000}, {7099}}});
  std::set<Port> taken;
  for (std::uint64_t i = 0; i < 50; ++i) {
    EXPECT_TRUE(taken.insert(pool.take_any(kStart, kHere, i * 7919).value()).second);
    EXPECT_TRUE(taken.insert(pool.take_lowest(kStart, kHere).value()).second);
  }
  EXPECT_EQ(pool.free_count(), 0U);
  EXPECT_FALSE(pool.take_any(kStart, kHere, 5));
  for (const Port port : taken) pool.give_back(port);
  EXPECT_EQ(pool.free_count(), 100U);
}

TEST(PortPool, OverlappingRangesHoldEachPortOnce) {
  PortPool pool = pool_of({{{7000}, {7002}}, {{7001}, {7003}}});
  EXPECT_EQ(pool.size(), 4U);
  EXPECT_EQ(pool.free_count(), 4U);
}

TEST(PortPool, RangeMayReachTheLastPortThereIs) {
  EXPECT_EQ(pool_of({{{65'534}, {65'535}}}).size(), 2U);
}

TEST(PortPool, PortSetAsideComesBackAfterAMinute) {
  PortPool pool = pool_of({{{7000}, {7000}}});
  const auto port = pool.take_lowest(kStart, kHere);
  pool.set_aside(kStart, *port, kHere);
  EXPECT_FALSE(pool.take_lowest(kStart + 60s - 1ns, kHere));
  EXPECT_FALSE(pool.take_any(kStart + 60s - 1ns, kHere, 3));
  EXPECT_EQ(pool.take_lowest(kStart + 60s, kHere), port);
}

TEST(PortPool, PortSetAsideAtOneAddressIsFreeAtTheOthers) {
  PortPool pool = pool_of({{{7000}, {7009}}});
  while (const auto port = pool.take_lowest(kStart, kHere)) pool.set_aside(kStart, *port, kHere);
  EXPECT_FALSE(pool.take_any(kStart, kHere, 0));
  EXPECT_EQ(pool.take_lowest(kStart, kElsewhere), Port{7000});
  EXPECT_TRUE(pool.take_any(kStart, kElsewhere, 1));
}

TEST(PortPool, WhatIsSetAsideAtManyAddressesIsForgottenOldestFirst) {
  PortPool pool = pool_of({{{7000}, {7001}}});
  pool.set_aside(kStart, *pool.take_lowest(kStart, kHere), kHere);
  pool.set_aside(kStart, *pool.take_lowest(kStart, kElsewhere), kElsewhere);
  EXPECT_EQ(pool.take_lowest(kStart, kHere), Port{7001});
  pool.give_back({7001});
  const IpAddress third = address("203.0.113.9");
  pool.set_aside(kStart, *pool.take_lowest(kStart, third), third);
  EXPECT_EQ(pool.take_lowest(kStart, kHere), Port{7000}) << "two ports, two memories";
}

TEST(PortPool, PortsSetAsideAtDifferentTimesComeBackEachAtItsOwn) {
  PortPool pool = pool_of({{{7000}, {7002}}});
  for (const auto when : {0s, 10s, 20s}) {
    pool.set_aside(kStart + when, *pool.take_lowest(kStart, kHere), kHere);
  }
  EXPECT_FALSE(pool.take_lowest(kStart + 59s, kHere));
  EXPECT_EQ(pool.take_lowest(kStart + 60s, kHere), Port{7000});
  EXPECT_FALSE(pool.take_lowest(kStart + 60s, kHere));
  EXPECT_EQ(pool.take_lowest(kStart + 80s, kHere), Port{7001});
  EXPECT_EQ(pool.take_lowest(kStart + 80s, kHere), Port{7002});
}

}  // namespace port_pool_test
}  // namespace wyndrvr::engine
