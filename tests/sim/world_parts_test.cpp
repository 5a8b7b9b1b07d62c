// Clocks, links and the event queue: what the simulated world stands on.
#include <vector>

#include <gtest/gtest.h>

#include "sim/clock.hpp"
#include "sim/event_queue.hpp"
#include "sim/link.hpp"

namespace wyndrvr::sim {
namespace world_parts_test {

TEST(HostClock, TellsTheFirstMomentAtWhichItShowsATime) {
  for (const std::int64_t drift : {-200'000, -1, 0, 7, 200'000}) {
    const HostClock clock({.start = Instant(12345s), .drift_ppb = drift, .wall_offset = {}});
    for (const Duration elapsed :
         {Duration(0), Duration(1), Duration(999'999'937), Duration(90s)}) {
      const Instant shown = Instant(12345s) + elapsed;
      const TrueTime at = clock.when(shown);
      EXPECT_GE(clock.local(at), shown) << drift << ' ' << elapsed.count();
      EXPECT_LT(clock.local(at - Duration(1)), shown) << drift << ' ' << elapsed.count();
    }
  }
}

TEST(HostClock, RunsFastByItsDrift) {
  const HostClock clock({.start = Instant(0s), .drift_ppb = 100'000, .wall_offset = {}});
  EXPECT_EQ(clock.local(true_time(10s)), Instant(10s + 1ms));
}

TEST(HostClock, DriftsAsMuchEachSecondOfADay) {
  const HostClock clock({.start = Instant(0s), .drift_ppb = -200'000, .wall_offset = {}});
  EXPECT_EQ(clock.stretch(30 * 24h), Duration(30 * 24h) - 518'400ms);
  EXPECT_EQ(clock.stretch(1500ms), 1500ms - 300us);
}

TEST(EventQueue, RunsByTimeAndThenByOrderOfInsertion) {
  EventQueue queue;
  std::vector<int> order;
  queue.at(true_time(2s), [&] { order.push_back(3); });
  queue.at(true_time(1s), [&] { order.push_back(1); });
  queue.at(true_time(1s), [&] { order.push_back(2); });
  queue.at(true_time(9s), [&] { order.push_back(4); });
  while (queue.run_one(true_time(5s))) {
  }
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(queue.now(), true_time(2s));
}

class LinkTest : public ::testing::Test {
 protected:
  base::Random random_{1};
};

TEST_F(LinkTest, SpacesPacketsByItsRate) {
  Link link({.rate_bps = 8e6, .queue_octets = 10'000, .delay = 1ms}, 28, random_);
  const auto first = link.carry(true_time(0s), 972);
  const auto second = link.carry(true_time(0s), 972);
  ASSERT_EQ(first.count, 1U);
  EXPECT_EQ(first.deliveries[0].at, true_time(2ms));  // 1000 octets take 1 ms
  EXPECT_EQ(second.deliveries[0].at, true_time(3ms));
}

TEST_F(LinkTest, DropsAtTheTailOfAFullQueue) {
  Link link({.rate_bps = 8e6, .queue_octets = 5'000, .delay = 1ms}, 28, random_);
  std::size_t carried = 0;
  for (int i = 0; i < 20; ++i) carried += link.carry(true_time(0s), 972).count;
  EXPECT_EQ(carried, 5U);
  EXPECT_EQ(link.dropped(), 15U);
  EXPECT_EQ(link.carry(true_time(1s), 972).count, 1U) << "later there is room again";
}

TEST_F(LinkTest, LosesAndCopiesAsOftenAsToldTo) {
  Link link({.loss = 0.25, .duplication = 0.1}, 28, random_);
  std::size_t lost = 0;
  std::size_t copied = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto outcome = link.carry(true_time(i * 1ms), 100);
    lost += outcome.count == 0 ? 1 : 0;
    copied += outcome.count == 2 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(lost), 2500, 200);
  EXPECT_NEAR(static_cast<double>(copied), 750, 120);
}

TEST_F(LinkTest, KeepsTheOrderUnlessItReorders) {
  Link steady({.jitter = 5ms}, 28, random_);
  Link shuffling({.jitter = 5ms, .reordering = 0.1, .reordering_delay = 20ms}, 28, random_);
  TrueTime last;
  TrueTime last_shuffled;
  int overtaken = 0;
  for (int i = 0; i < 1000; ++i) {
    const TrueTime at = steady.carry(true_time(i * 1ms), 100).deliveries[0].at;
    EXPECT_GE(at, last);
    last = at;
    const TrueTime shuffled = shuffling.carry(true_time(i * 1ms), 100).deliveries[0].at;
    overtaken += shuffled < last_shuffled ? 1 : 0;
    last_shuffled = shuffled;
  }
  EXPECT_GT(overtaken, 20);
}

TEST_F(LinkTest, CarriesNothingLongerThanItsMtuAndNothingDuringAnOutage) {
  Link link({.mtu = 600, .outage = Outage{true_time(1s), true_time(2s)}}, 28, random_);
  EXPECT_EQ(link.carry(true_time(0s), 572).count, 1U);
  EXPECT_EQ(link.carry(true_time(0s), 573).count, 0U);
  EXPECT_EQ(link.carry(true_time(1500ms), 10).count, 0U);
  EXPECT_EQ(link.carry(true_time(2s), 10).count, 1U);
}

}  // namespace world_parts_test
}  // namespace wyndrvr::sim
