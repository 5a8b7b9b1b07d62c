// RunningStats against two passes over all values.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "stats/running_stats.hpp"

namespace wyndrvr::stats {
namespace running_stats_test {

using Values = std::vector<double>;

Values arbitrary_values(std::size_t fewest) {
  Values values(*rc::gen::inRange<std::size_t>(fewest, 100));
  for (double& value : values) {
    value = static_cast<double>(*rc::gen::inRange<std::int64_t>(-1'000'000, 1'000'000'000));
  }
  return values;
}

RunningStats stats_of(const Values& values) {
  RunningStats stats;
  for (const double value : values) stats.record(value);
  return stats;
}

bool nearly_equal(double a, double b) {
  return std::abs(a - b) <= 1e-3 + 1e-9 * std::abs(b);
}

void expect_figures(const RunningStats& stats, const Values& values) {
  RC_ASSERT(stats.count() == values.size());
  if (values.empty()) return;
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  RC_ASSERT(nearly_equal(stats.mean().value(), mean));
  RC_ASSERT(stats.min() == *std::min_element(values.begin(), values.end()));
  RC_ASSERT(stats.max() == *std::max_element(values.begin(), values.end()));
  RC_ASSERT(stats.stddev().has_value() == (values.size() > 1));
  if (values.size() < 2) return;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  RC_ASSERT(nearly_equal(stats.stddev().value(), std::sqrt(squares / (count - 1))));
}

RC_GTEST_PROP(RunningStats, AgreesWithTwoPasses, ()) {
  const Values values = arbitrary_values(0);
  expect_figures(stats_of(values), values);
}

RC_GTEST_PROP(RunningStats, MergingIsRecordingAll, ()) {
  Values all = arbitrary_values(0);
  const Values others = arbitrary_values(0);
  RunningStats merged = stats_of(all);
  merged.merge(stats_of(others));
  all.insert(all.end(), others.begin(), others.end());
  expect_figures(merged, all);
}

}  // namespace running_stats_test
}  // namespace wyndrvr::stats
