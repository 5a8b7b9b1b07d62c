#include <gtest/gtest.h>

#include "stats/latency_summary.hpp"

namespace wyndrvr::stats {
namespace latency_summary_test {

void expect_within_one_percent(Duration measured, Duration exact) {
  EXPECT_NEAR(to_seconds(measured), to_seconds(exact), 0.01 * to_seconds(exact));
}

TEST(LatencyRecorder, HasNoSummaryWithoutASample) {
  EXPECT_FALSE(LatencyRecorder{}.summary());
  EXPECT_EQ(LatencyRecorder{}.count(), 0U);
}

TEST(LatencyRecorder, OneSampleIsEveryFigureButTheDeviation) {
  LatencyRecorder recorder;
  recorder.record(1234567ns);
  const LatencySummary summary = recorder.summary().value_or(LatencySummary{});
  EXPECT_EQ(summary.count, 1U);
  for (const Duration figure :
       {summary.min, summary.mean, summary.p50, summary.p99, summary.p99_9, summary.max}) {
    EXPECT_EQ(figure, 1234567ns);
  }
  EXPECT_FALSE(summary.stddev);
}

TEST(LatencyRecorder, SummaryDescribesAThousandDelays) {
  LatencyRecorder recorder;
  for (int i = 1000; i >= 1; --i) recorder.record(i * 10us);
  const LatencySummary summary = recorder.summary().value_or(LatencySummary{});
  EXPECT_EQ(summary.count, 1000U);
  EXPECT_EQ(summary.min, 10us);
  EXPECT_EQ(summary.max, 10ms);
  EXPECT_EQ(summary.mean, 5005us);
  expect_within_one_percent(summary.p50, 5000us);
  expect_within_one_percent(summary.p90, 9000us);
  expect_within_one_percent(summary.p95, 9500us);
  expect_within_one_percent(summary.p99, 9900us);
  expect_within_one_percent(summary.p99_9, 9990us);
  // Of 1 to n: sqrt(n (n + 1) / 12).
  EXPECT_NEAR(to_seconds(summary.stddev.value_or(0ns)), 2.888194e-3, 1e-8);
}

TEST(LatencyRecorder, NegativeDelayCountsAsZeroAndIsCounted) {
  LatencyRecorder recorder;
  recorder.record(-5ms);
  recorder.record(2ms);
  EXPECT_EQ(recorder.negative(), 1U);
  const LatencySummary summary = recorder.summary().value_or(LatencySummary{});
  EXPECT_EQ(summary.min, 0ns);
  EXPECT_EQ(summary.mean, 1ms);
}

TEST(LatencyRecorder, MergeAddsUpEverything) {
  LatencyRecorder one;
  one.record(1ms);
  one.record(-1ms);
  LatencyRecorder other;
  other.record(5ms);
  other.record(-1ms);
  one.merge(other);
  EXPECT_EQ(one.negative(), 2U);
  const LatencySummary summary = one.summary().value_or(LatencySummary{});
  EXPECT_EQ(summary.count, 4U);
  EXPECT_EQ(summary.max, 5ms);
  EXPECT_EQ(summary.mean, 1500us);
}

TEST(LatencyRecorder, LongestDurationDoesNotOverflow) {
  LatencyRecorder recorder;
  recorder.record(Duration::max());
  recorder.record(Duration::max());
  const LatencySummary summary = recorder.summary().value_or(LatencySummary{});
  EXPECT_EQ(summary.max, Duration::max());
  EXPECT_EQ(summary.mean, Duration::max());
}

}  // namespace latency_summary_test
}  // namespace wyndrvr::stats
