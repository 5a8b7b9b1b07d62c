#include <gtest/gtest.h>

#include "runtime/stop_ladder.hpp"

namespace wyndrvr::runtime {
namespace stop_ladder_test {

constexpr Instant kStart{Duration(1'000'000'000)};
constexpr Duration kRung = StopLadder::kPatience;

TEST(StopLadder, ClimbsOneRungATimeOut) {
  StopLadder ladder;
  EXPECT_FALSE(ladder.begun());
  EXPECT_FALSE(ladder.deadline());
  EXPECT_EQ(ladder.begin(kStart), Rung::kAsk);
  EXPECT_EQ(ladder.deadline(), kStart + kRung);
  EXPECT_EQ(ladder.on_timer(kStart + kRung - Duration(1)), std::nullopt);
  EXPECT_EQ(ladder.on_timer(kStart + kRung), Rung::kTerminate);
  EXPECT_EQ(ladder.on_timer(kStart + kRung), std::nullopt);
  EXPECT_EQ(ladder.on_timer(kStart + 2 * kRung), Rung::kKill);
  EXPECT_EQ(ladder.on_timer(kStart + 3 * kRung), Rung::kAbandon);
  EXPECT_EQ(ladder.on_timer(kStart + 9 * kRung), std::nullopt);
  EXPECT_FALSE(ladder.deadline());
}

TEST(StopLadder, MayBeginFurtherUp) {
  StopLadder ladder;
  EXPECT_EQ(ladder.begin(kStart, Rung::kKill), Rung::kKill);
  EXPECT_EQ(ladder.on_timer(kStart + kRung), Rung::kAbandon);
}

TEST(StopLadder, SkipsRungsButNeverGoesDown) {
  StopLadder ladder;
  ladder.begin(kStart);
  EXPECT_EQ(ladder.begin(kStart + 1ms, Rung::kKill), Rung::kKill);
  EXPECT_EQ(ladder.deadline(), kStart + 1ms + kRung);
  EXPECT_EQ(ladder.begin(kStart + 2ms, Rung::kAsk), Rung::kKill);
  EXPECT_EQ(ladder.deadline(), kStart + 1ms + kRung);
}

}  // namespace stop_ladder_test
}  // namespace wyndrvr::runtime
