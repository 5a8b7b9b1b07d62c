// Grants: what a receiver grants and when, what a sender may send; then both with a model of a
// link.
#include <algorithm>
#include <cstdint>
#include <optional>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "engine/grant.hpp"
#include "unit/engine_grant_model.hpp"

namespace wyndrvr::engine {
namespace grant_test {

using testing::GrantModel;

constexpr std::uint64_t kKibi = 1024;
constexpr Instant kStart{1000s};

Granter granter_of(std::optional<BitRate> limit = std::nullopt) {
  return Granter({.limit = limit, .datagram = {1400}});
}

std::uint64_t first_grant(Granter granter, const Granter::Seen& seen) {
  return granter.grant(kStart, seen).granted.value;
}

TEST(Granter, GrantsTheSmallestWindowBeforeAnythingIsSeen) {
  Granter granter = granter_of();
  EXPECT_LE(granter.due({}), kStart);
  const Grant grant = granter.grant(kStart, {});
  EXPECT_EQ(grant.granted, ByteCount{256 * kKibi});
  EXPECT_EQ(grant.valid_for, 250ms);
}

TEST(Granter, WindowIsHalfASecondAtTwiceThePresentRateBeyondTheHighestNumber) {
  // 800 Mbit/s are 100 MB in a second.
  EXPECT_EQ(first_grant(granter_of(), {.octets = {5'000'000}, .rate = {800e6}}), 105'000'000U);
}

TEST(Granter, WindowIsAtMostHalfASecondAtTheLimit) {
  EXPECT_EQ(first_grant(granter_of(BitRate{800e6}), {.octets = {5}, .rate = {800e6}}), 50'000'005U);
  EXPECT_EQ(first_grant(granter_of(BitRate{800e6}), {.octets = {5}, .rate = {80e6}}), 10'000'005U);
}

TEST(Granter, ALowLimitLeavesRoomForTheLongestDatagram) {
  EXPECT_EQ(first_grant(granter_of(BitRate{1000}), {}), 256 * kKibi);
}

TEST(Granter, WhatIsGrantedNeverFalls) {
  Granter granter = granter_of();
  const Grant fast = granter.grant(kStart, {.octets = {1'000'000}, .rate = {1e9}});
  const Grant slow = granter.grant(kStart + 50ms, {.octets = {1'100'000}, .rate = {1e6}});
  EXPECT_EQ(slow.granted, fast.granted);
  EXPECT_GT(slow.report_number, fast.report_number);
}

TEST(Granter, AbsurdFiguresDoNotWrap) {
  Granter granter = granter_of();
  EXPECT_EQ(granter.grant(kStart, {.octets = {~0ULL - 5}, .rate = {1e300}}).granted.value, ~0ULL);
  EXPECT_EQ(granter.grant(kStart + 2s, {.octets = {~0ULL - 5}}).granted.value, ~0ULL);
}

TEST(Granter, AReportIsDueEvery50Milliseconds) {
  Granter granter = granter_of();
  const Granter::Seen seen{.octets = {1'000'000}, .rate = {100e6}, .round_trip = 50ms};
  (void)granter.grant(kStart, seen);
  EXPECT_EQ(granter.due(seen), kStart + 50ms);
  // After 50 ms at the same rate as well.
  EXPECT_EQ(granter.due({.octets = {1'000'000 + 625'000}, .rate = {100e6}, .round_trip = 50ms}),
            kStart + 50ms);
}

TEST(Granter, AReportIsDueAfter10MillisecondsWhenTheGrantWouldRunOut) {
  Granter granter = granter_of();
  (void)granter.grant(kStart, {});
  // 256 KiB at 100 Mbit/s last 21 ms.
  EXPECT_EQ(granter.due({.octets = {1}, .rate = {100e6}, .round_trip = 50ms}), kStart + 10ms);
  EXPECT_EQ(granter.due({.octets = {256 * kKibi}, .rate = {}, .round_trip = 50ms}), kStart + 10ms);
}

TEST(Granter, AReportIsDueAfter10MillisecondsForASenderFarAboveTheLimit) {
  Granter granter = granter_of(BitRate{100e6});
  (void)granter.grant(kStart, {.octets = {0}, .rate = {100e6}, .round_trip = 50ms});
  // 500 ms at the limit are 6.25 MB: 42 ms of the rate.
  EXPECT_EQ(granter.due({.octets = {0}, .rate = {1.2e9}, .round_trip = 50ms}), kStart + 10ms);
}

TEST(Granter, AReportIsDueEarlyWhenTheSenderHasBecomeMoreThanTwiceAsFast) {
  Granter granter = granter_of();
  (void)granter.grant(kStart, {.octets = {0}, .rate = {100e6}, .round_trip = 50ms});
  EXPECT_EQ(granter.due({.octets = {0}, .rate = {190e6}, .round_trip = 50ms}), kStart + 50ms);
  EXPECT_EQ(granter.due({.octets = {0}, .rate = {210e6}, .round_trip = 50ms}), kStart + 10ms);
}

TEST(Granter, ForASecondThereIsAReportEveryRoundTripForASenderThatRampsUp) {
  Granter granter = granter_of();
  const auto seen = [](Duration round_trip) {
    return Granter::Seen{.octets = {2'000'000}, .rate = {100e6}, .round_trip = round_trip};
  };
  const Granter::Seen half{.octets = {1'000'000}, .rate = {100e6}, .round_trip = {}};
  (void)granter.grant(kStart, half);
  EXPECT_EQ(granter.due(seen(20ms)), kStart + 20ms);
  EXPECT_EQ(granter.due(seen(1ms)), kStart + 3ms);
  EXPECT_EQ(granter.due(seen(1s)), kStart + 50ms);
  (void)granter.grant(kStart + 999ms, half);
  EXPECT_EQ(granter.due(seen(20ms)), kStart + 1019ms);
  (void)granter.grant(kStart + 1s, half);
  EXPECT_EQ(granter.due(seen(20ms)), kStart + 1050ms);
}

TEST(Granter, ARampsReportWaitsForAtMostAQuarterOfAMebibyte) {
  Granter granter = granter_of();
  const auto seen = [](std::uint64_t octets) {
    return Granter::Seen{.octets = {octets}, .rate = {100e6}, .round_trip = 5ms};
  };
  (void)granter.grant(kStart, seen(900'000));
  EXPECT_EQ(granter.due(seen(1'150'000)), kStart + 50ms);
  EXPECT_EQ(granter.due(seen(900'000 + 256 * kKibi)), kStart + 5ms);
}

TEST(Granter, ARampsFirstReportsWaitForAQuarterOfWhatHasCome) {
  Granter granter = granter_of();
  (void)granter.grant(kStart, {.octets = {9'000}, .rate = {10e6}, .round_trip = 5ms});
  const auto due = [&](std::uint64_t octets) {
    return granter.due({.octets = {octets}, .rate = {10e6}, .round_trip = 5ms});
  };
  EXPECT_EQ(due(11'900), kStart + 50ms);
  EXPECT_EQ(due(12'000), kStart + 5ms);
}

TEST(Granter, OneOfManyStreamsReportsSeldomWithoutNews) {
  Granter granter({.datagram = {1400}, .streams = 4});
  (void)granter.grant(kStart, {});
  EXPECT_EQ(granter.due({}), kStart + 200ms);
  EXPECT_EQ(granter.due({.octets = {1400}}), kStart + 3ms);
}

TEST(Granter, TheWindowFollowsARampThatTheAverageDoesNotShowYet) {
  Granter granter = granter_of();
  (void)granter.grant(kStart, {});
  // 1 MB in 10 ms are 800 Mbit/s; of 100 ms before, most were slow.
  const Granter::Seen seen{.octets = {1'000'000}, .rate = {80e6}};
  EXPECT_EQ(granter.grant(kStart + 10ms, seen).granted.value, 1'000'000U + 100'000'000U);
  // No more has come since: the average is the higher one now.
  EXPECT_EQ(granter.grant(kStart + 100ms, seen).granted.value, 101'000'000U)
      << "nothing is taken back";
  const Granter::Seen later{.octets = {101'000'000}, .rate = {80e6}};
  EXPECT_EQ(granter.grant(kStart + 30s, later).granted.value, 101'000'000U + 10'000'000U);
}

TEST(Granter, WhatComesWithinAMomentIsNoRate) {
  Granter granter = granter_of();
  (void)granter.grant(kStart, {});
  const auto granted = granter.grant(kStart + 1ms, {.octets = {1'000'000}}).granted.value;
  EXPECT_EQ(granted, 1'000'000U + 256 * kKibi);
}

TEST(Granter, NoMoreIsGrantedThanTheReceiversBufferHolds) {
  const Granter granter({.limit = {}, .datagram = {1400}, .buffer = ByteCount{1'000'000}});
  EXPECT_EQ(first_grant(granter, {.octets = {5'000'000}, .rate = {800e6}}), 6'000'000U);
  EXPECT_EQ(first_grant(granter, {.octets = {0}, .rate = {1e6}}), 256 * kKibi) << "and no less";
}

TEST(Granter, WhatIsOnTheWayIsNotInTheBuffer) {
  const Granter granter({.limit = {}, .datagram = {1400}, .buffer = ByteCount{1'000'000}});
  // 800 Mbit/s are 10 MB in 100 ms; the sender may be twice as fast by then.
  const Granter::Seen seen{.octets = {0}, .rate = {800e6}, .round_trip = 100ms};
  EXPECT_EQ(first_grant(granter, seen), 21'000'000U);
}

TEST(Granter, ABufferTooSmallForADatagramStillGrantsOne) {
  const Granter granter({.limit = {}, .datagram = {9000}, .buffer = ByteCount{500}});
  EXPECT_EQ(first_grant(granter, {}), 9000U);
}

// When a report follows on the first one, at a rate, with half of that grant used.
Duration urgency(ByteCount buffer, BitRate rate) {
  Granter granter({.limit = {}, .datagram = {1400}, .buffer = buffer});
  const std::uint64_t granted = granter.grant(kStart, {.octets = {0}, .rate = rate}).granted.value;
  return granter.due({.octets = {granted / 2 + 1}, .rate = rate}) - kStart;
}

TEST(Granter, AReportIsDueWheneverHalfOfTheBufferMayBeEmpty) {
  // 10 Gbit/s fill 1 MB in 0.8 ms, and half of it at twice the rate in 0.2 ms.
  EXPECT_EQ(urgency({1'000'000}, {10e9}), 200us);
  EXPECT_EQ(urgency({1'000'000}, {20e9}), 100us);
}

TEST(Granter, UrgentReportsAreNotEndless) {
  EXPECT_EQ(urgency({1'000'000}, {100e9}), 50us);
  EXPECT_EQ(urgency({100'000}, {10e9}), 50us);
  EXPECT_EQ(urgency({2'000'000}, {2e9}), 1ms) << "nor rarer than they must be";
}

TEST(Granter, AfterHalfASecondOfSilenceEachReportGrantsADatagramMore) {
  Granter granter = granter_of();
  const Granter::Seen seen{.octets = {100'000}, .rate = {1e6}};
  const std::uint64_t before = granter.grant(kStart, seen).granted.value;
  const Granter::Seen silent{.octets = {100'000}};
  EXPECT_EQ(granter.grant(kStart + 450ms, silent).granted.value, before);
  EXPECT_EQ(granter.grant(kStart + 500ms, silent).granted.value, before + 1400);
  EXPECT_EQ(granter.grant(kStart + 550ms, silent).granted.value, before + 2800);
  const Granter::Seen awake{.octets = {100'001}};
  EXPECT_EQ(granter.grant(kStart + 600ms, awake).granted.value, before + 2800);
}

TEST(Allowance, NothingMayLeaveBeforeTheFirstReport) {
  const Allowance allowance;
  EXPECT_EQ(allowance.may_send(kStart), ByteCount{0});
  EXPECT_FALSE(allowance.deadline());
}

TEST(Allowance, WhatWasSentIsTakenFromWhatIsGranted) {
  Allowance allowance;
  EXPECT_TRUE(allowance.on_report(kStart, 1, {1000}, 250ms));
  allowance.on_sent({400});
  EXPECT_EQ(allowance.may_send(kStart), ByteCount{600});
  allowance.on_sent({600});
  EXPECT_EQ(allowance.may_send(kStart), ByteCount{0});
  EXPECT_TRUE(allowance.on_report(kStart + 1ms, 2, {1500}, 250ms));
  EXPECT_EQ(allowance.may_send(kStart + 1ms), ByteCount{500});
}

TEST(Allowance, EndsWhenTheReportIsNoLongerValid) {
  Allowance allowance;
  EXPECT_TRUE(allowance.on_report(kStart, 1, {1000}, 100ms));
  EXPECT_EQ(allowance.deadline(), kStart + 100ms);
  EXPECT_EQ(allowance.may_send(kStart + 100ms - 1ns), ByteCount{1000});
  EXPECT_EQ(allowance.may_send(kStart + 100ms), ByteCount{0});
}

TEST(Allowance, NoReportIsValidForLongerThan250Milliseconds) {
  Allowance allowance;
  EXPECT_TRUE(allowance.on_report(kStart, 1, {1000}, 10s));
  EXPECT_EQ(allowance.deadline(), kStart + 250ms);
}

TEST(Allowance, ANewerReportMayEndItAtOnceButNotLowerIt) {
  Allowance allowance;
  EXPECT_TRUE(allowance.on_report(kStart, 1, {1000}, 250ms));
  EXPECT_TRUE(allowance.on_report(kStart, 2, {10}, 0ms));
  EXPECT_EQ(allowance.may_send(kStart), ByteCount{0});
  EXPECT_TRUE(allowance.on_report(kStart, 3, {10}, 250ms));
  EXPECT_EQ(allowance.may_send(kStart), ByteCount{1000});
}

TEST(Allowance, OlderAndRepeatedReportsChangeNothing) {
  base::Random random(7);
  Allowance allowance;
  ASSERT_TRUE(allowance.on_report(kStart, 1000, {5000}, 250ms));
  for (int i = 0; i < 1000; ++i) {
    const Instant now = kStart + 1us * i;
    const auto number = static_cast<std::uint32_t>(random.between(0, 1000));
    EXPECT_FALSE(allowance.on_report(now, number, {random()}, 1ms * (i % 1000)));
    EXPECT_EQ(allowance.may_send(now), ByteCount{5000});
    EXPECT_EQ(allowance.deadline(), kStart + 250ms);
  }
}

// --- with the model ---

struct Ramp {
  double start_bps;
  Duration delay;
};

// The smallest share of what it wanted that the sender could send in any 100 ms.
double worst_share(const GrantModel::Options& options, int hundreds) {
  GrantModel model(options);
  double worst = 1;
  double wanted = 0;
  std::uint64_t sent = 0;
  for (int hundred = 0; hundred < hundreds; ++hundred) {
    for (int i = 0; i < 100; ++i) model.step();
    const double share = static_cast<double>(model.sent() - sent) / (model.wanted() - wanted);
    worst = std::min(worst, share);
    wanted = model.wanted();
    sent = model.sent();
  }
  return worst;
}

// Bounded by a round trip of 100 ms at 10 Mbit/s, since the first window is 256 KiB; and by 200 ms
// at any rate, since a sender that does not wait for its reports is then four times as fast as the
// receiver sees it.
TEST(GrantsOnALink, NeverHoldBackASenderThatDoublesEvery100Milliseconds) {
  for (const Ramp& ramp : {Ramp{10e6, 0ms}, Ramp{10e6, 5ms}, Ramp{10e6, 25ms}, Ramp{10e6, 50ms},
                           Ramp{5e6, 75ms}, Ramp{1e6, 100ms}, Ramp{100e6, 1ms}, Ramp{100e6, 5ms}}) {
    EXPECT_GT(worst_share({.start_bps = ramp.start_bps, .delay = ramp.delay}, 20), 0.95)
        << ramp.start_bps << " bit/s, one way " << ramp.delay.count() << " ns";
  }
}

TEST(GrantsOnALink, DoNotHoldBackARampIntoABottleneckOrToTheLimit) {
  EXPECT_GT(worst_share({.top_bps = 2e9, .link_bps = 1e9, .delay = 25ms}, 20), 0.95);
  EXPECT_GT(worst_share({.top_bps = 1e9, .limit = BitRate{1e9}, .delay = 50ms}, 20), 0.95);
}

TEST(GrantsOnALink, NothingLeavesWithoutGrantOrLaterThan250MillisecondsAfterAReport) {
  for (const double loss : {0.0, 0.1, 0.3, 0.5}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      GrantModel model({.delay = 20ms, .report_loss = loss, .seed = seed});
      for (int i = 0; i < 3000; ++i) {
        model.step();
        ASSERT_LE(model.sent(), model.granted_at_sender());
        if (model.last_sent() == model.now()) {
          ASSERT_LT(model.now() - model.last_report().value(), 250ms) << loss << ", seed " << seed;
        }
      }
      EXPECT_GT(model.sent(), 0U);
    }
  }
}

TEST(GrantsOnALink, WhenTheReceiverDiesTheSenderIsQuietWithin250Milliseconds) {
  GrantModel model(
      {.start_bps = 50e6, .top_bps = 50e6, .delay = 10ms, .receiver_dies = Instant(2s)});
  for (int i = 0; i < 5000; ++i) model.step();
  // The grant itself would have lasted for longer.
  EXPECT_LT(model.sent(), model.granted_at_sender());
  const Duration after = model.last_sent() - model.last_report().value();
  EXPECT_GE(after, 240ms);
  EXPECT_LT(after, 250ms);
}

TEST(GrantsOnALink, ATestGoesOnAfterAnOutageThatSwallowedAllThatWasGranted) {
  GrantModel model({.start_bps = 50e6,
                    .top_bps = 50e6,
                    .delay = 20ms,
                    .outage_begins = Instant(2s),
                    .outage_ends = Instant(6s)});
  while (model.now() < Instant(5s)) model.step();
  const std::uint64_t before = model.sent();
  while (model.now() < Instant(6s)) model.step();
  EXPECT_LT(model.sent() - before, 50'000U);  // no more than probes
  EXPECT_GT(model.sent() - before, 0U);
  while (model.now() < Instant(7s)) model.step();
  const std::uint64_t awake = model.sent();
  while (model.now() < Instant(8s)) model.step();
  EXPECT_GT(model.sent() - awake, 0.95 * 50e6 / 8);
}

TEST(GrantsOnALink, ReportsAreFew) {
  GrantModel model({.delay = 25ms});
  for (int i = 0; i < 3000; ++i) model.step();
  EXPECT_GE(model.reports(), 60U);
  EXPECT_LE(model.reports(), 80U);
}

TEST(GrantsOnALink, RepeatedAndOlderReportsOnTheWayRaiseNothing) {
  base::Random random(3);
  GrantModel model({.delay = 20ms, .report_loss = 0.2});
  for (int i = 0; i < 2000; ++i) {
    model.step();
    if (!model.last_report()) continue;
    const ByteCount before = model.allowance().may_send(model.now());
    const auto deadline = model.allowance().deadline();
    const std::uint32_t known = model.newest_report();
    const auto number = static_cast<std::uint32_t>(random.between(0, known));
    EXPECT_FALSE(model.allowance().on_report(model.now(), number, {~0ULL}, 250ms));
    EXPECT_EQ(model.allowance().may_send(model.now()), before);
    EXPECT_EQ(model.allowance().deadline(), deadline);
  }
}

}  // namespace grant_test
}  // namespace wyndrvr::engine
