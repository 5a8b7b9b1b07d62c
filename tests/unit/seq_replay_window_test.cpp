#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "seq/replay_window.hpp"

namespace wyndrvr::seq {
namespace replay_window_test {

TEST(ReplayWindow, TheFirstNumberMayBeAny) {
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40U,
                                    std::numeric_limits<std::uint64_t>::max()}) {
    ReplayWindow window;
    EXPECT_TRUE(window.accept(first)) << first;
    EXPECT_FALSE(window.accept(first)) << first;
  }
}

TEST(ReplayWindow, NumbersInOrderPassOnce) {
  ReplayWindow window;
  for (std::uint64_t number = 0; number < 300; ++number) {
    EXPECT_TRUE(window.accept(number)) << number;
    EXPECT_FALSE(window.accept(number)) << number;
  }
}

TEST(ReplayWindow, ReorderedNumbersPassOnceDownToSixtyFourBelowTheHighest) {
  ReplayWindow window;
  ASSERT_TRUE(window.accept(1'000));
  for (std::uint64_t number = 936; number < 1'000; ++number) {
    EXPECT_TRUE(window.accept(number)) << number;
    EXPECT_FALSE(window.accept(number)) << number;
  }
  EXPECT_FALSE(window.accept(935));
  EXPECT_FALSE(window.accept(0));
}

TEST(ReplayWindow, BeforeTheFirstNumberIsTheWindowAsWell) {
  ReplayWindow window;
  ASSERT_TRUE(window.accept(10));
  EXPECT_TRUE(window.accept(0));
  EXPECT_FALSE(window.accept(0));
}

TEST(ReplayWindow, AJumpRemembersWhatItStillReaches) {
  for (const std::uint64_t step : {1U, 2U, 63U, 64U}) {
    ReplayWindow window;
    ASSERT_TRUE(window.accept(100));
    ASSERT_TRUE(window.accept(100 + step));
    EXPECT_FALSE(window.accept(100)) << step;
  }
}

TEST(ReplayWindow, AJumpBeyondTheWindowForgetsNoReplay) {
  for (const std::uint64_t step : {65U, 66U, 1'000'000U}) {
    ReplayWindow window;
    ASSERT_TRUE(window.accept(100));
    ASSERT_TRUE(window.accept(99));
    ASSERT_TRUE(window.accept(100 + step));
    EXPECT_FALSE(window.accept(100)) << step;
    EXPECT_FALSE(window.accept(99)) << step;
    EXPECT_TRUE(window.accept(100 + step - 64)) << step;
  }
}

}  // namespace replay_window_test
}  // namespace wyndrvr::seq
