#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <utility>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "engine/rate_controller.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace rate_controller_test {

using namespace testing;

constexpr std::uint64_t kPacketBytes = 937;
// What these tests begin with: fast enough that few datagrams more or less say nothing.
constexpr BitRate kInitial{100e6};
constexpr BitRate kLeast{1e6};

// A path with a bottleneck, its queue, a delay and a random loss, moved on a step at a time.
// Coarse, and without any code of the engine's.
struct Path {
  double bottleneck_bps = 1e15;
  double queue_seconds = 0.05;
  double loss = 0;
  int delay_steps = 2;    // one way
  double sent_share = 1;  // of the rate that the sender really uses
  Duration step = 10ms;
  int report_steps = 10;  // from one report of the receiver's to the next
  // The host of both ends stands still for up to this, after up to four times of it.
  Duration longest_pause{};
  std::uint64_t seed = 1;
  BitRate initial = kInitial;
};

class Model {
 public:
  explicit Model(const Path& path)
      : path_(path),
        controller_({.adjustment_delay = 1s, .initial = path.initial, .least = kLeast}, kStart),
        random_(path.seed) {}

  void run(Duration time) {
    for (Instant end = now_ + time; now_ < end;) step();
  }
  RateController& controller() { return controller_; }
  [[nodiscard]] double rate() const { return controller_.rate().bps; }
  // The mean of the rate over this time.
  double mean_rate(Duration time) {
    double sum = 0;
    int steps = 0;
    for (Instant end = now_ + time; now_ < end; ++steps) {
      step();
      sum += rate();
    }
    return sum / steps;
  }
  Path& path() { return path_; }
  // Of datagrams that were sent: what the path itself has lost.
  [[nodiscard]] double lost_share() const { return 1 - received_ / reached_; }

 private:
  struct Flight {
    double reached = 0;   // of how many sent so far the receiver knows
    double received = 0;  // and has
  };

  // Whether the hosts stand still.
  bool paused() {
    if (path_.longest_pause <= Duration(0)) return false;
    if (now_ >= pause_ends_) {
      const double longest = to_seconds(path_.longest_pause);
      pause_begins_ = now_ + from_seconds(4 * longest * random_.unit());
      pause_ends_ = pause_begins_ + from_seconds(longest * random_.unit());
    }
    return now_ >= pause_begins_;
  }

  void step() {
    now_ += path_.step;
    ++steps_;
    const double seconds = to_seconds(path_.step);
    const bool still = paused();
    const double capacity = path_.bottleneck_bps * seconds / 8 / kPacketBytes;
    due_ += still ? 0 : rate() * path_.sent_share * seconds / 8 / kPacketBytes;
    const auto whole = static_cast<std::uint64_t>(due_);
    due_ -= static_cast<double>(whole);
    controller_.on_sent({whole * kPacketBytes}, whole);
    const double room = capacity * (1 + path_.queue_seconds / seconds);
    const double taken = std::min(static_cast<double>(whole), std::max(0.0, room - queue_));
    const double dropped = static_cast<double>(whole) - taken;
    queue_ += taken;
    const double out = std::min(queue_, capacity);
    queue_ -= out;
    // Those that were dropped become visible with those around them.
    const double seen_drops = waiting_drops_ + dropped;
    const double share = queue_ + out > 0 ? out / (queue_ + out) : 1;
    waiting_drops_ = seen_drops * (1 - share);
    reached_ += out + seen_drops * share;
    const double arrived = survivors(out);
    received_ += arrived;
    // What was lost shows only once something after it arrives.
    if (arrived >= 1) seen_ = {reached_, received_};
    flights_.push_back(seen_);
    if (flights_.size() <= 2 * static_cast<std::size_t>(path_.delay_steps)) return;
    const Flight flight = flights_.front();
    flights_.pop_front();
    if (still) {
      if (!was_still_) at_pause_ = flight;
      was_still_ = true;
      return;
    }
    if (steps_ % static_cast<std::uint64_t>(path_.report_steps) != 0) return;
    if (std::exchange(was_still_, false)) {
      // Written before the receiver has read all of what came meanwhile.
      const double told = random_.unit();
      controller_.on_feedback(
          now_,
          {static_cast<std::uint64_t>(std::lerp(at_pause_.reached, flight.reached, told)),
           static_cast<std::uint64_t>(std::lerp(at_pause_.received, flight.received, told)), true});
      return;
    }
    controller_.on_feedback(now_, {static_cast<std::uint64_t>(flight.reached),
                                   static_cast<std::uint64_t>(flight.received), true});
  }
  // A binomial number, by its normal approximation.
  double survivors(double count) {
    const double mean = count * (1 - path_.loss);
    const double deviation = std::sqrt(count * path_.loss * (1 - path_.loss));
    double noise = -6;
    for (int i = 0; i < 12; ++i) noise += random_.unit();
    return std::clamp(mean + deviation * noise, 0.0, count);
  }

  Path path_;
  Instant now_ = kStart;
  RateController controller_;
  base::Random random_;
  Instant pause_begins_ = kStart;
  Instant pause_ends_ = kStart;
  double due_ = 0;
  std::deque<Flight> flights_;
  Flight seen_;
  Flight at_pause_;
  bool was_still_ = false;
  double queue_ = 0;
  double waiting_drops_ = 0;
  double reached_ = 0;
  double received_ = 0;
  std::uint64_t steps_ = 0;
};

// Sends all of the rate for 100 ms and reports all of it received but for `lost`.
class Reports {
 public:
  // `told`: of what has not been told of yet, in a report written before the receiver has seen all.
  void report(double lost = 0, double share = 1, double told = 1) {
    now_ += 100ms;
    const double packets = controller.rate().bps * share * 0.1 / 8 / kPacketBytes;
    const auto sent = static_cast<std::uint64_t>(packets);
    controller.on_sent({sent * kPacketBytes}, sent);
    const double news = told * (packets + untold_);
    untold_ += packets - news;
    feedback_.sent += static_cast<std::uint64_t>(news);
    feedback_.received += static_cast<std::uint64_t>(news * (1 - lost));
    controller.on_feedback(now_, feedback_);
  }
  void repeat() { controller.on_feedback(now_ += 100ms, feedback_); }
  [[nodiscard]] std::uint64_t lost() const { return feedback_.sent - feedback_.received; }

  RateController controller{{.adjustment_delay = 1s, .initial = kInitial, .least = kLeast}, kStart};

 private:
  Instant now_ = kStart;
  double untold_ = 0;
  RateController::Feedback feedback_;
};

TEST(RateController, DoublesWithEveryCleanReport) {
  Reports reports;
  for (int i = 1; i <= 5; ++i) {
    reports.report();
    EXPECT_NEAR(reports.controller.rate().bps, kInitial.bps * std::pow(2, i),
                0.02 * reports.controller.rate().bps);
  }
}

TEST(RateController, NeverExceedsItsMaximum) {
  Reports reports;
  for (int i = 0; i < 40; ++i) reports.report();
  EXPECT_DOUBLE_EQ(reports.controller.rate().bps, RateController::kMaximum.bps);
}

TEST(RateController, LossCutsToALittleBelowWhatWasDelivered) {
  Reports reports;
  reports.report();
  const double before = reports.controller.rate().bps;
  reports.report(0.4);
  EXPECT_LT(reports.controller.rate().bps, before * 0.6) << "else a full queue stays full";
  EXPECT_GT(reports.controller.rate().bps, before * 0.6 * 0.75);
}

TEST(RateController, NeverFallsBelowItsMinimum) {
  Reports reports;
  for (int i = 0; i < 100; ++i) reports.report(0.99);
  EXPECT_GE(reports.controller.rate().bps, kLeast.bps);
}

TEST(RateController, DoesNotGrowWhereTheSenderDoesNotUseTheRate) {
  Reports reports;
  reports.report();
  const double before = reports.controller.rate().bps;
  for (int i = 0; i < 100; ++i) reports.report(0, 0.3);
  EXPECT_DOUBLE_EQ(reports.controller.rate().bps, before);
}

TEST(RateController, ReportWithoutNewsChangesNothing) {
  Reports reports;
  reports.report();
  const double before = reports.controller.rate().bps;
  for (int i = 0; i < 100; ++i) reports.repeat();
  EXPECT_DOUBLE_EQ(reports.controller.rate().bps, before);
}

TEST(RateController, CoalescesOnlyWhenClean) {
  Reports reports;
  while (reports.controller.rate() < BitRate{3.2e9}) reports.report();
  EXPECT_TRUE(reports.controller.may_coalesce());
  reports.report(0.1);
  ASSERT_GE(reports.controller.rate(), BitRate{200e6});
  EXPECT_FALSE(reports.controller.may_coalesce()) << "not clean";
  for (int i = 0; i < 200 && !reports.controller.may_coalesce(); ++i) reports.report();
  EXPECT_TRUE(reports.controller.may_coalesce()) << "clean again";
}

TEST(RateController, LossInTheReceiversSocketIsNoReasonToSendOneByOne) {
  Reports reports;
  while (reports.controller.rate() < BitRate{3.2e9}) reports.report();
  reports.report(0.1);
  ASSERT_FALSE(reports.controller.may_coalesce());
  const std::uint64_t lost = reports.lost();
  reports.controller.on_receiver_drops(lost / 2);
  EXPECT_FALSE(reports.controller.may_coalesce()) << "half of it was the path";
  reports.controller.on_receiver_drops(lost);
  EXPECT_TRUE(reports.controller.may_coalesce());
}

TEST(RateController, LossToldAsTheReceiversBeforeItShowsDoesNoHarmEither) {
  Reports reports;
  while (reports.controller.rate() < BitRate{3.2e9}) reports.report();
  reports.controller.on_receiver_drops(1'000'000'000);
  reports.report(0.1);
  EXPECT_TRUE(reports.controller.may_coalesce());
}

class Bottleneck : public ::testing::TestWithParam<double> {};

TEST_P(Bottleneck, RateSettlesWithinAQuarterOfIt) {
  Model model({.bottleneck_bps = GetParam()});
  model.run(15s);
  EXPECT_NEAR(model.mean_rate(15s), GetParam(), 0.25 * GetParam());
}

TEST_P(Bottleneck, RateIsSoonWithinReachOfIt) {
  Model model({.bottleneck_bps = GetParam()});
  model.run(5s);
  EXPECT_GT(model.rate(), 0.5 * GetParam());
  EXPECT_LT(model.rate(), 1.5 * GetParam());
}

TEST_P(Bottleneck, RateSettlesOverALongRoundTripAsWell) {
  Model model({.bottleneck_bps = GetParam(), .delay_steps = 15});  // 300 ms there and back
  model.run(20s);
  const double mean = model.mean_rate(10s);
  EXPECT_GT(mean, 0.5 * GetParam());
  EXPECT_LT(mean, 1.5 * GetParam());
}

INSTANTIATE_TEST_SUITE_P(RateController, Bottleneck, ::testing::Values(5e6, 100e6, 1e9));

TEST(RateController, RandomLossDoesNotMakeTheRateCollapse) {
  for (const double loss : {0.01, 0.1, 0.3}) {
    Model model({.loss = loss});
    double lowest = 1e18;
    for (int i = 0; i < 30; ++i) {
      model.run(1s);
      if (i >= 10) lowest = std::min(lowest, model.rate());
    }
    EXPECT_GT(lowest, kInitial.bps / 2) << "loss of " << loss;
    EXPECT_GT(model.rate(), kInitial.bps) << "loss of " << loss;
  }
}

// The first reports tell of four datagrams each.
TEST(RateController, OneLostOfAHandfulDoesNotEndTheRamp) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Model model({.loss = 0.01,
                 .delay_steps = 0,
                 .step = 1ms,
                 .report_steps = 3,
                 .seed = seed,
                 .initial = BitRate{10e6}});
    model.run(3s);
    EXPECT_GT(model.rate(), 100e6) << "seed " << seed;
  }
}

TEST(RateController, LossOfThePathIsLearnt) {
  Model model({.loss = 0.3});
  model.run(30s);
  EXPECT_NEAR(model.controller().path_loss(), 0.3, 0.05);
}

TEST(RateController, BottleneckIsFoundOnALossyPathAsWell) {
  Model model({.bottleneck_bps = 50e6, .loss = 0.05});
  model.run(30s);
  EXPECT_NEAR(model.mean_rate(15s), 50e6, 20e6);
}

// The report before was written too early, so that as much seems to arrive as is sent. That the
// same share is lost at the same rate proves nothing.
TEST(RateController, CutThatHardlyLowersTheRateSaysNothingOfThePathsLoss) {
  Reports reports;
  for (int i = 0; i < 3; ++i) reports.report();
  const double bottleneck = 0.9 * reports.controller.rate().bps;
  const auto lost = [&] { return std::max(0.0, 1 - bottleneck / reports.controller.rate().bps); };
  reports.report(0, 1, 0.8);
  for (int i = 0; i < 60; ++i) reports.report(lost());
  EXPECT_LT(reports.controller.path_loss(), 0.05);
  EXPECT_LT(reports.controller.rate().bps, 1.2 * bottleneck);
}

// One period of loss, whatever its cause: the path has carried more before, and does so again.
TEST(RateController, WhatWasCarriedBeforeIsTriedAgainSoon) {
  Model model({.bottleneck_bps = 100e6});
  model.run(10s);
  model.path().bottleneck_bps = 60e6;
  model.run(1500ms);
  model.path().bottleneck_bps = 100e6;
  model.run(3s);
  EXPECT_GT(model.mean_rate(2s), 90e6);
}

TEST(RateController, PathThatHasBecomeSlowerIsTriedOnlyOnce) {
  Model model({.bottleneck_bps = 100e6});
  model.run(10s);
  model.path().bottleneck_bps = 40e6;
  double too_fast = 0;
  for (int i = 0; i < 300; ++i) {
    model.run(100ms);
    if (model.rate() > 45e6) too_fast += 0.1;
  }
  EXPECT_LT(too_fast, 4) << "seconds";
}

// A host that is held up again and again, as a busy virtual machine is, makes for gaps in what is
// sent and for late reports, and says nothing of the path.
TEST(RateController, PausesOfTheHostAreNoReasonToSlowDownForLong) {
  constexpr double kBottleneck = 100e6;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Model model({.bottleneck_bps = kBottleneck,
                 .delay_steps = 0,
                 .step = 1ms,
                 .report_steps = 3,
                 .longest_pause = 150ms,
                 .seed = seed});
    model.run(2s);
    double sum = 0;
    for (int i = 0; i < 4; ++i) {
      const double mean = model.mean_rate(2s);
      EXPECT_GT(mean, 0.7 * kBottleneck) << "seed " << seed << ", " << i;
      sum += mean;
    }
    EXPECT_GT(sum / 4, 0.85 * kBottleneck) << "seed " << seed;
    EXPECT_LT(model.lost_share(), 0.1) << "seed " << seed;
  }
}

// Nothing arrives for five seconds, then the path is as before.
TEST(RateController, OutageIsNoReasonToFloodThePathAfterwards) {
  Model model({.bottleneck_bps = 50e6});
  model.run(10s);
  model.path().loss = 1;
  for (int i = 0; i < 50; ++i) {
    model.run(100ms);
    ASSERT_FALSE(std::isnan(model.rate()));
    ASSERT_LE(model.rate(), 200e6) << i;
  }
  model.path().loss = 0;
  model.run(2s);
  for (int i = 0; i < 200; ++i) {
    model.run(100ms);
    ASSERT_LE(model.rate(), 200e6) << i;
  }
}

}  // namespace rate_controller_test
}  // namespace wyndrvr::engine
