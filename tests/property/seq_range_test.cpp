// The span set algebra against a bitmap.
#include <bitset>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "seq/range.hpp"

namespace wyndrvr::seq {
namespace range_test {

constexpr std::size_t kUniverse = 64;
using Bitmap = std::bitset<kUniverse>;
using Ranges = std::vector<Range>;

// Any ranges in the universe: empty, overlapping, in any order.
Ranges arbitrary_ranges() {
  const auto bound = rc::gen::inRange<std::uint64_t>(0, kUniverse + 1);
  Ranges ranges;
  for (const auto& [begin, end] :
       *rc::gen::container<std::vector<std::pair<std::uint64_t, std::uint64_t>>>(
           rc::gen::pair(bound, bound))) {
    ranges.push_back({begin, end});
  }
  return ranges;
}

Bitmap numbers_in(const Ranges& ranges) {
  Bitmap bitmap;
  for (const Range& range : ranges) {
    for (std::uint64_t number = range.begin; number < range.end; ++number) bitmap.set(number);
  }
  return bitmap;
}

bool is_span_set(const Ranges& ranges) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].begin >= ranges[i].end) return false;
    if (i > 0 && ranges[i].begin < ranges[i - 1].end) return false;
  }
  return true;
}

// Span set, and no two ranges of it could be one.
bool is_joined(const Ranges& ranges) {
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].begin == ranges[i - 1].end) return false;
  }
  return is_span_set(ranges);
}

RC_GTEST_PROP(Range, CanonicalKeepsTheNumbersAndJoinsTheRanges, ()) {
  const Ranges ranges = arbitrary_ranges();
  const Ranges result = canonical(ranges);
  RC_ASSERT(is_joined(result));
  RC_ASSERT(numbers_in(result) == numbers_in(ranges));
}

RC_GTEST_PROP(Range, OperationsAgreeWithABitmap, ()) {
  const Ranges a = canonical(arbitrary_ranges());
  const Ranges b = canonical(arbitrary_ranges());
  const Ranges common = intersect(a, b);
  const Ranges either = merge(a, b);
  const Ranges rest = subtract(a, b);
  RC_ASSERT(is_joined(common) && is_joined(either) && is_joined(rest));
  RC_ASSERT(numbers_in(common) == (numbers_in(a) & numbers_in(b)));
  RC_ASSERT(numbers_in(either) == (numbers_in(a) | numbers_in(b)));
  RC_ASSERT(numbers_in(rest) == (numbers_in(a) & ~numbers_in(b)));
  RC_ASSERT(total(a) == numbers_in(a).count());
}

RC_GTEST_PROP(Range, ClampBelowKeepsWhatLiesBelow, ()) {
  const Ranges ranges = canonical(arbitrary_ranges());
  const auto limit = *rc::gen::inRange<std::uint64_t>(0, kUniverse + 1);
  const Ranges below = clamp_below(ranges, limit);
  RC_ASSERT(is_joined(below));
  RC_ASSERT(numbers_in(below) == (numbers_in(ranges) & numbers_in({{0, limit}})));
}

}  // namespace range_test
}  // namespace wyndrvr::seq
