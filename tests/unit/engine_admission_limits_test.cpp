#include <optional>

#include <gtest/gtest.h>

#include "engine/admission_limits.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace admission_limits_test {

using testing::kStart;

constexpr BitRate kMegabit{1e6};

TestTerms wanted_test(std::optional<BitRate> rate,
                      wire::Directions directions = wire::Directions::kDownload) {
  TestTerms terms;
  terms.directions = directions;
  terms.rate = rate;
  terms.adaptive = !rate;
  return terms;
}

// --- restrict ---

TEST(Restrict, WithinTheLimitsEverythingIsGranted) {
  const TestTerms wanted{.directions = wire::Directions::kBoth,
                         .duration = 10s,
                         .rate = BitRate{5e6},
                         .payload_bytes = 1200,
                         .streams = 64,
                         .reliable = true,
                         .octets = ByteCount{1000},
                         .single_port = true,
                         .data_tags = true,
                         .fragment = true,
                         .traffic_class = 0xb8};
  EXPECT_EQ(restrict(wanted, ServerLimits{}), wanted);
}

TEST(Restrict, EachLimitCutsItsOwnFieldOnly) {
  ServerLimits limits;
  limits.max_test_duration = 5s;
  limits.max_rate = BitRate{2e6};
  limits.max_test_bytes = ByteCount{500};
  limits.max_payload = 1000;
  limits.max_streams = 4;
  const TestTerms wanted{.directions = wire::Directions::kUpload,
                         .duration = 10s,
                         .rate = BitRate{3e6},
                         .payload_bytes = 1200,
                         .streams = 16,
                         .octets = ByteCount{501}};
  TestTerms expected = wanted;
  expected.duration = 5s;
  expected.rate = BitRate{2e6};
  expected.octets = ByteCount{500};
  expected.payload_bytes = 1000;
  expected.streams = 4;
  EXPECT_EQ(restrict(wanted, limits), expected);
}

TEST(Restrict, WithoutABoundWantedTheLimitIsGranted) {
  ServerLimits limits;
  limits.max_rate = BitRate{2e6};
  limits.max_test_bytes = ByteCount{500};
  const TestTerms terms = restrict(wanted_test(std::nullopt), limits);
  EXPECT_EQ(terms.rate, BitRate{2e6});
  EXPECT_EQ(terms.octets, ByteCount{500});
}

TEST(Restrict, WhatGrantCannotTellExactlyIsCutToWhatItCan) {
  ServerLimits limits;
  limits.max_test_duration = 1500us;
  limits.max_rate = BitRate{1000.9};
  const TestTerms terms = restrict(wanted_test(std::nullopt), limits);
  EXPECT_EQ(terms.duration, 1ms);
  EXPECT_EQ(terms.rate, BitRate{1000});
}

TEST(Restrict, LimitsBelowWhatAFieldCanSayGrantTheLeast) {
  ServerLimits limits;
  limits.max_test_duration = 1us;
  limits.max_rate = BitRate{0.5};
  limits.max_test_bytes = ByteCount{0};
  limits.max_payload = 1;
  limits.max_streams = 0;
  const TestTerms terms = restrict(wanted_test(std::nullopt), limits);
  EXPECT_EQ(terms.duration, 1ms);
  EXPECT_EQ(terms.rate, BitRate{1});
  EXPECT_EQ(terms.octets, ByteCount{1});
  EXPECT_EQ(terms.payload_bytes, 64U);
  EXPECT_EQ(terms.streams, 1);
}

// --- the rate of all tests ---

TEST(RateBook, WithoutATotalNothingIsEverBusy) {
  RateBook book(std::nullopt);
  for (std::uint64_t id = 0; id < 100; ++id) {
    const auto terms = book.grant(wanted_test(std::nullopt));
    ASSERT_TRUE(terms);
    EXPECT_FALSE(terms->rate) << "as fast as it goes";
    book.enter(id, *terms, kStart);
  }
  EXPECT_FALSE(book.find_overdue(kStart + 1h));
}

TEST(RateBook, AsFastAsItGoesGetsWhatIsLeft) {
  RateBook book(kMegabit * 100);
  const auto first = book.grant(wanted_test(kMegabit * 30));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->rate, kMegabit * 30);
  book.enter(1, *first, kStart);
  EXPECT_EQ(book.grant(wanted_test(std::nullopt))->rate, kMegabit * 70);
}

TEST(RateBook, BothDirectionsTakeTheirRateTwice) {
  RateBook book(kMegabit * 100);
  EXPECT_EQ(book.grant(wanted_test(std::nullopt, wire::Directions::kBoth))->rate, kMegabit * 50);
  const auto both = book.grant(wanted_test(kMegabit * 30, wire::Directions::kBoth));
  book.enter(1, *both, kStart);
  EXPECT_EQ(book.taken(), kMegabit * 60);
  EXPECT_EQ(book.grant(wanted_test(std::nullopt))->rate, kMegabit * 40);
  EXPECT_FALSE(book.grant(wanted_test(kMegabit * 30, wire::Directions::kBoth)));
  EXPECT_TRUE(book.grant(wanted_test(kMegabit * 20, wire::Directions::kBoth)));
}

TEST(RateBook, BusyWhenLessThanATenthOfWhatAnIdleServerGivesIsLeft) {
  RateBook book(kMegabit * 100);
  book.enter(1, wanted_test(kMegabit * 90), kStart);
  EXPECT_EQ(book.grant(wanted_test(std::nullopt))->rate, kMegabit * 10);
  book.enter(2, wanted_test(BitRate{1}), kStart);
  EXPECT_FALSE(book.grant(wanted_test(std::nullopt)));
}

TEST(RateBook, FixedRateIsGrantedWholeOrNotAtAll) {
  RateBook book(kMegabit * 100);
  book.enter(1, wanted_test(kMegabit * 60), kStart);
  EXPECT_EQ(book.grant(wanted_test(kMegabit * 40))->rate, kMegabit * 40);
  EXPECT_FALSE(book.grant(wanted_test(BitRate{40e6 + 1})));
}

TEST(RateBook, FixedRateBeyondTheTotalGetsTheTotalOfAnIdleServer) {
  RateBook book(kMegabit * 100);
  EXPECT_EQ(book.grant(wanted_test(kMegabit * 300))->rate, kMegabit * 100);
  book.enter(1, wanted_test(BitRate{1}), kStart);
  EXPECT_FALSE(book.grant(wanted_test(kMegabit * 300)));
}

TEST(RateBook, LatencyOnlyTakesNothingAndIsNeverBusy) {
  RateBook book(kMegabit);
  book.enter(1, wanted_test(kMegabit), kStart);
  const auto terms = book.grant(wanted_test(kMegabit * 5, wire::Directions::kLatencyOnly));
  ASSERT_TRUE(terms);
  book.enter(2, *terms, kStart);
  EXPECT_EQ(book.taken(), kMegabit);
}

TEST(RateBook, RateComesBackOnce) {
  RateBook book(kMegabit * 100);
  book.enter(1, wanted_test(kMegabit * 60), kStart);
  book.enter(2, wanted_test(kMegabit * 40), kStart);
  book.leave(1);
  book.leave(1);
  book.leave(77);
  EXPECT_EQ(book.taken(), kMegabit * 40);
  book.leave(2);
  EXPECT_EQ(book.taken(), BitRate{0});
}

TEST(RateBook, OddTotalIsNeverExceeded) {
  RateBook book(BitRate{1001});
  const auto both = book.grant(wanted_test(std::nullopt, wire::Directions::kBoth));
  EXPECT_EQ(both->rate, BitRate{500});
  EXPECT_EQ(book.grant(wanted_test(BitRate{5000}, wire::Directions::kBoth))->rate, BitRate{500});
}

TEST(RateBook, WaitIsUntilTheFirstMustBeOver) {
  RateBook book(kMegabit);
  book.enter(1, wanted_test(BitRate{1}), kStart + 50s);
  book.enter(2, wanted_test(BitRate{1}), kStart + 20s);
  book.enter(3, wanted_test(BitRate{1}), kStart + 30s);
  EXPECT_EQ(book.come_again_after(kStart), 20s);
  EXPECT_EQ(book.come_again_after(kStart + 1ns), 20s) << "whole milliseconds, not too early";
  book.leave(2);
  EXPECT_EQ(book.come_again_after(kStart), 30s);
}

TEST(RateBook, WaitIsAtLeastASecondAndAtMostAnHour) {
  RateBook book(kMegabit);
  EXPECT_EQ(book.come_again_after(kStart), 1s);
  book.enter(1, wanted_test(BitRate{1}), kStart + 24h);
  EXPECT_EQ(book.come_again_after(kStart), 1h);
  book.enter(2, wanted_test(BitRate{1}), kStart);
  EXPECT_EQ(book.come_again_after(kStart), 1s);
  EXPECT_EQ(book.come_again_after(kStart + 5min), 1s);
}

TEST(RateBook, OverdueIsWhoStaysTooLong) {
  RateBook book(kMegabit);
  book.enter(7, wanted_test(BitRate{1}), kStart);
  book.enter(8, wanted_test(BitRate{1}), kStart + 1h);
  EXPECT_FALSE(book.find_overdue(kStart + RateBook::kOverdueAfter - 1ns));
  EXPECT_EQ(book.find_overdue(kStart + RateBook::kOverdueAfter), 7U);
  book.leave(7);
  EXPECT_FALSE(book.find_overdue(kStart + RateBook::kOverdueAfter));
}

}  // namespace admission_limits_test
}  // namespace wyndrvr::engine
