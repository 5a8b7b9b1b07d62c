// WorkingSet: the sequence numbers that a sender still has to send, lowest first (protocol 0.14,
// section 4).
//
// It hands out new numbers in ascending order, and before them those that were lost. It knows
// nothing of time or of packets. `take` is constant in time and free of allocation; `add_lost` is
// work per report.
//
// Invariants: a number is handed out once as new, and once more at most for each `add_lost` that
// names it; `add_lost` brings back only numbers that were handed out.
// Bounded: `max_waiting` ranges wait to be sent again. Not thread-safe.
//
// Example:
//   WorkingSet numbers;
//   numbers.take(10);                        // [0, 10), new
//   numbers.add_lost(std::array{Range{3, 5}});
//   numbers.take(10);                        // [3, 5), retransmission
//   numbers.take(10);                        // [10, 20), new
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "seq/range.hpp"

namespace wyndrvr::seq {

class WorkingSet {
 public:
  // A run of consecutive numbers; empty only when there is nothing left or nothing was asked for.
  struct Taken {
    Range numbers;
    bool retransmission = false;  // were handed out before
    bool operator==(const Taken&) const = default;
  };

  // 4096 ranges are 64 KiB and 47 full reports. Beyond, lost ranges are refused and counted: what
  // is still missing is reported again.
  static constexpr std::size_t kMaxWaitingRanges = 4096;

  // Everything is to be sent.
  WorkingSet() : WorkingSet(std::span<const Range>{}) {}
  // What a first report names is to be sent, in any order of ranges. Without a tail among them (a
  // report holds only so many ranges) the tail begins behind the last. No ranges mean everything.
  // `max_waiting`: ranges that may wait, kMaxWaitingRanges at most.
  explicit WorkingSet(std::span<const Range> initial, std::size_t max_waiting = kMaxWaitingRanges);

  // The lowest numbers, as many as are consecutive and of one kind, `max_count` at most.
  Taken take(std::uint64_t max_count);

  // Puts lost numbers back, to be sent before new ones; those never handed out are left out.
  // Returns how many were added that were not waiting already.
  std::uint64_t add_lost(std::span<const Range> lost);

  // The lowest number that was never handed out; kEnd when there is none.
  [[nodiscard]] std::uint64_t next_new() const { return next_new_; }
  // Numbers that wait to be sent again.
  [[nodiscard]] std::uint64_t waiting() const { return waiting_count_; }
  // Lost ranges refused so far because as many as may waited.
  [[nodiscard]] std::uint64_t refused_ranges() const { return refused_ranges_; }

 private:
  Taken take_lost(std::uint64_t max_count);
  Taken take_new(std::uint64_t max_count);
  [[nodiscard]] std::vector<Range> handed_out() const;

  std::size_t max_waiting_;
  std::vector<Range> initial_;  // all that is ever to be sent; ends with a tail
  std::size_t current_ = 0;     // the range of initial_ that holds next_new_
  std::uint64_t next_new_ = 0;
  std::vector<Range> lost_;  // waiting; what is before lost_front_ has been taken
  std::size_t lost_front_ = 0;
  std::uint64_t waiting_count_ = 0;
  std::uint64_t refused_ranges_ = 0;
};

}  // namespace wyndrvr::seq
