// The intervals of a test, made from cumulative totals: a report that was lost only makes one
// interval longer, so the intervals always add up to the end's totals.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.hpp"
#include "engine/result.hpp"
#include "engine/totals.hpp"

namespace wyndrvr::engine {

class IntervalLog {
 public:
  // Intervals kept; beyond it, the last one grows. A day of seconds.
  static constexpr std::size_t kMaxIntervals = 86'400;

  // Totals that are not newer than the last ones change nothing.
  void add(const ReceiverTotals& totals) {
    if (totals.elapsed <= last_.elapsed || falls_behind(totals)) return;
    append(totals, totals.elapsed);
  }
  // The final totals; they close the last interval at `end`. A remainder of less than a tenth of
  // the interval before joins it: its rate would say nothing.
  void close(const ReceiverTotals& totals, Duration end) {
    // A server that takes back what it said before: only its last word counts.
    if (falls_behind(totals)) *this = {};
    if (totals.packets == last_.packets && !intervals_.empty()) return;
    end = std::max(end, last_.elapsed);
    const bool joins = !intervals_.empty() &&
                       end - last_.elapsed < (intervals_.back().end - intervals_.back().start) / 10;
    append(totals, end);
    if (joins) join_last();
  }
  [[nodiscard]] const std::vector<Interval>& intervals() const { return intervals_; }

 private:
  [[nodiscard]] bool falls_behind(const ReceiverTotals& totals) const {
    return totals.bytes < last_.bytes || totals.packets < last_.packets;
  }
  void append(const ReceiverTotals& totals, Duration end) {
    Interval interval;
    interval.start = last_.elapsed;
    interval.end = end;
    interval.bytes = totals.bytes - last_.bytes;
    interval.packets = totals.packets - last_.packets;
    // A late datagram makes the cumulative loss shrink; an interval never counts below zero.
    interval.lost = totals.lost() - std::min(totals.lost(), counted_lost_);
    counted_lost_ += interval.lost;
    last_ = totals;
    last_.elapsed = end;
    intervals_.push_back(interval);
    if (intervals_.size() > kMaxIntervals) join_last();
  }
  // Makes the last two intervals one.
  void join_last() {
    const Interval last = intervals_.back();
    intervals_.pop_back();
    Interval& before = intervals_.back();
    before.end = last.end;
    before.bytes += last.bytes;
    before.packets += last.packets;
    before.lost += last.lost;
  }

  ReceiverTotals last_;
  std::uint64_t counted_lost_ = 0;
  std::vector<Interval> intervals_;
};

}  // namespace wyndrvr::engine
