#include <gtest/gtest.h>

#include "stats/rate_meter.hpp"

namespace wyndrvr::stats {
namespace rate_meter_test {

using Interval = RateMeter::Interval;
constexpr Instant kStart{1000s};

TEST(RateMeter, HasNoRateBeforeTimeHasPassed) {
  RateMeter meter;
  EXPECT_FALSE(meter.first());
  EXPECT_FALSE(meter.rate());
  meter.add(kStart, {100});
  EXPECT_FALSE(meter.rate());
  meter.add(kStart, {100});
  EXPECT_FALSE(meter.rate());
  EXPECT_EQ(meter.total(), ByteCount{200});
}

TEST(RateMeter, RateIsOfWhatCameAfterTheFirstDatagram) {
  RateMeter meter;
  meter.add(kStart + 1s, {500});
  meter.add(kStart, {1000});
  meter.add(kStart + 2s, {1000});
  EXPECT_DOUBLE_EQ(meter.rate().value_or(BitRate{}).bps, 6'000.0);
}

TEST(RateMeter, InstantsOutOfOrderKeepEarliestAndLatest) {
  RateMeter meter;
  meter.add(kStart + 2s, {1});
  meter.add(kStart, {1});
  meter.add(kStart + 1s, {1});
  EXPECT_EQ(meter.first(), kStart);
  EXPECT_EQ(meter.last(), kStart + 2s);
}

TEST(RateMeter, IntervalsHoldWhatCameSinceTheLastOne) {
  RateMeter meter;
  meter.add(kStart, {10});
  meter.add(kStart + 200ms, {20});
  EXPECT_EQ(meter.take_interval(kStart + 1s), (Interval{1s, {30}}));
  EXPECT_EQ(meter.take_interval(kStart + 2s), (Interval{1s, {0}}));
  meter.add(kStart + 2500ms, {40});
  EXPECT_EQ(meter.take_interval(kStart + 3s), (Interval{1s, {40}}));
  EXPECT_EQ(meter.total(), ByteCount{70});
}

TEST(RateMeter, IntervalBeforeAnyDatagramIsEmpty) {
  RateMeter meter;
  EXPECT_EQ(meter.take_interval(kStart), (Interval{0s, {0}}));
  meter.add(kStart + 1s, {5});
  EXPECT_EQ(meter.take_interval(kStart + 2s), (Interval{2s, {5}}));
}

TEST(RateMeter, TimeGoingBackMakesAnIntervalOfNoDuration) {
  RateMeter meter;
  meter.add(kStart, {5});
  meter.take_interval(kStart + 2s);
  meter.add(kStart + 1s, {7});
  EXPECT_EQ(meter.take_interval(kStart + 1s), (Interval{0s, {7}}));
  EXPECT_EQ(meter.take_interval(kStart + 3s), (Interval{1s, {0}}));
}

}  // namespace rate_meter_test
}  // namespace wyndrvr::stats
