#include <cstdint>

#include <gtest/gtest.h>

#include "engine/delivery_pace.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace delivery_pace_test {

using namespace testing;

// Reports of datagrams that arrive at a pace.
class Reports {
 public:
  void report(Duration after, double per_second) {
    now_ += after;
    received_ += static_cast<std::uint64_t>(per_second * to_seconds(after));
    pace.on_report(now_, received_);
  }

  DeliveryPace pace;

 private:
  Instant now_ = kStart;
  std::uint64_t received_ = 0;
};

TEST(DeliveryPace, IsUnknownBeforeTheSecondReport) {
  Reports reports;
  reports.report(10ms, 1000);
  EXPECT_FALSE(reports.pace.per_second());
  reports.report(10ms, 1000);
  EXPECT_DOUBLE_EQ(reports.pace.per_second().value_or(0), 1000);
}

TEST(DeliveryPace, IsUnknownWhereNoTimeHasPassed) {
  DeliveryPace pace;
  pace.on_report(kStart, 10);
  pace.on_report(kStart, 20);
  EXPECT_FALSE(pace.per_second());
}

TEST(DeliveryPace, BurstsAndHeldUpReportsMakeLittleOfIt) {
  Reports reports;
  for (int i = 0; i < 100; ++i) {
    reports.report(2ms, i % 2 == 0 ? 20000 : 0);
    if (i < 25) continue;
    EXPECT_NEAR(reports.pace.per_second().value_or(0), 10000, 500) << i;
  }
}

TEST(DeliveryPace, IsThatOfTheLastReportWhereReportsAreFurtherApart) {
  Reports reports;
  for (const double per_second : {1000.0, 2000.0, 4000.0, 3000.0}) {
    reports.report(DeliveryPace::kStretch, per_second);
  }
  EXPECT_DOUBLE_EQ(reports.pace.per_second().value_or(0), 3000);
}

TEST(DeliveryPace, ForgetsWhatIsTwoStretchesOld) {
  Reports reports;
  for (int i = 0; i < 20; ++i) reports.report(10ms, 1000);
  for (int i = 0; i < 11; ++i) reports.report(10ms, 5000);
  EXPECT_NEAR(reports.pace.per_second().value_or(0), 5000, 1);
}

TEST(DeliveryPace, RestartLeavesNothingOfWhatCameBefore) {
  Reports reports;
  for (int i = 0; i < 3; ++i) reports.report(10ms, 1000);
  reports.pace.restart();
  reports.report(10ms, 5000);
  EXPECT_NEAR(reports.pace.per_second().value_or(0), 5000, 1);
}

TEST(DeliveryPace, OneStretchOfWhatHadBeenHeldUpIsNotReachedTwice) {
  Reports reports;
  reports.report(DeliveryPace::kStretch, 1000);
  EXPECT_DOUBLE_EQ(reports.pace.twice(), 0);
  reports.report(DeliveryPace::kStretch, 1000);
  EXPECT_DOUBLE_EQ(reports.pace.twice(), 0) << "only one of them is over";
  reports.report(DeliveryPace::kStretch, 1100);
  EXPECT_DOUBLE_EQ(reports.pace.twice(), 1000);
  reports.report(DeliveryPace::kStretch, 100);
  reports.report(DeliveryPace::kStretch, 1900);
  EXPECT_DOUBLE_EQ(reports.pace.twice(), 100);
}

}  // namespace delivery_pace_test
}  // namespace wyndrvr::engine
