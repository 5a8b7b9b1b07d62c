#include <gtest/gtest.h>

#include "stats/running_stats.hpp"

namespace wyndrvr::stats {
namespace running_stats_test {

TEST(RunningStats, HasNothingToSayOfNothing) {
  const RunningStats stats;
  EXPECT_EQ(stats.count(), 0U);
  EXPECT_FALSE(stats.mean());
  EXPECT_FALSE(stats.min());
  EXPECT_FALSE(stats.max());
  EXPECT_FALSE(stats.stddev());
}

TEST(RunningStats, OneValueHasNoDeviation) {
  RunningStats stats;
  stats.record(7);
  EXPECT_EQ(stats.mean(), 7.0);
  EXPECT_FALSE(stats.stddev());
}

TEST(RunningStats, DeviationIsThatOfASample) {
  RunningStats stats;
  for (const double value : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) stats.record(value);
  EXPECT_DOUBLE_EQ(stats.mean().value_or(0), 5.0);
  EXPECT_NEAR(stats.stddev().value_or(0), 2.138089935, 1e-9);  // sqrt(32 / 7)
  EXPECT_EQ(stats.min(), 2.0);
  EXPECT_EQ(stats.max(), 9.0);
}

TEST(RunningStats, LargeValuesThatDifferLittleDoNotCancelOut) {
  RunningStats stats;
  for (const double value : {4.0, 7.0, 13.0, 16.0}) stats.record(1e9 + value);
  EXPECT_NEAR(stats.stddev().value_or(0), 5.477225575, 1e-6);  // sqrt(30)
}

TEST(RunningStats, NegativeValuesAreValuesToo) {
  RunningStats stats;
  stats.record(-3);
  stats.record(-5);
  EXPECT_EQ(stats.max(), -3.0);
  EXPECT_EQ(stats.min(), -5.0);
}

TEST(RunningStats, MergingWithEmptyOnesChangesNothing) {
  RunningStats stats;
  stats.record(1);
  stats.record(3);
  stats.merge(RunningStats{});
  RunningStats other;
  other.merge(stats);
  EXPECT_EQ(other.count(), 2U);
  EXPECT_EQ(other.mean(), 2.0);
  EXPECT_EQ(other.stddev(), stats.stddev());
}

}  // namespace running_stats_test
}  // namespace wyndrvr::stats
