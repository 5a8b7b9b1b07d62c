#include "seq/range.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace wyndrvr::seq {
namespace {

bool begins_before(const Range& a, const Range& b) {
  return a.begin < b.begin;
}

// Makes one of overlapping and adjacent neighbours, and drops empty ranges; `ranges` is sorted.
void join_neighbours(std::vector<Range>& ranges) {
  std::size_t kept = 0;
  for (const Range range : ranges) {
    if (range.empty()) continue;
    if (kept > 0 && range.begin <= ranges[kept - 1].end) {
      ranges[kept - 1].end = std::max(ranges[kept - 1].end, range.end);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
}

}  // namespace

std::vector<Range> canonical(std::span<const Range> ranges) {
  std::vector<Range> result(ranges.begin(), ranges.end());
  std::sort(result.begin(), result.end(), begins_before);
  join_neighbours(result);
  return result;
}

std::vector<Range> intersect(std::span<const Range> a, std::span<const Range> b) {
  std::vector<Range> result;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const Range common{std::max(a[i].begin, b[j].begin), std::min(a[i].end, b[j].end)};
    if (!common.empty()) result.push_back(common);
    // The one that ends first cannot meet anything further.
    if (a[i].end < b[j].end) {
      ++i;
    } else {
      ++j;
    }
  }
  return result;
}

std::vector<Range> merge(std::span<const Range> a, std::span<const Range> b) {
  std::vector<Range> result;
  result.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result), begins_before);
  join_neighbours(result);
  return result;
}

std::vector<Range> subtract(std::span<const Range> a, std::span<const Range> b) {
  std::vector<Range> result;
  std::size_t j = 0;
  for (Range rest : a) {
    while (j < b.size() && b[j].end <= rest.begin) ++j;
    // A range of `b` may reach into the next one of `a`, so `j` itself stays.
    for (std::size_t k = j; k < b.size() && b[k].begin < rest.end; ++k) {
      if (b[k].begin > rest.begin) result.push_back({rest.begin, b[k].begin});
      rest.begin = b[k].end;
    }
    if (!rest.empty()) result.push_back(rest);
  }
  return result;
}

std::vector<Range> clamp_below(std::span<const Range> ranges, std::uint64_t limit) {
  std::vector<Range> result;
  for (const Range range : ranges) {
    if (range.begin >= limit) break;
    result.push_back({range.begin, std::min(range.end, limit)});
  }
  return result;
}

std::uint64_t total(std::span<const Range> ranges) {
  std::uint64_t sum = 0;
  for (const Range range : ranges) sum += range.size();
  return sum;
}

}  // namespace wyndrvr::seq
