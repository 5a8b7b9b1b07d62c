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
