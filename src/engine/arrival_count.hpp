// How many of the datagrams sent are settled: arrived, or lost for certain.
//
// A number that is missing below the highest one may have been overtaken only. On a path that
// reorders (RFC 4737), those sent within kLateness before the highest one may still arrive; as many
// are neither lost nor a backlog. On a path that keeps the order every missing number is lost.
// Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "engine/send_history.hpp"

namespace wyndrvr::engine {

class ArrivalCount {
 public:
  // By how much later than others a datagram arrives at the most.
  static constexpr Duration kLateness = 60ms;
  // Datagrams from which on the share of reordered ones is known.
  static constexpr std::uint64_t kSample = 32;
  // Late ones for each that is seen to be reordered, at the most.
  static constexpr double kMargin = 4;

  // Cumulative, of the receiver.
  struct Report {
    std::uint64_t expected = 0;  // highest number + 1
    std::uint64_t unique = 0;
    std::uint64_t reordered = 0;
  };

  // False for a report that is older than another.
  bool on_report(Instant now, const Report& report, const SendHistory& history) {
    if (report.expected < expected_ || report.unique < unique_) return false;
    note_order(report);
    if (report.expected > expected_) advanced_at_ = now;
    expected_ = report.expected;
    unique_ = report.unique;
    const std::uint64_t missing = expected_ - std::min(expected_, unique_);
    late_ = std::min(missing, late_at_most(now, history));
    settled_ = std::max(settled_, unique_ + missing - late_);
    return true;
  }

  [[nodiscard]] std::uint64_t settled() const { return settled_; }
  [[nodiscard]] std::uint64_t unique() const { return unique_; }
  [[nodiscard]] std::uint64_t expected() const { return expected_; }
  [[nodiscard]] std::uint64_t lost() const { return settled_ - std::min(settled_, unique_); }
  // Missing, and neither lost nor arrived.
  [[nodiscard]] std::uint64_t late() const { return late_; }
  // Whether the path is known to reorder.
  [[nodiscard]] bool reorders() const { return share_ && *share_ > 0; }
  // What may be late at this time, whether it is missing or not.
  [[nodiscard]] std::uint64_t late_at_most(Instant now, const SendHistory& history) const {
    if (expected_ == 0 || now - advanced_at_ > kLateness) return 0;
    const auto sent_at = history.sent_at(expected_ - 1);
    if (!sent_at) return 0;
    const std::uint64_t before = history.sent_before(*sent_at - kLateness);
    const auto recent = static_cast<double>(expected_ - std::min(expected_, before));
    return static_cast<std::uint64_t>(recent * std::min(1.0, kMargin * share_.value_or(1)));
  }

 private:
  void note_order(const Report& report) {
    const std::uint64_t more = report.unique - sampled_unique_;
    if (more < kSample) return;
    const std::uint64_t late = report.reordered - std::min(report.reordered, sampled_reordered_);
    const double share = static_cast<double>(late) / static_cast<double>(more);
    // The larger one of the last two samples.
    share_ = std::max(share, last_share_);
    last_share_ = share;
    sampled_unique_ = report.unique;
    sampled_reordered_ = report.reordered;
  }

  std::uint64_t expected_ = 0;
  std::uint64_t unique_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t late_ = 0;
  Instant advanced_at_;
  std::uint64_t sampled_unique_ = 0;
  std::uint64_t sampled_reordered_ = 0;
  double last_share_ = 0;
  std::optional<double> share_;  // of reordered ones; absent: not known yet
};

}  // namespace wyndrvr::engine
