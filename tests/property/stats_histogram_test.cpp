// LogLinearHistogram against exact percentiles of the sorted values.
#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "stats/histogram.hpp"

namespace wyndrvr::stats {
namespace histogram_test {

using Values = std::vector<std::uint64_t>;

// Every order of magnitude that is tracked is as likely as any other.
std::uint64_t arbitrary_value() {
  const auto bits = *rc::gen::inRange(0, 43);
  return *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << bits);
}

Values arbitrary_values(std::size_t fewest) {
  Values values(*rc::gen::inRange<std::size_t>(fewest, 200));
  std::generate(values.begin(), values.end(), arbitrary_value);
  return values;
}

LogLinearHistogram histogram_of(const Values& values) {
  LogLinearHistogram histogram;
  for (const std::uint64_t value : values) histogram.record(value);
  return histogram;
}

// The nearest rank, in whole numbers: the smallest that is no less than permille * n / 1000.
std::uint64_t exact_quantile(const Values& sorted, std::uint64_t permille) {
  const std::uint64_t rank = (permille * sorted.size() + 999) / 1000;
  return sorted[std::max<std::uint64_t>(rank, 1) - 1];
}

RC_GTEST_PROP(LogLinearHistogram, QuantilesAreWithinOnePercent, ()) {
  Values values = arbitrary_values(1);
  const LogLinearHistogram histogram = histogram_of(values);
  std::sort(values.begin(), values.end());
  RC_ASSERT(histogram.count() == values.size());
  RC_ASSERT(histogram.min() == values.front());
  RC_ASSERT(histogram.max() == values.back());
  for (std::uint64_t permille = 0; permille <= 1000; ++permille) {
    const std::uint64_t exact = exact_quantile(values, permille);
    const std::uint64_t reported =
        histogram.quantile(static_cast<double>(permille) / 1000.0).value();
    const std::uint64_t error = std::max(exact, reported) - std::min(exact, reported);
    RC_ASSERT(error * 100 <= exact);
    RC_ASSERT(reported >= values.front() && reported <= values.back());
  }
}

RC_GTEST_PROP(LogLinearHistogram, QuantilesNeverFall, ()) {
  const LogLinearHistogram histogram = histogram_of(arbitrary_values(1));
  std::uint64_t previous = 0;
  for (int permille = 0; permille <= 1000; ++permille) {
    const std::uint64_t reported = histogram.quantile(permille / 1000.0).value();
    RC_ASSERT(reported >= previous);
    previous = reported;
  }
}

RC_GTEST_PROP(LogLinearHistogram, MergingIsRecordingAll, ()) {
  const Values some = arbitrary_values(0);
  const Values others = arbitrary_values(0);
  Values all = some;
  all.insert(all.end(), others.begin(), others.end());
  LogLinearHistogram merged = histogram_of(some);
  merged.merge(histogram_of(others));
  const LogLinearHistogram recorded = histogram_of(all);
  RC_ASSERT(merged.count() == recorded.count());
  RC_ASSERT(merged.min() == recorded.min());
  RC_ASSERT(merged.max() == recorded.max());
  for (int permille = 0; permille <= 1000; ++permille) {
    RC_ASSERT(merged.quantile(permille / 1000.0) == recorded.quantile(permille / 1000.0));
  }
}

}  // namespace histogram_test
}  // namespace wyndrvr::stats
