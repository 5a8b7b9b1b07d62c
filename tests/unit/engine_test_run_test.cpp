// The intervals of a test whose datagrams are few: none of them reads a rate that was not there.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/test_run.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;

constexpr ChannelId kRunTest{7};
constexpr std::uint64_t kRunPayload = 1400;
constexpr Duration kRunGap = 1120ms;  // 10 kbit/s

ReceiverTotals totals_of(std::uint64_t packets, Duration first_at) {
  ReceiverTotals totals;
  totals.packets = packets;
  totals.unique = packets;
  totals.expected = packets;
  totals.bytes = packets * kRunPayload;
  totals.first_to_last = kRunGap * static_cast<std::int64_t>(packets - 1);
  totals.elapsed = first_at + totals.first_to_last;
  return totals;
}

std::vector<Interval> intervals_of(TestRun& run, const ReceiverTotals& totals) {
  TestReported reported;
  reported.channel = kRunTest;
  reported.direction = PortKind::kUpload;
  reported.receiver = totals;
  run.on_reported(reported);
  return run.outcome().intervals;
}

TestRun run_of(Duration duration, bool octets_bound = false) {
  TestOutcome outcome;
  outcome.dialect = Dialect::kOne;
  outcome.octets_bound = octets_bound;
  TestPlan plan;
  plan.channel = kRunTest;
  TestRun run(plan, outcome);
  run.on_started(kStart, {kRunTest, kStart, duration, true});
  return run;
}

TEST(TestRun, TheLastIntervalLastsAsLongAsTheTestDid) {
  TestRun run = run_of(1500ms);
  ReceiverTotals progress = totals_of(1, 1ms);
  progress.elapsed = 1s;
  (void)run.on_receiver_progress(kStart + progress.elapsed, progress);
  const auto intervals = intervals_of(run, totals_of(2, 1ms));
  ASSERT_EQ(intervals.size(), 2U);
  EXPECT_EQ(intervals[1].start, 1s);
  EXPECT_EQ(intervals[1].end, 1500ms) << "and not 121 ms, in which one datagram is 93 kbit/s";
}

TEST(TestRun, ASingleDatagramIsOneOfTheWholeTest) {
  TestRun run = run_of(800ms);
  const auto intervals = intervals_of(run, totals_of(1, 1ms));
  ASSERT_EQ(intervals.size(), 1U);
  EXPECT_EQ(intervals[0].end, 800ms);
}

TEST(TestRun, WhoEndsEarlyHasOneGapMoreThanBetweenItsDatagrams) {
  TestRun run = run_of(60s, true);
  const auto intervals = intervals_of(run, totals_of(10, 0ms));
  ASSERT_EQ(intervals.size(), 1U);
  EXPECT_EQ(intervals[0].bytes, 10 * kRunPayload);
  EXPECT_EQ(intervals[0].end, 10 * kRunGap) << "10 kbit/s";
}

TEST(TestRun, WhatCameAfterTheTestsTimeEndsTheLastInterval) {
  TestRun run = run_of(1s);
  const auto intervals = intervals_of(run, totals_of(2, 30ms));
  ASSERT_EQ(intervals.size(), 1U);
  EXPECT_EQ(intervals[0].end, 1150ms);
}

// --- silence ---

TEST(TestRun, SilenceNeverShowsMoreThanTheTestsTime) {
  TestRun run = run_of(5s);
  (void)run.on_receiver_progress(kStart + 1s, totals_of(1, 1s));
  for (int seconds = 3; seconds < 20; ++seconds) {
    const auto silence = run.poll_silence(kStart + 1s * seconds);
    ASSERT_TRUE(silence) << seconds;
    EXPECT_EQ(silence->elapsed, std::min<Duration>(1s * seconds, 5s));
    EXPECT_EQ(silence->silent, 1s * (seconds - 1));
  }
}

// In dialect 1 a sender tells the newest report each interval, also where it is an old one.
TEST(TestRun, TheFirstSilentSecondOfAnUploadIsALine) {
  TestRun run = run_of(60s);
  const ReceiverTotals newest = totals_of(1, 1s);
  const auto told = [&](Duration since_start) {
    const auto report = run.on_receiver_progress(kStart + since_start, newest);
    return report && std::holds_alternative<NothingReceived>(*report)
               ? std::optional(std::get<NothingReceived>(*report).silent)
               : std::nullopt;
  };
  EXPECT_FALSE(told(1s)) << "that is progress";
  EXPECT_FALSE(told(1100ms)) << "and so soon again no silence";
  for (int seconds = 2; seconds < 10; ++seconds) EXPECT_EQ(told(1s * seconds), 1s * (seconds - 1));
}

// A sender's own progress ends with the test.
TEST(TestRun, NoSilentSecondIsToldTwiceWhenProgressEnds) {
  TestRun run = run_of(4s);
  const ReceiverTotals newest = totals_of(1, 1s);
  (void)run.on_receiver_progress(kStart + 1s, newest);
  std::vector<Duration> told;
  for (const Duration at : {2s, 3s}) {
    if (const auto report = run.on_receiver_progress(kStart + at, newest)) {
      told.push_back(std::get<NothingReceived>(*report).silent);
    }
  }
  for (Duration at = 3010ms; at < 8s; at += 10ms) {
    if (const auto silence = run.poll_silence(kStart + at)) told.push_back(silence->silent);
  }
  EXPECT_EQ(told, (std::vector<Duration>{1s, 2s, 3s, 4s, 5s, 6s}));
}

}  // namespace
}  // namespace wyndrvr::engine
