// LogLinearHistogram: how often which value (nanoseconds) occurred, in fixed memory.
//
// Values below 128 have a counter each. Above, every power of two is split into 64 buckets of equal
// width, so a bucket is at most 1/64 of its values wide, and its middle is within 1/128 (0.8 %) of
// each of them. That is the error of a quantile; minimum and maximum are exact. Idea: HdrHistogram,
// Tene 2012.
//
// Values above `kMaxTracked` (73 minutes) share the last bucket: they are counted, and `max` is
// still exact, but quantiles among them are not.
//
// About 19 KB in the object itself; never allocates. A plain value; not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace wyndrvr::stats {

class LogLinearHistogram {
 public:
  // 2^42 - 1 ns: over an hour, and the round figure for which the counters stay below 20 KB.
  static constexpr std::uint64_t kMaxTracked = (std::uint64_t{1} << 42U) - 1;

  void record(std::uint64_t value);
  // As if all that `other` recorded had been recorded here.
  void merge(const LogLinearHistogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Nothing where nothing was recorded.
  [[nodiscard]] std::optional<std::uint64_t> min() const;
  [[nodiscard]] std::optional<std::uint64_t> max() const;
  // The nearest-rank quantile: the smallest recorded value that at least the share `q` (in [0, 1])
  // of all values does not exceed; within 1 %, and never outside of [min, max]. Nothing where
  // nothing was recorded.
  [[nodiscard]] std::optional<std::uint64_t> quantile(double q) const;

 private:
  static constexpr unsigned kSubBucketBits = 6;  // 64 buckets for each power of two
  static constexpr std::uint64_t kSubBuckets = std::uint64_t{1} << kSubBucketBits;
  static constexpr unsigned kValueBits = 42;
  static constexpr std::size_t kBuckets = kSubBuckets * (kValueBits - kSubBucketBits + 1);

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t middle_of(std::size_t bucket);
  [[nodiscard]] std::uint64_t value_at_rank(std::uint64_t rank) const;

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t min_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max_ = 0;
};

}  // namespace wyndrvr::stats
