#include <cstdint>
#include <optional>

#include <gtest/gtest.h>

#include "seq/gap_set.hpp"

namespace wyndrvr::seq {
namespace gap_set_above_test {

constexpr std::size_t kPlenty = 100;

TEST(GapSetUniqueAbove, CountsWhatWasReceivedAboveANumber) {
  GapSet gaps(kPlenty);
  for (const std::uint64_t number : {0, 1, 4, 5, 9, 2}) gaps.mark(number);  // missing: 3, 6-8
  EXPECT_EQ(gaps.unique_above(9, kPlenty), 0U);
  EXPECT_EQ(gaps.unique_above(5, kPlenty), 1U);
  EXPECT_EQ(gaps.unique_above(4, kPlenty), 2U);
  EXPECT_EQ(gaps.unique_above(2, kPlenty), 3U);
  EXPECT_EQ(gaps.unique_above(0, kPlenty), 5U);
}

TEST(GapSetUniqueAbove, GivesUpWhereThereAreMoreGapsThanAllowed) {
  GapSet gaps(kPlenty);
  for (std::uint64_t number = 0; number <= 20; number += 2) gaps.mark(number);
  EXPECT_EQ(gaps.unique_above(0, 10), 10U);
  EXPECT_EQ(gaps.unique_above(0, 9), std::nullopt);
  EXPECT_EQ(gaps.unique_above(20, 0), 0U);
}

}  // namespace gap_set_above_test
}  // namespace wyndrvr::seq
