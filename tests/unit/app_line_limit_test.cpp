#include <gtest/gtest.h>

#include "app/line_limit.hpp"

namespace wyndrvr::app {
namespace {

constexpr Instant kStart{1h};

unsigned allowed(LineLimit& limit, Instant now, unsigned asked) {
  unsigned count = 0;
  for (unsigned i = 0; i < asked; ++i) count += limit.allow(now) ? 1 : 0;
  return count;
}

TEST(LineLimit, AllowsABurstThenSoManyASecond) {
  LineLimit limit(30, 10);
  EXPECT_EQ(allowed(limit, kStart, 100), 30U);
  EXPECT_EQ(allowed(limit, kStart + 1s, 100), 10U);
  EXPECT_EQ(allowed(limit, kStart + 1h, 100), 30U);
}

TEST(LineLimit, CountsWhatItLeavesOutOnce) {
  LineLimit limit(1, 1);
  EXPECT_EQ(allowed(limit, kStart, 5), 1U);
  EXPECT_EQ(limit.take_left_out(), 4U);
  EXPECT_EQ(limit.take_left_out(), 0U);
}

}  // namespace
}  // namespace wyndrvr::app
