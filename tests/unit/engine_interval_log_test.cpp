#include <cstdint>

#include <gtest/gtest.h>

#include "engine/interval_log.hpp"

namespace wyndrvr::engine {
namespace interval_log_test {

ReceiverTotals totals(Duration elapsed, std::uint64_t packets, std::uint64_t lost = 0) {
  ReceiverTotals totals;
  totals.elapsed = elapsed;
  totals.packets = packets;
  totals.bytes = 1000 * packets;
  totals.unique = packets;
  totals.expected = packets + lost;
  return totals;
}

std::uint64_t bytes_of(const IntervalLog& log) {
  std::uint64_t sum = 0;
  for (const Interval& interval : log.intervals()) sum += interval.bytes;
  return sum;
}

TEST(IntervalLog, IntervalsAreTheDifferencesOfTotals) {
  IntervalLog log;
  log.add(totals(1s, 10));
  log.add(totals(2s, 30, 5));
  ASSERT_EQ(log.intervals().size(), 2U);
  EXPECT_EQ(log.intervals()[1].start, 1s);
  EXPECT_EQ(log.intervals()[1].end, 2s);
  EXPECT_EQ(log.intervals()[1].packets, 20U);
  EXPECT_EQ(log.intervals()[1].bytes, 20'000U);
  EXPECT_EQ(log.intervals()[1].lost, 5U);
}

TEST(IntervalLog, LostReportOnlyMakesAnIntervalLonger) {
  IntervalLog log;
  log.add(totals(1s, 10));
  log.add(totals(3s, 40));
  log.close(totals(4s, 50), 4s);
  EXPECT_EQ(log.intervals().size(), 3U);
  EXPECT_EQ(bytes_of(log), 50'000U);
}

TEST(IntervalLog, OlderAndRepeatedTotalsChangeNothing) {
  IntervalLog log;
  log.add(totals(2s, 20));
  log.add(totals(2s, 20));
  log.add(totals(1s, 10));
  log.add(totals(3s, 15));
  EXPECT_EQ(log.intervals().size(), 1U);
}

TEST(IntervalLog, LateDatagramsNeverMakeALossNegative) {
  IntervalLog log;
  log.add(totals(1s, 10, 5));
  log.add(totals(2s, 20, 3));
  log.add(totals(3s, 30, 6));
  EXPECT_EQ(log.intervals()[0].lost, 5U);
  EXPECT_EQ(log.intervals()[1].lost, 0U);
  EXPECT_EQ(log.intervals()[2].lost, 1U);
}

TEST(IntervalLog, ShortRemainderJoinsTheLastInterval) {
  IntervalLog log;
  log.add(totals(1s, 10));
  log.close(totals(1050ms, 11), 1050ms);
  ASSERT_EQ(log.intervals().size(), 1U);
  EXPECT_EQ(log.intervals()[0].end, 1050ms);
  EXPECT_EQ(bytes_of(log), 11'000U);
}

TEST(IntervalLog, WithoutProgressThereIsOneInterval) {
  IntervalLog log;
  log.close(totals(10s, 100), 10s);
  ASSERT_EQ(log.intervals().size(), 1U);
  EXPECT_EQ(log.intervals()[0].start, 0s);
  EXPECT_EQ(log.intervals()[0].end, 10s);
}

TEST(IntervalLog, ResultThatTakesBackWhatProgressSaidStandsAlone) {
  IntervalLog log;
  log.add(totals(1s, 1'000'000));
  log.close(totals(2s, 30), 2s);
  ASSERT_EQ(log.intervals().size(), 1U);
  EXPECT_EQ(bytes_of(log), 30'000U);
}

TEST(IntervalLog, IntervalsAreBoundedAndStillAddUp) {
  IntervalLog log;
  const int count = static_cast<int>(IntervalLog::kMaxIntervals) + 100;
  for (int i = 1; i <= count; ++i) log.add(totals(i * 1s, static_cast<std::uint64_t>(i)));
  EXPECT_EQ(log.intervals().size(), IntervalLog::kMaxIntervals);
  EXPECT_EQ(bytes_of(log), 1000 * static_cast<std::uint64_t>(count));
  EXPECT_EQ(log.intervals().back().end, count * 1s);
}

}  // namespace interval_log_test
}  // namespace wyndrvr::engine
