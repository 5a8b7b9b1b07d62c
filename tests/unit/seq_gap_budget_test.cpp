// Gap sets that share one budget.
#include <cstddef>
#include <cstdint>
#include <deque>

#include <gtest/gtest.h>

#include "seq/gap_budget.hpp"
#include "seq/gap_set.hpp"
#include "unit/allocation_counter.hpp"

namespace wyndrvr::seq {
namespace {

using wyndrvr::testing::allocations_during;
using wyndrvr::testing::octets_held;

constexpr std::size_t kFarMore = 1'000'000;

void lose_every_other(GapSet& gaps, std::uint64_t count) {
  const std::uint64_t begin = gaps.tail_begin();
  for (std::uint64_t i = 0; i < count; ++i) gaps.mark(begin + 2 * i + 1);
}

TEST(GapBudget, SetsTogetherHoldWhatItAllowsAndNoMore) {
  GapBudget budget(1000, 4);
  std::deque<GapSet> sets;
  for (int i = 0; i < 4; ++i) sets.emplace_back(kFarMore, &budget);
  for (GapSet& set : sets) lose_every_other(set, 2000);
  std::size_t held = 0;
  for (const GapSet& set : sets) held += set.gaps_held();
  EXPECT_EQ(held, 1000U);
}

TEST(GapBudget, EachSetHasAPartThatNoOtherCanUseUp) {
  GapBudget budget(1000, 4);
  GapSet greedy(kFarMore, &budget);
  lose_every_other(greedy, 5000);
  EXPECT_EQ(greedy.gaps_held(), 1000U / 2 + 1000U / 8);
  GapSet other(kFarMore, &budget);
  lose_every_other(other, 5000);
  EXPECT_EQ(other.gaps_held(), 1000U / 8);
}

TEST(GapBudget, WhatItDoesNotAllowWritesOffTheLowestAndTellsIt) {
  GapBudget budget(3, 1);
  GapSet gaps(kFarMore, &budget);
  lose_every_other(gaps, 5);
  EXPECT_TRUE(gaps.full());
  EXPECT_EQ(gaps.written_off(), 2U);
  EXPECT_EQ(gaps.missing(), 3U);
  EXPECT_EQ(gaps.unique() + gaps.missing() + gaps.written_off(), gaps.tail_begin());
  EXPECT_EQ(gaps.mark(0).duplicate, 1U) << "loss is overstated, never hidden";
  EXPECT_EQ(gaps.mark(4).refilled, 1U);
}

TEST(GapBudget, WithoutAnySkippedNumbersAreWrittenOff) {
  GapBudget budget(0, 8);
  GapSet gaps(kFarMore, &budget);
  lose_every_other(gaps, 5);
  EXPECT_EQ(gaps.written_off(), 5U);
  EXPECT_EQ(gaps.gaps_held(), 0U);
}

TEST(GapBudget, ClosedGapsMakeRoomForTheNext) {
  GapBudget budget(2, 1);
  GapSet gaps(kFarMore, &budget);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    gaps.mark(2 * i + 1);
    gaps.mark(2 * i);
  }
  EXPECT_EQ(gaps.written_off(), 0U);
  EXPECT_EQ(gaps.gaps_held(), 1U);
}

TEST(GapBudget, NothingIsReservedAndAGapTakesWhatIsSaid) {
  GapBudget budget(kFarMore, 1);
  std::deque<GapSet> sets(1, GapSet(kFarMore, &budget));
  EXPECT_EQ(allocations_during([&] { GapSet(kFarMore, &budget).mark(0); }), 0U);
  // A piece of malloc's is at times a little larger than was asked for.
  constexpr std::uint64_t kMost = 10'000U * GapSet::kOctetsPerGap * 101 / 100;
  const std::uint64_t before = octets_held();
  lose_every_other(sets.front(), 10'000);
  EXPECT_LE(octets_held() - before, kMost);
  // Kept for later ones, at no further cost.
  sets.front().mark(Range{0, sets.front().tail_begin()});
  EXPECT_EQ(sets.front().gap_count(), 0U);
  EXPECT_LE(octets_held() - before, kMost);
  EXPECT_EQ(allocations_during([&] { lose_every_other(sets.front(), 10'000); }), 0U);
}

}  // namespace
}  // namespace wyndrvr::seq
