#include <cmath>
#include <limits>
#include <type_traits>

#include <gtest/gtest.h>

#include "base/time.hpp"

namespace wyndrvr {
namespace time_test {

TEST(Time, SecondsAndDurationsConvertBothWays) {
  EXPECT_EQ(from_seconds(1.5), 1500ms);
  EXPECT_EQ(from_seconds(-1.5), -1500ms);
  EXPECT_DOUBLE_EQ(to_seconds(1500ms), 1.5);
  EXPECT_DOUBLE_EQ(to_milliseconds(1500us), 1.5);
}

TEST(Time, FractionsOfANanosecondAreCutOff) {
  EXPECT_EQ(from_seconds(1.9e-9), 1ns);
  EXPECT_EQ(from_seconds(0.9e-9), 0ns);
}

TEST(Time, SecondsBeyondTheRangeSaturate) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(from_seconds(1e300), Duration::max());
  EXPECT_EQ(from_seconds(kInfinity), Duration::max());
  EXPECT_EQ(from_seconds(-1e300), Duration::min());
  EXPECT_EQ(from_seconds(-kInfinity), Duration::min());
}

TEST(Time, MonotonicAndWallTimeDoNotMix) {
  EXPECT_FALSE((std::is_convertible_v<Instant, WallTime>));
  EXPECT_FALSE((std::is_convertible_v<WallTime, Instant>));
}

}  // namespace time_test
}  // namespace wyndrvr
