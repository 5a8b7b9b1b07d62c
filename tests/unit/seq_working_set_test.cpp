#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "seq/working_set.hpp"

namespace wyndrvr::seq {
namespace working_set_test {

using Ranges = std::vector<Range>;
using Taken = WorkingSet::Taken;

TEST(WorkingSet, StartsWithEverythingInAscendingOrder) {
  WorkingSet numbers;
  EXPECT_EQ(numbers.take(3), (Taken{{0, 3}, false}));
  EXPECT_EQ(numbers.take(1), (Taken{{3, 4}, false}));
  EXPECT_EQ(numbers.next_new(), 4U);
}

TEST(WorkingSet, EmptyFirstReportMeansEverything) {
  WorkingSet numbers{Ranges{}};
  EXPECT_EQ(numbers.take(2), (Taken{{0, 2}, false}));
}

TEST(WorkingSet, FirstReportSaysWhatIsToBeSent) {
  WorkingSet numbers(Ranges{{5, 7}, {9, 10}, {20, kEnd}});
  EXPECT_EQ(numbers.take(100), (Taken{{5, 7}, false}));
  EXPECT_EQ(numbers.take(100), (Taken{{9, 10}, false}));
  EXPECT_EQ(numbers.take(100), (Taken{{20, 120}, false}));
}

TEST(WorkingSet, FirstReportWithoutATailGetsOneBehindItsLastRange) {
  WorkingSet numbers(Ranges{{0, 2}, {5, 6}});
  EXPECT_EQ(numbers.take(10), (Taken{{0, 2}, false}));
  // 5, and the tail behind it, are consecutive and equally new.
  EXPECT_EQ(numbers.take(10), (Taken{{5, 15}, false}));
}

TEST(WorkingSet, FirstReportOutOfOrderIsSorted) {
  WorkingSet numbers(Ranges{{20, kEnd}, {9, 9}, {3, 5}});
  EXPECT_EQ(numbers.take(10), (Taken{{3, 5}, false}));
  EXPECT_EQ(numbers.take(1), (Taken{{20, 21}, false}));
}

TEST(WorkingSet, LostNumbersGoBeforeNewOnes) {
  WorkingSet numbers;
  numbers.take(10);
  EXPECT_EQ(numbers.add_lost(Ranges{{2, 4}, {7, 8}}), 3U);
  EXPECT_EQ(numbers.take(10), (Taken{{2, 4}, true}));
  EXPECT_EQ(numbers.take(10), (Taken{{7, 8}, true}));
  EXPECT_EQ(numbers.take(2), (Taken{{10, 12}, false}));
}

TEST(WorkingSet, NumbersAlreadyWaitingAreNotAddedAgain) {
  WorkingSet numbers;
  numbers.take(10);
  numbers.add_lost(Ranges{{2, 6}});
  numbers.take(1);                                  // 2 is sent again
  EXPECT_EQ(numbers.add_lost(Ranges{{2, 8}}), 3U);  // 2, 6 and 7; 3 to 5 wait already
  EXPECT_EQ(numbers.waiting(), 6U);
  EXPECT_EQ(numbers.take(10), (Taken{{2, 8}, true}));
}

TEST(WorkingSet, NumbersNeverHandedOutCannotBeLost) {
  WorkingSet numbers(Ranges{{0, 5}, {10, kEnd}});
  numbers.take(5);
  numbers.take(2);
  EXPECT_EQ(numbers.add_lost(Ranges{{3, kEnd}}), 4U);  // 3, 4, 10 and 11
  EXPECT_EQ(numbers.take(10), (Taken{{3, 5}, true}));
  EXPECT_EQ(numbers.take(10), (Taken{{10, 12}, true}));
  EXPECT_EQ(numbers.take(1), (Taken{{12, 13}, false}));
}

TEST(WorkingSet, AskingForNothingTakesNothing) {
  WorkingSet numbers;
  numbers.take(4);
  numbers.add_lost(Ranges{{1, 2}});
  EXPECT_TRUE(numbers.take(0).numbers.empty());
  EXPECT_EQ(numbers.waiting(), 1U);
  EXPECT_EQ(numbers.take(5), (Taken{{1, 2}, true}));
}

TEST(WorkingSet, RunsOutBelowTheUnusableNumber) {
  WorkingSet numbers(Ranges{{kEnd - 2, kEnd}});
  EXPECT_EQ(numbers.take(10), (Taken{{kEnd - 2, kEnd}, false}));
  EXPECT_TRUE(numbers.take(10).numbers.empty());
  EXPECT_EQ(numbers.next_new(), kEnd);
  EXPECT_EQ(numbers.add_lost(Ranges{{kEnd - 1, kEnd}}), 1U);
  EXPECT_EQ(numbers.take(10), (Taken{{kEnd - 1, kEnd}, true}));
}

class FullWorkingSet : public ::testing::Test {
 protected:
  // Every other number below 2 * kMaxWaitingRanges waits: as many ranges as there may be.
  FullWorkingSet() {
    numbers_.take(100'000);
    Ranges lost;
    for (std::uint64_t i = 0; i < WorkingSet::kMaxWaitingRanges; ++i) {
      lost.push_back({2 * i, 2 * i + 1});
    }
    EXPECT_EQ(numbers_.add_lost(lost), WorkingSet::kMaxWaitingRanges);
  }
  WorkingSet numbers_;
};

TEST_F(FullWorkingSet, RefusesAndCountsFurtherRanges) {
  EXPECT_EQ(numbers_.add_lost(Ranges{{50'000, 50'010}}), 0U);
  EXPECT_EQ(numbers_.refused_ranges(), 1U);
  EXPECT_EQ(numbers_.waiting(), WorkingSet::kMaxWaitingRanges);
}

TEST_F(FullWorkingSet, StillTakesWhatTouchesAWaitingRange) {
  EXPECT_EQ(numbers_.add_lost(Ranges{{1, 2}, {50'000, 50'010}}), 11U);
  EXPECT_EQ(numbers_.refused_ranges(), 0U);
  EXPECT_EQ(numbers_.take(10), (Taken{{0, 3}, true}));
}

TEST_F(FullWorkingSet, HasRoomAgainOnceARangeWasTaken) {
  numbers_.take(1);
  EXPECT_EQ(numbers_.add_lost(Ranges{{50'000, 50'010}, {60'000, 60'010}}), 10U);
  EXPECT_EQ(numbers_.refused_ranges(), 1U);
}

}  // namespace working_set_test
}  // namespace wyndrvr::seq
