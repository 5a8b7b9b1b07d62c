#include "stats/latency_summary.hpp"

#include <algorithm>
#include <cmath>

namespace wyndrvr::stats {
namespace {

// Recorded values come from a Duration, so they fit in one.
Duration nanoseconds(std::uint64_t value) {
  return Duration(static_cast<Duration::rep>(value));
}

Duration nearest(double value) {
  // As a double, Duration::max() is one too many; what is not below it is it.
  if (value >= static_cast<double>(Duration::max().count())) return Duration::max();
  return Duration(std::llround(value));
}

}  // namespace

void LatencyRecorder::record(Duration delay) {
  if (delay < Duration::zero()) {
    ++negative_;
    delay = Duration::zero();
  }
  histogram_.record(static_cast<std::uint64_t>(delay.count()));
  running_.record(static_cast<double>(delay.count()));
}

void LatencyRecorder::merge(const LatencyRecorder& other) {
  histogram_.merge(other.histogram_);
  running_.merge(other.running_);
  negative_ += other.negative_;
}

std::optional<LatencySummary> LatencyRecorder::summary() const {
  if (histogram_.count() == 0) return std::nullopt;
  LatencySummary summary;
  summary.count = histogram_.count();
  summary.min = quantile(0.0);
  summary.p50 = quantile(0.50);
  summary.p90 = quantile(0.90);
  summary.p95 = quantile(0.95);
  summary.p99 = quantile(0.99);
  summary.p99_9 = quantile(0.999);
  summary.max = quantile(1.0);
  // Rounding may carry the mean of almost equal delays past the largest one.
  summary.mean = std::clamp(nearest(running_.mean().value_or(0)), summary.min, summary.max);
  if (const auto deviation = running_.stddev()) summary.stddev = nearest(*deviation);
  return summary;
}

Duration LatencyRecorder::quantile(double q) const {
  return nanoseconds(histogram_.quantile(q).value_or(0));
}

}  // namespace wyndrvr::stats
