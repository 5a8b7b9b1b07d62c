// RunningStats: count, mean, standard deviation, minimum and maximum of values that pass by once.
//
// Welford's method (Welford 1962), merged by the formula of Chan, Golub and LeVeque (1979): no
// cancellation for large values that differ little. A plain value; not thread-safe.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace wyndrvr::stats {

class RunningStats {
 public:
  void record(double value) {
    ++count_;
    const double before = value - mean_;
    mean_ += before / static_cast<double>(count_);
    squares_ += before * (value - mean_);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  // As if all that `other` recorded had been recorded here.
  void merge(const RunningStats& other) {
    if (other.count_ == 0) return;
    const auto here = static_cast<double>(count_);
    const auto there = static_cast<double>(other.count_);
    const double apart = other.mean_ - mean_;
    mean_ += apart * there / (here + there);
    squares_ += other.squares_ + apart * apart * here * there / (here + there);
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Nothing where nothing was recorded.
  [[nodiscard]] std::optional<double> mean() const { return unless_empty(mean_); }
  [[nodiscard]] std::optional<double> min() const { return unless_empty(min_); }
  [[nodiscard]] std::optional<double> max() const { return unless_empty(max_); }
  // Of the sample (n - 1); nothing for fewer than two values.
  [[nodiscard]] std::optional<double> stddev() const {
    if (count_ < 2) return std::nullopt;
    return std::sqrt(squares_ / static_cast<double>(count_ - 1));
  }

 private:
  [[nodiscard]] std::optional<double> unless_empty(double value) const {
    if (count_ == 0) return std::nullopt;
    return value;
  }

  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // sum of the squared distances from the mean
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
};

}  // namespace wyndrvr::stats
