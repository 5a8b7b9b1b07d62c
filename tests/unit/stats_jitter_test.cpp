#include <gtest/gtest.h>

#include "stats/jitter.hpp"

namespace wyndrvr::stats {
namespace jitter_test {

TEST(InterarrivalJitter, NeedsTwoTransitTimes) {
  InterarrivalJitter jitter;
  EXPECT_FALSE(jitter.value());
  jitter.record(5ms);
  EXPECT_FALSE(jitter.value());
  jitter.record(5ms);
  EXPECT_EQ(jitter.value(), 0ns);
}

TEST(InterarrivalJitter, MovesBySixteenthsTowardsEachDifference) {
  InterarrivalJitter jitter;
  jitter.record(1000us);
  jitter.record(1160us);
  EXPECT_EQ(jitter.value(), 10us);
  jitter.record(1000us);  // 10 + (160 - 10) / 16
  EXPECT_EQ(jitter.value(), 19375ns);
  jitter.record(1000us);  // 19.375 * 15 / 16
  EXPECT_EQ(jitter.value(), 18164ns);
}

TEST(InterarrivalJitter, ConvergesToAConstantVariation) {
  InterarrivalJitter jitter;
  for (int i = 0; i < 1000; ++i) jitter.record(i % 2 == 0 ? 3ms : 5ms);
  EXPECT_EQ(jitter.value(), 2ms);
}

TEST(InterarrivalJitter, DifferenceOfClocksCancelsOut) {
  InterarrivalJitter near;
  InterarrivalJitter far;
  for (const Duration transit : {3ms, 4ms, 9ms, 2ms}) {
    near.record(transit);
    far.record(transit - Duration(1'700'000'000s));
  }
  EXPECT_EQ(far.value(), near.value());
}

TEST(InterarrivalJitter, ExtremesDoNotOverflow) {
  InterarrivalJitter jitter;
  for (int i = 0; i < 200; ++i) jitter.record(i % 2 == 0 ? Duration::min() : Duration::max());
  EXPECT_EQ(jitter.value(), Duration::max());
}

}  // namespace jitter_test
}  // namespace wyndrvr::stats
