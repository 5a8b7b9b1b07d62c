#include <gtest/gtest.h>

#include "runtime/liveness.hpp"

namespace wyndrvr::runtime {
namespace liveness_test {

using Verdict = Liveness::Verdict;
constexpr Duration kTick = Liveness::kInterval;

class LivenessTest : public ::testing::Test {
 protected:
  // The next tick on time.
  Verdict tick() {
    now = liveness.next_tick();
    return liveness.on_tick(now);
  }
  Instant now{Duration(5'000'000'000)};
  Liveness liveness{now};
};

TEST_F(LivenessTest, AsksAgainOnlyAfterAnAnswer) {
  EXPECT_EQ(tick(), Verdict::kLate);
  liveness.on_answer(0);  // Hello
  EXPECT_EQ(tick(), Verdict::kAsk);
  EXPECT_EQ(liveness.number(), 1U);
  EXPECT_EQ(tick(), Verdict::kLate);
  liveness.on_answer(1);
  EXPECT_EQ(tick(), Verdict::kAsk);
  EXPECT_EQ(liveness.number(), 2U);
}

TEST_F(LivenessTest, AnAnswerToAnEarlierQuestionIsNone) {
  liveness.on_answer(0);
  EXPECT_EQ(tick(), Verdict::kAsk);
  liveness.on_answer(0);
  EXPECT_EQ(tick(), Verdict::kLate);
}

TEST_F(LivenessTest, SilenceForThePatienceIsDeath) {
  liveness.on_answer(0);
  EXPECT_EQ(tick(), Verdict::kAsk);
  const Instant asked = now;
  while (now + kTick < asked + Liveness::kPatience) EXPECT_EQ(tick(), Verdict::kLate);
  EXPECT_EQ(tick(), Verdict::kDead);
  EXPECT_EQ(now, asked + Liveness::kPatience);
}

TEST_F(LivenessTest, ALoopThatSleptItselfBeginsToWaitAnew) {
  liveness.on_answer(0);
  EXPECT_EQ(tick(), Verdict::kAsk);
  now += 60s;
  EXPECT_EQ(liveness.on_tick(now), Verdict::kLate);
  const Instant woken = now;
  while (now + kTick < woken + Liveness::kPatience) EXPECT_EQ(tick(), Verdict::kLate);
  EXPECT_EQ(tick(), Verdict::kDead);
}

}  // namespace liveness_test
}  // namespace wyndrvr::runtime
