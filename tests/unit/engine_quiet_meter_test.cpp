#include <vector>

#include <gtest/gtest.h>

#include "engine/quiet_meter.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace quiet_meter_test {

using testing::kStart;

std::vector<Duration> told(QuietMeter& meter, Instant from, Instant until) {
  std::vector<Duration> all;
  for (Instant now = from; now <= until; now += 10ms) {
    if (const auto silent = meter.poll(now)) all.push_back(*silent);
  }
  return all;
}

TEST(QuietMeter, EachSilentSecondIsToldFromTheSecondOneOn) {
  QuietMeter meter(kStart);
  EXPECT_EQ(meter.deadline(), kStart + 2s);
  EXPECT_EQ(told(meter, kStart, kStart + 5s), (std::vector<Duration>{2s, 3s, 4s, 5s}));
}

TEST(QuietMeter, WhatComesInTimeIsNoSilence) {
  QuietMeter meter(kStart);
  for (int i = 1; i < 100; ++i) {
    EXPECT_TRUE(told(meter, kStart + 1s * (i - 1), kStart + 1s * i).empty());
    meter.on_heard(kStart + 1s * i);
  }
}

TEST(QuietMeter, WhereLittleIsToComeASecondMoreIsWaited) {
  QuietMeter meter(kStart, 5s);
  EXPECT_EQ(told(meter, kStart, kStart + 7s), (std::vector<Duration>{6s, 7s}));
}

TEST(QuietMeter, ALateCallerTellsTheWholeSilenceOnce) {
  QuietMeter meter(kStart);
  EXPECT_EQ(meter.poll(kStart + 7'300ms), 7s);
  EXPECT_FALSE(meter.poll(kStart + 7'900ms));
  EXPECT_EQ(meter.poll(kStart + 8s), 8s);
}

TEST(QuietMeter, WhatIsToldAtOnceIsNotToldAgainAMomentLater) {
  QuietMeter meter(kStart);
  EXPECT_TRUE(meter.tell_now(kStart + 1s));
  EXPECT_FALSE(meter.tell_now(kStart + 1'100ms));
  EXPECT_FALSE(meter.poll(kStart + 2s));
  EXPECT_TRUE(meter.tell_now(kStart + 1'990ms));
}

}  // namespace quiet_meter_test
}  // namespace wyndrvr::engine
