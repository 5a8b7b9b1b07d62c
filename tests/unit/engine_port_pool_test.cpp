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

TEST(PortPool, LowestFreePortComesFirst) {
  PortPool pool = pool_of({{{7100}, {7101}}, {{7000}, {7001}}});
  EXPECT_EQ(pool.take(kStart), Port{7000});
  EXPECT_EQ(pool.take(kStart), Port{7001});
  EXPECT_EQ(pool.take(kStart), Port{7100});
  pool.give_back({7000});
  EXPECT_EQ(pool.take(kStart), Port{7000});
  EXPECT_EQ(pool.take(kStart), Port{7101});
  EXPECT_FALSE(pool.take(kStart));
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
  const auto port = pool.take(kStart);
  pool.set_aside(kStart, *port);
  EXPECT_FALSE(pool.take(kStart + 60s - 1ns));
  EXPECT_EQ(pool.take(kStart + 60s), port);
}

TEST(PortPool, PortsSetAsideAtDifferentTimesComeBackEachAtItsOwn) {
  PortPool pool = pool_of({{{7000}, {7002}}});
  for (const auto when : {0s, 10s, 20s}) pool.set_aside(kStart + when, *pool.take(kStart));
  EXPECT_FALSE(pool.take(kStart + 59s));
  EXPECT_EQ(pool.take(kStart + 60s), Port{7000});
  EXPECT_FALSE(pool.take(kStart + 60s));
  EXPECT_EQ(pool.take(kStart + 80s), Port{7001});
  EXPECT_EQ(pool.take(kStart + 80s), Port{7002});
}

}  // namespace port_pool_test
}  // namespace wyndrvr::engine
