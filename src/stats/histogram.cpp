#include "stats/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.hpp"

namespace wyndrvr::stats {

// Bucket numbers: those of values below 2 * kSubBuckets are the values themselves. Above, `shift`
// is how many low bits a bucket ignores; the bits that stay are in [kSubBuckets, 2 * kSubBuckets),
// so adding kSubBuckets for each shift continues the numbers without a hole.
std::size_t LogLinearHistogram::bucket_of(std::uint64_t value) {
  value = std::min(value, kMaxTracked);
  if (value < 2 * kSubBuckets) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kSubBucketBits - 1;
  return shift * kSubBuckets + (value >> shift);
}

std::uint64_t LogLinearHistogram::middle_of(std::size_t bucket) {
  if (bucket < 2 * kSubBuckets) return bucket;
  const std::uint64_t shift = bucket / kSubBuckets - 1;
  const std::uint64_t lowest = (bucket - shift * kSubBuckets) << shift;
  return lowest + (std::uint64_t{1} << shift) / 2;
}

void LogLinearHistogram::record(std::uint64_t value) {
  ++counts_[bucket_of(value)];
  ++count_;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void LogLinearHistogram::merge(const LogLinearHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::optional<std::uint64_t> LogLinearHistogram::min() const {
  if (count_ == 0) return std::nullopt;
  return min_;
}

std::optional<std::uint64_t> LogLinearHistogram::max() const {
  if (count_ == 0) return std::nullopt;
  return max_;
}

std::optional<std::uint64_t> LogLinearHistogram::quantile(double q) const {
  WYNDRVR_CHECK(q >= 0.0 && q <= 1.0);
  if (count_ == 0) return std::nullopt;
  // 0.07 * 100 is a little above 7 in binary; without the correction its rank would be 8.
  constexpr double kRoundingError = 0x1.0p-51;
  const double rank = std::ceil(q * static_cast<double>(count_) * (1.0 - kRoundingError));
  if (rank <= 1.0) return min_;
  if (rank >= static_cast<double>(count_)) return max_;
  return std::clamp(value_at_rank(static_cast<std::uint64_t>(rank)), min_, max_);
}

std::uint64_t LogLinearHistogram::value_at_rank(std::uint64_t rank) const {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return middle_of(i);
  }
  return max_;
}

}  // namespace wyndrvr::stats
