// LatencyRecorder: takes in delays one by one; LatencySummary: what a report says about them.
//
// For round trips and one-way delays alike. It does not match datagrams with answers, and it does
// not know of loss. Quantiles are within 1 % (`LogLinearHistogram`), the rest is exact. The
// recorder takes about 19 KB and never allocates. Plain values; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "stats/histogram.hpp"
#include "stats/running_stats.hpp"

namespace wyndrvr::stats {

// min <= p50 <= p90 <= p95 <= p99 <= p99_9 <= max, and min <= mean <= max.
struct LatencySummary {
  std::uint64_t count = 0;
  Duration min{};
  Duration mean{};
  Duration p50{};
  Duration p90{};
  Duration p95{};
  Duration p99{};
  Duration p99_9{};
  Duration max{};
  std::optional<Duration> stddev;  // of the sample; nothing for fewer than two delays

  bool operator==(const LatencySummary&) const = default;
};

class LatencyRecorder {
 public:
  // A negative delay (a clock was set, or two clocks differ) is recorded as 0, and counted.
  void record(Duration delay);
  // As if all that `other` recorded had been recorded here.
  void merge(const LatencyRecorder& other);

  // Nothing where nothing was recorded.
  [[nodiscard]] std::optional<LatencySummary> summary() const;
  [[nodiscard]] std::uint64_t count() const { return histogram_.count(); }
  // How many delays were negative.
  [[nodiscard]] std::uint64_t negative() const { return negative_; }

 private:
  [[nodiscard]] Duration quantile(double q) const;

  LogLinearHistogram histogram_;
  RunningStats running_;
  std::uint64_t negative_ = 0;
};

}  // namespace wyndrvr::stats
