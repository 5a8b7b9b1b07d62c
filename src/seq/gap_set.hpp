// GapSet: the sequence numbers NOT yet received; starts as everything.
//
// It tells new numbers from late ones and from duplicates, and gives a receiver what it reports as
// missing (protocol 0.14, section 4). It does not decide what is lost: that is `LossDetector`.
//
// Shape: interior gaps, each [begin, end), and the tail [tail_begin, kEnd) that nothing has been
// received of. The cost of an in-order mark is constant and free of allocation; any other is
// logarithmic in the number of gaps. Nodes of closed gaps are kept for later ones, so memory grows
// only while the number of gaps exceeds its own highest value, and nothing is reserved before.
//
// Bounded by `max_gaps`, and by the GapBudget that it shares with other sets: where one gap more
// would exist, the lowest one is written off. Its numbers count as lost for good: they leave
// `missing` for `written_off`, and one that arrives after all counts as a duplicate. So a loss is
// at worst overstated, never hidden.
//
// Invariants: fresh + refilled + duplicate == what was marked;
//             unique + missing + written_off == tail_begin.
// Movable; not thread-safe. A hostile peer can move the tail as far as it likes: who may mark is
// the caller's business.
//
// Example:
//   GapSet gaps(1024);
//   gaps.mark(0);  // fresh
//   gaps.mark(3);  // fresh; 1 and 2 are now missing
//   gaps.mark(1);  // refilled
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "seq/gap_budget.hpp"
#include "seq/range.hpp"

namespace wyndrvr::seq {

// What became of the numbers that were marked.
struct Marked {
  std::uint64_t fresh = 0;      // at or above the tail
  std::uint64_t refilled = 0;   // filled an interior gap: reordered or late (RFC 4737), or resent
  std::uint64_t duplicate = 0;  // received before, or written off
  bool operator==(const Marked&) const = default;
};

class GapSet {
 public:
  // What a gap takes of the heap: a node of 48 octets, in a piece of 64 of glibc's malloc.
  static constexpr std::size_t kOctetsPerGap = 64;

  // `max_gaps`: how many interior gaps to keep apart. `budget`: shared with other sets; none:
  // `max_gaps` alone bounds this one.
  explicit GapSet(std::size_t max_gaps, GapBudget* budget = nullptr)
      : max_gaps_(max_gaps), budget_(budget) {}

  // Marks one number as received. The unusable number kEnd counts as a duplicate.
  Marked mark(std::uint64_t number) {
    if (number == kEnd) return {.duplicate = 1};
    return mark(Range{number, number + 1});
  }
  // Marks all numbers of a range; an empty one marks nothing.
  Marked mark(Range range) {
    if (range.begin != tail_begin_ || range.empty()) return mark_out_of_order(range);
    tail_begin_ = range.end;
    return {.fresh = range.size()};
  }

  // Copies the lowest missing ranges, as many as fit: interior gaps, and after them the tail (its
  // end is kEnd). Returns how many were copied.
  std::size_t lowest(std::span<Range> out) const;

  // One above the highest number received.
  [[nodiscard]] std::uint64_t tail_begin() const { return tail_begin_; }
  // Numbers in interior gaps: below the tail, neither received nor written off.
  [[nodiscard]] std::uint64_t missing() const { return missing_; }
  [[nodiscard]] std::uint64_t written_off() const { return written_off_; }
  // Different numbers received.
  [[nodiscard]] std::uint64_t unique() const { return tail_begin_ - missing_ - written_off_; }
  // Different numbers received that are above `number`, which was received as well. Linear in the
  // gaps above it; nothing where there are more than `max_gaps` of them.
  [[nodiscard]] std::optional<std::uint64_t> unique_above(std::uint64_t number,
                                                          std::size_t max_gaps) const;
  [[nodiscard]] std::size_t gap_count() const { return begin_by_end_.size(); }
  // Gaps that there is memory for: the most that there have been at once.
  [[nodiscard]] std::size_t gaps_held() const { return begin_by_end_.size() + spare_.size(); }
  // One gap more would have the lowest one written off. Where that is not so, a range below the
  // tail does as its numbers do one after the other; else those may open a gap for a moment that
  // the range does not.
  [[nodiscard]] bool full() const {
    if (begin_by_end_.size() >= max_gaps_) return true;
    return spare_.empty() && budget_ != nullptr && !budget_->has_room(gaps_held());
  }

 private:
  // Keyed by the end: `upper_bound(n)` is then the only gap that can hold n, and filling a gap from
  // below, which is how resent numbers arrive, changes a value and no key.
  using Gaps = std::map<std::uint64_t, std::uint64_t>;

  Marked mark_out_of_order(Range range);
  // Takes `range` out of the interior gaps; returns how many numbers that were.
  std::uint64_t fill(Range range);
  // Adds a gap right before `hint`; or, where the set is full, writes off the lowest.
  void add_gap(Gaps::iterator hint, Range gap);
  Gaps::iterator remove_gap(Gaps::iterator gap);
  void write_off(Range gap);

  std::size_t max_gaps_;
  GapBudget* budget_;
  std::uint64_t tail_begin_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t written_off_ = 0;
  Gaps begin_by_end_;
  // Nodes of closed gaps, for the next gaps; a map, since its nodes need no room beside themselves.
  // The newest is the first, so that keeping and taking one are constant in time.
  Gaps spare_;
};

}  // namespace wyndrvr::seq
