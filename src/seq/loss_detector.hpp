// LossDetector: which numbers to send again, from the receiver's reports of what is missing
// (protocol 0.14, section 4).
//
// The rule: of the last `buffer_length` reports, what is missing in the oldest and in the newest
// was lost. Two things are added to it, both against sending again what is merely in flight:
//
// - Only numbers below the newest report's tail can be lost. The tail begins at the highest number
//   received, not at the highest one sent. A report without a tail was cut short (a packet holds 86
//   ranges) and can speak only of numbers below its last range's end.
// - A number declared lost is on its way again. It is not declared again until `buffer_length`
//   further reports have come, so that all that the rule looks at is newer than the declaration.
//
// It does not know what was sent: a number that never was may be declared, and `WorkingSet` leaves
// it out. Reports may hold anything, in any order. Not thread-safe; allocates per report.
//
// Bounded: `buffer_length` rounds of at most `max_ranges` reported and twice as many declared
// ranges (the lowest; others are declared by a later report).
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "base/bounded_queue.hpp"
#include "seq/range.hpp"

namespace wyndrvr::seq {

class LossDetector {
 public:
  // What fits in one packet (protocol 0.14, section 4).
  static constexpr std::size_t kMaxReportRanges = 86;
  // Two lists of n ranges have at most 2n - 1 ranges in common; those declared in earlier rounds
  // may split them further.
  static constexpr std::size_t kMaxLostRanges = 2 * kMaxReportRanges;

  // `buffer_length` >= 1: how many reports the rule spans (`flow_control_rate`). 1 means that each
  // report alone decides, and declares whatever is missing in it.
  // `max_ranges`: of a report, the lowest, that are looked at; kMaxReportRanges at most.
  explicit LossDetector(std::size_t buffer_length, std::size_t max_ranges = kMaxReportRanges)
      : rounds_(buffer_length), max_ranges_(std::min(max_ranges, kMaxReportRanges)) {}

  // Takes in a report; returns the numbers that it shows to be lost, as a span set.
  [[nodiscard]] std::vector<Range> on_report(std::span<const Range> missing);

 private:
  struct Round {
    std::vector<Range> missing;
    std::vector<Range> declared;  // lost, by this round
  };

  // The newest round is the last of `rounds_`, which is full.
  [[nodiscard]] std::vector<Range> find_lost() const;

  base::BoundedQueue<Round> rounds_;  // oldest first
  std::size_t max_ranges_;
};

}  // namespace wyndrvr::seq
