#include <cstdint>

#include <gtest/gtest.h>

#include "stats/histogram.hpp"

namespace wyndrvr::stats {
namespace histogram_test {

constexpr std::uint64_t kHour = 3'600'000'000'000;

TEST(LogLinearHistogram, HasNoQuantilesWhereNothingWasRecorded) {
  const LogLinearHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_FALSE(histogram.quantile(0.5));
  EXPECT_FALSE(histogram.min());
  EXPECT_FALSE(histogram.max());
}

TEST(LogLinearHistogram, IsExactBelow128) {
  LogLinearHistogram histogram;
  for (std::uint64_t value = 1; value <= 127; ++value) histogram.record(value);
  for (std::uint64_t rank = 1; rank <= 127; ++rank) {
    EXPECT_EQ(histogram.quantile(static_cast<double>(rank) / 127.0), rank);
  }
}

TEST(LogLinearHistogram, RankIsNotPushedUpByBinaryFractions) {
  LogLinearHistogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  // 0.07 * 100 and 0.55 * 100 are a little more than 7 and 55 in binary.
  EXPECT_EQ(histogram.quantile(0.07), 7U);
  EXPECT_EQ(histogram.quantile(0.55), 55U);
  EXPECT_EQ(histogram.quantile(0.551), 56U);
}

TEST(LogLinearHistogram, ExtremesAreExact) {
  LogLinearHistogram histogram;
  for (const std::uint64_t value : {1'000'003U, 2'000'003U, 3'000'007U}) histogram.record(value);
  EXPECT_EQ(histogram.quantile(0.0), 1'000'003U);
  EXPECT_EQ(histogram.quantile(1.0), 3'000'007U);
  EXPECT_EQ(histogram.min(), 1'000'003U);
  EXPECT_EQ(histogram.max(), 3'000'007U);
}

TEST(LogLinearHistogram, QuantileStaysWithinWhatWasRecorded) {
  LogLinearHistogram histogram;
  // All three share a bucket, whose middle lies outside of them.
  for (const std::uint64_t value : {1'048'577U, 1'048'578U, 1'048'579U}) histogram.record(value);
  EXPECT_EQ(histogram.quantile(0.5), 1'048'579U);
}

TEST(LogLinearHistogram, TracksAnHour) {
  static_assert(LogLinearHistogram::kMaxTracked >= kHour);
  LogLinearHistogram histogram;
  for (const std::uint64_t value : {kHour - 1, kHour, kHour + 1}) histogram.record(value);
  const auto median = static_cast<double>(histogram.quantile(0.5).value_or(0));
  EXPECT_NEAR(median, static_cast<double>(kHour), 0.01 * static_cast<double>(kHour));
}

TEST(LogLinearHistogram, ValuesBeyondTheTrackedOnesAreCountedAndKeepTheMaximum) {
  LogLinearHistogram histogram;
  histogram.record(5);
  histogram.record(100 * kHour);
  histogram.record(200 * kHour);
  EXPECT_EQ(histogram.count(), 3U);
  EXPECT_EQ(histogram.max(), 200 * kHour);
  EXPECT_GT(histogram.quantile(0.5).value_or(0), kHour);
}

TEST(LogLinearHistogram, MergingAnEmptyOneChangesNothing) {
  LogLinearHistogram histogram;
  histogram.record(1234);
  histogram.merge(LogLinearHistogram{});
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.min(), 1234U);
  EXPECT_EQ(histogram.max(), 1234U);
}

TEST(LogLinearHistogram, IsSmall) {
  EXPECT_LE(sizeof(LogLinearHistogram), 20'000U);
}

}  // namespace histogram_test
}  // namespace wyndrvr::stats
