#include <array>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "seq/gap_set.hpp"

namespace wyndrvr::seq {
namespace gap_set_test {

constexpr std::size_t kPlenty = 1000;

std::vector<Range> lowest_of(const GapSet& gaps, std::size_t room = kPlenty) {
  std::vector<Range> out(room);
  out.resize(gaps.lowest(out));
  return out;
}

TEST(GapSet, StartsAsEverything) {
  const GapSet gaps(kPlenty);
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{0, kEnd}}));
  EXPECT_EQ(gaps.tail_begin(), 0U);
  EXPECT_EQ(gaps.missing(), 0U);
  EXPECT_EQ(gaps.unique(), 0U);
}

TEST(GapSet, InOrderNumbersAreFreshAndLeaveNoGap) {
  GapSet gaps(kPlenty);
  for (std::uint64_t number = 0; number < 100; ++number) {
    EXPECT_EQ(gaps.mark(number), (Marked{.fresh = 1, .refilled = 0, .duplicate = 0}));
  }
  EXPECT_EQ(gaps.gap_count(), 0U);
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{100, kEnd}}));
}

TEST(GapSet, MarkingTwiceReportsDuplicate) {
  GapSet gaps(kPlenty);
  gaps.mark(0);
  gaps.mark(1);
  EXPECT_EQ(gaps.mark(0).duplicate, 1U);
  EXPECT_EQ(gaps.mark(1).duplicate, 1U);
  EXPECT_EQ(gaps.unique(), 2U);
}

TEST(GapSet, SkippingNumbersMakesThemMissing) {
  GapSet gaps(kPlenty);
  gaps.mark(0);
  EXPECT_EQ(gaps.mark(5).fresh, 1U);
  EXPECT_EQ(gaps.missing(), 4U);
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{1, 5}, {6, kEnd}}));
}

TEST(GapSet, LateNumberRefillsItsGapOnce) {
  GapSet gaps(kPlenty);
  gaps.mark(5);
  EXPECT_EQ(gaps.mark(2).refilled, 1U);
  EXPECT_EQ(gaps.mark(2).duplicate, 1U);
  EXPECT_EQ(gaps.missing(), 4U);
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{0, 2}, {3, 5}, {6, kEnd}}));
}

TEST(GapSet, EveryPlaceInAGapCanBeFilled) {
  for (const std::uint64_t place : {10U, 11U, 12U}) {
    GapSet gaps(kPlenty);
    gaps.mark(Range{0, 10});
    gaps.mark(13);
    EXPECT_EQ(gaps.mark(place).refilled, 1U) << place;
    EXPECT_EQ(gaps.missing(), 2U) << place;
    EXPECT_EQ(gaps.gap_count(), place == 11 ? 2U : 1U) << place;
  }
}

TEST(GapSet, RangeOverGapsAndTailIsCountedByKind) {
  GapSet gaps(kPlenty);
  gaps.mark(Range{0, 4});
  gaps.mark(Range{6, 8});
  gaps.mark(10);
  // 3 is there, 4 and 5 are not, 6 and 7 are, 8 and 9 are not, 10 is, 11 to 13 are new.
  EXPECT_EQ(gaps.mark(Range{3, 14}), (Marked{.fresh = 3, .refilled = 4, .duplicate = 4}));
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{14, kEnd}}));
}

TEST(GapSet, EmptyRangeMarksNothing) {
  GapSet gaps(kPlenty);
  gaps.mark(Range{0, 4});
  for (const Range range : {Range{4, 4}, Range{2, 2}, Range{9, 5}, Range{4, 1}}) {
    EXPECT_EQ(gaps.mark(range), Marked{});
  }
  EXPECT_EQ(gaps.tail_begin(), 4U);
}

TEST(GapSet, HighestNumberEndsTheTail) {
  GapSet gaps(kPlenty);
  EXPECT_EQ(gaps.mark(kEnd - 1).fresh, 1U);
  EXPECT_EQ(gaps.missing(), kEnd - 1);
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{0, kEnd - 1}}));
}

TEST(GapSet, UnusableNumberCountsAsDuplicateAndChangesNothing) {
  GapSet gaps(kPlenty);
  gaps.mark(0);
  EXPECT_EQ(gaps.mark(kEnd), (Marked{.fresh = 0, .refilled = 0, .duplicate = 1}));
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{1, kEnd}}));
}

TEST(GapSet, LowestStopsWhereTheRoomEnds) {
  GapSet gaps(kPlenty);
  gaps.mark(1);
  gaps.mark(3);
  EXPECT_EQ(lowest_of(gaps, 0), (std::vector<Range>{}));
  EXPECT_EQ(lowest_of(gaps, 1), (std::vector<Range>{{0, 1}}));
  EXPECT_EQ(lowest_of(gaps, 2), (std::vector<Range>{{0, 1}, {2, 3}}));
  EXPECT_EQ(lowest_of(gaps, 3), (std::vector<Range>{{0, 1}, {2, 3}, {4, kEnd}}));
}

TEST(GapSet, OneGapTooManyWritesOffTheLowest) {
  GapSet gaps(2);
  gaps.mark(3);  // 0-2
  gaps.mark(5);  // 4
  gaps.mark(8);  // 6-7
  EXPECT_EQ(gaps.gap_count(), 2U);
  EXPECT_EQ(gaps.written_off(), 3U);
  EXPECT_EQ(gaps.missing(), 3U);
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{4, 5}, {6, 8}, {9, kEnd}}));
}

TEST(GapSet, SplittingAGapAtTheBoundWritesOffTheLowest) {
  GapSet gaps(1);
  gaps.mark(9);
  EXPECT_EQ(gaps.mark(4).refilled, 1U);
  EXPECT_EQ(gaps.written_off(), 4U);
  EXPECT_EQ(lowest_of(gaps), (std::vector<Range>{{5, 9}, {10, kEnd}}));
}

TEST(GapSet, NumberThatWasWrittenOffCountsAsDuplicate) {
  GapSet gaps(1);
  gaps.mark(1);
  gaps.mark(3);
  ASSERT_EQ(gaps.written_off(), 1U);
  EXPECT_EQ(gaps.mark(0).duplicate, 1U);
  EXPECT_EQ(gaps.written_off(), 1U);
  EXPECT_EQ(gaps.unique(), 2U);
}

TEST(GapSet, WithoutRoomForGapsAllSkippedNumbersAreWrittenOff) {
  GapSet gaps(0);
  gaps.mark(10);
  EXPECT_EQ(gaps.gap_count(), 0U);
  EXPECT_EQ(gaps.written_off(), 10U);
}

TEST(GapSet, MovedSetGoesOnWhereItWas) {
  GapSet gaps(kPlenty);
  gaps.mark(4);
  gaps.mark(2);
  GapSet moved = std::move(gaps);
  EXPECT_EQ(moved.mark(2).duplicate, 1U);
  EXPECT_EQ(moved.mark(0).refilled, 1U);
  EXPECT_EQ(lowest_of(moved), (std::vector<Range>{{1, 2}, {3, 4}, {5, kEnd}}));
}

}  // namespace gap_set_test
}  // namespace wyndrvr::seq
