// Examples of the span set algebra; tests/property/seq_range_test.cpp has the general truth.
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "seq/range.hpp"

namespace wyndrvr::seq {
namespace range_test {

using Ranges = std::vector<Range>;

TEST(Range, EndBelowBeginIsEmptyAndHasNoSize) {
  EXPECT_TRUE((Range{5, 5}).empty());
  EXPECT_TRUE((Range{6, 5}).empty());
  EXPECT_EQ((Range{6, 5}).size(), 0U);
  EXPECT_EQ((Range{0, kEnd}).size(), kEnd);
}

TEST(Range, CanonicalSortsJoinsAndDropsEmptyRanges) {
  const Ranges wild{{20, 30}, {7, 7}, {0, 5}, {5, 6}, {9, 3}, {25, 40}, {22, 23}};
  EXPECT_EQ(canonical(wild), (Ranges{{0, 6}, {20, 40}}));
}

TEST(Range, IntersectOfTouchingRangesIsEmpty) {
  EXPECT_EQ(intersect(Ranges{{0, 5}}, Ranges{{5, 9}}), Ranges{});
}

TEST(Range, IntersectKeepsTheLaterOfTwoTails) {
  EXPECT_EQ(intersect(Ranges{{3, 4}, {10, kEnd}}, Ranges{{12, kEnd}}), (Ranges{{12, kEnd}}));
}

TEST(Range, MergeJoinsOverlappingAndAdjacentRanges) {
  EXPECT_EQ(merge(Ranges{{0, 3}, {10, 12}}, Ranges{{3, 5}, {11, 20}, {30, 31}}),
            (Ranges{{0, 5}, {10, 20}, {30, 31}}));
}

TEST(Range, SubtractSplitsARangeAroundAHole) {
  EXPECT_EQ(subtract(Ranges{{0, 10}}, Ranges{{3, 4}, {6, 7}}), (Ranges{{0, 3}, {4, 6}, {7, 10}}));
}

TEST(Range, SubtractOfOneRangeReachesIntoSeveral) {
  EXPECT_EQ(subtract(Ranges{{0, 4}, {6, 8}, {9, 12}}, Ranges{{2, 10}}), (Ranges{{0, 2}, {10, 12}}));
}

TEST(Range, ClampBelowCutsTheRangeAtTheLimit) {
  const Ranges ranges{{0, 4}, {6, 9}, {20, kEnd}};
  EXPECT_EQ(clamp_below(ranges, 7), (Ranges{{0, 4}, {6, 7}}));
  EXPECT_EQ(clamp_below(ranges, 6), (Ranges{{0, 4}}));
  EXPECT_EQ(clamp_below(ranges, 0), Ranges{});
  EXPECT_EQ(clamp_below(ranges, kEnd), ranges);
}

TEST(Range, TotalAddsSizes) {
  EXPECT_EQ(total(Ranges{}), 0U);
  EXPECT_EQ(total(Ranges{{1, 4}, {10, 11}}), 4U);
  EXPECT_EQ(total(Ranges{{0, kEnd}}), kEnd);
}

}  // namespace range_test
}  // namespace wyndrvr::seq
