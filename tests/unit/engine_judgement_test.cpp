#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "engine/judgement.hpp"

namespace wyndrvr::engine {
namespace judgement_test {

wire::TestResult some_result() {
  wire::TestResult result;
  result.bytes_received = 93'700;
  result.packet_count = 100;
  result.retransmit_count = 4;
  result.duration_s = 2.5;
  result.detail = wire::ReceiverDetail{.unique = 98,
                                       .duplicate = 2,
                                       .reordered = 7,
                                       .highest = 101,
                                       .unique_bytes = 91'000,
                                       .written_off = 1,
                                       .first_to_last_ns = 2'400'000'000,
                                       .socket_drops = 3};
  return result;
}

std::vector<ProblemCode> judged(const TestOutcome& test) {
  std::vector<Problem> problems;
  judge_test(test, problems);
  std::vector<ProblemCode> codes;
  for (const Problem& problem : problems) codes.push_back(problem.code);
  return codes;
}

TestOutcome finished_test() {
  TestOutcome test;
  test.has_result = true;
  test.receiver.emplace();
  return test;
}

TEST(Judgement, ReceiversFiguresAreThoseOfTheResultAndItsDetail) {
  const auto totals = receiver_totals_of(some_result());
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->packets, 100U);
  EXPECT_EQ(totals->bytes, 93'700U);
  EXPECT_EQ(totals->unique, 98U);
  EXPECT_EQ(totals->duplicate, 2U);
  EXPECT_EQ(totals->reordered, 7U);
  EXPECT_EQ(totals->lost(), 3U);
  EXPECT_EQ(totals->unique_bytes, 91'000U);
  EXPECT_EQ(totals->retransmitted, 4U);
  EXPECT_EQ(totals->written_off, 1U);
  EXPECT_EQ(totals->socket_drops, 3U);
  EXPECT_EQ(totals->first_to_last, 2400ms);
  EXPECT_EQ(totals->elapsed, 2500ms);
}

TEST(Judgement, ResultWithoutDetailHasNoReceiversFigures) {
  wire::TestResult result = some_result();
  result.detail.reset();
  EXPECT_FALSE(receiver_totals_of(result));
}

TEST(Judgement, DetailAtTheLimitsOfThePossibleIsBelieved) {
  wire::TestResult result = some_result();
  result.detail->highest = result.detail->unique;
  EXPECT_TRUE(receiver_totals_of(result));
  result.detail->first_to_last_ns = static_cast<std::uint64_t>(Duration::max().count());
  EXPECT_TRUE(receiver_totals_of(result));
  ++result.detail->first_to_last_ns;
  EXPECT_FALSE(receiver_totals_of(result));
}

TEST(Judgement, MoreUniqueThanReceivedIsNotBelieved) {
  wire::TestResult result = some_result();
  result.packet_count = 97;
  result.detail->duplicate = UINT64_MAX;  // the difference, where it wraps round
  EXPECT_FALSE(receiver_totals_of(result));
}

TEST(Judgement, CleanTestHasNoProblems) {
  EXPECT_TRUE(judged(finished_test()).empty());
}

TEST(Judgement, EachFlawOfATestIsAProblem) {
  TestOutcome test = finished_test();
  test.receiver->socket_drops = 1;
  test.receiver->written_off = 1;
  test.sender.failed = 1;
  EXPECT_EQ(judged(test), (std::vector{ProblemCode::kReceiverSocketDrops, ProblemCode::kWrittenOff,
                                       ProblemCode::kSenderDrops}));
  test.receiver.reset();
  EXPECT_EQ(judged(test), (std::vector{ProblemCode::kNoReceiverDetail, ProblemCode::kSenderDrops}));
}

TEST(Judgement, TestWithoutAResultIsNotJudged) {
  TestOutcome test;
  test.sender.failed = 1;
  EXPECT_TRUE(judged(test).empty());
}

// --- data that stops arriving ---

// 2 Mbit/s for 6 s, of which the path carried the first 2 s.
TestOutcome stopped_test(Dialect dialect = Dialect::kOne) {
  TestOutcome test = finished_test();
  test.dialect = dialect;
  test.ran = 6s;
  test.sender.packets = 585;
  test.receiver->packets = test.receiver->unique = test.receiver->expected = 363;
  test.receiver->first_to_last = 2030ms;
  test.receiver->elapsed = dialect == Dialect::kOne ? 2040ms : 6s;
  return test;
}

TEST(Judgement, DataThatStoppedArrivingIsAGapAtTheEnd) {
  EXPECT_EQ(gap_at_end_of(stopped_test()), 3960ms);
  EXPECT_EQ(gap_at_end_of(stopped_test(Dialect::kOriginal)), 3970ms);
}

// Its figures do not tell when the first datagram came.
TEST(Judgement, AnOriginalTestThatBeganLateHasTheGapThatItsProgressShows) {
  TestOutcome test = stopped_test(Dialect::kOriginal);
  test.intervals = {
      {0s, 1s, 0, 0, 0}, {1s, 4s, 0, 0, 0}, {4s, 5s, 1400, 363, 0}, {5s, 6s, 0, 0, 0}};
  EXPECT_EQ(gap_at_end_of(test), 2s);
}

TEST(Judgement, ASenderThatSentNothingMoreLeavesNoGap) {
  TestOutcome test = stopped_test();
  test.sender.packets = 363 + kFewestUnarrived - 1;
  EXPECT_FALSE(gap_at_end_of(test)) << "held up, or one datagram a second of which some were lost";
  test.sender.packets = 363 + kFewestUnarrived;
  EXPECT_TRUE(gap_at_end_of(test));
}

TEST(Judgement, AGapIsMoreThanASecondAndATenthOfTheTest) {
  TestOutcome test = stopped_test();
  test.receiver->elapsed = 5s;
  EXPECT_FALSE(gap_at_end_of(test));
  test.receiver->elapsed = 5s - 1ns;
  EXPECT_TRUE(gap_at_end_of(test));
  test.ran = 60s;
  test.receiver->elapsed = 54s;
  EXPECT_FALSE(gap_at_end_of(test));
  test.receiver->elapsed = 54s - 1ns;
  EXPECT_TRUE(gap_at_end_of(test));
}

TEST(Judgement, WhatDrainsAfterTheTestLeavesNoGap) {
  TestOutcome test = stopped_test();
  test.receiver->elapsed = 7s;
  EXPECT_FALSE(gap_at_end_of(test));
}

TEST(Judgement, AGapIsNotLookedForWhereATestNeedNotLast) {
  for (const auto& change :
       std::vector<void (*)(TestOutcome&)>{[](TestOutcome& test) { test.octets_bound = true; },
                                           [](TestOutcome& test) { test.broken = true; },
                                           [](TestOutcome& test) { test.sender_known = false; },
                                           [](TestOutcome& test) { test.has_result = false; },
                                           [](TestOutcome& test) { test.receiver.reset(); },
                                           [](TestOutcome& test) { test.receiver->packets = 0; }}) {
    TestOutcome test = stopped_test();
    change(test);
    EXPECT_FALSE(gap_at_end_of(test));
  }
}

TEST(Judgement, MoreThanOneSkippedHeartbeatInAHundredIsAProblem) {
  std::array<std::optional<PortTotals>, kPortCount> ports;
  std::vector<Problem> problems;
  judge_latency(ports, problems);
  EXPECT_TRUE(problems.empty()) << "nothing was measured";

  ports[0].emplace().idle.sent = 150;
  ports[2].emplace().loaded.sent = 50;
  ports[2]->loaded.skipped = 2;
  judge_latency(ports, problems);
  EXPECT_TRUE(problems.empty()) << "exactly one in a hundred";

  ports[0]->idle.skipped = 1;
  judge_latency(ports, problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].code, ProblemCode::kScheduleSlipped);
}

}  // namespace judgement_test
}  // namespace wyndrvr::engine
