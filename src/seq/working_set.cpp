#include "seq/working_set.hpp"

#include <algorithm>
#include <utility>

namespace wyndrvr::seq {

WorkingSet::WorkingSet(std::span<const Range> initial, std::size_t max_waiting)
    : max_waiting_(std::min(max_waiting, kMaxWaitingRanges)), initial_(canonical(initial)) {
  const std::uint64_t behind_last = initial_.empty() ? 0 : initial_.back().end;
  if (behind_last < kEnd) {
    const Range tail{behind_last, kEnd};
    initial_ = merge(initial_, std::span(&tail, 1));
  }
  next_new_ = initial_.front().begin;
}

WorkingSet::Taken WorkingSet::take(std::uint64_t max_count) {
  // Whatever is lost was handed out, so it lies below every new number.
  return waiting_count_ > 0 ? take_lost(max_count) : take_new(max_count);
}

WorkingSet::Taken WorkingSet::take_lost(std::uint64_t max_count) {
  Range& front = lost_[lost_front_];
  const std::uint64_t count = std::min(max_count, front.size());
  const Range numbers{front.begin, front.begin + count};
  front.begin = numbers.end;
  if (front.empty()) ++lost_front_;
  waiting_count_ -= count;
  return {numbers, true};
}

WorkingSet::Taken WorkingSet::take_new(std::uint64_t max_count) {
  const std::uint64_t left = initial_[current_].end - next_new_;
  const std::uint64_t count = std::min(max_count, left);
  const Range numbers{next_new_, next_new_ + count};
  next_new_ = numbers.end;
  if (count == left && current_ + 1 < initial_.size()) next_new_ = initial_[++current_].begin;
  return {numbers, false};
}

std::vector<Range> WorkingSet::handed_out() const {
  return clamp_below(initial_, next_new_);
}

std::uint64_t WorkingSet::add_lost(std::span<const Range> lost) {
  const std::vector<Range> again = intersect(canonical(lost), handed_out());
  const auto waiting = std::span<const Range>(lost_).subspan(lost_front_);
  std::vector<Range> merged = merge(waiting, again);
  if (merged.size() > max_waiting_) {
    // One by one, lowest first: a range that touches a waiting one still fits.
    merged.assign(waiting.begin(), waiting.end());
    for (const Range& range : again) {
      std::vector<Range> with_range = merge(merged, std::span(&range, 1));
      if (with_range.size() > max_waiting_) {
        ++refused_ranges_;
      } else {
        merged = std::move(with_range);
      }
    }
  }
  // A peer chooses how many there are: none of them holds memory for more.
  merged.shrink_to_fit();
  const std::uint64_t added = total(merged) - waiting_count_;
  lost_ = std::move(merged);
  lost_front_ = 0;
  waiting_count_ += added;
  return added;
}

}  // namespace wyndrvr::seq
