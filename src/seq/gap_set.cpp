#include "seq/gap_set.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wyndrvr::seq {

Marked GapSet::mark_out_of_order(Range range) {
  if (range.empty()) return {};
  Marked marked;
  if (range.begin < tail_begin_) {
    const Range interior{range.begin, std::min(range.end, tail_begin_)};
    marked.refilled = fill(interior);
    marked.duplicate = interior.size() - marked.refilled;
  }
  if (range.end <= tail_begin_) return marked;
  marked.fresh = range.end - std::max(range.begin, tail_begin_);
  if (range.begin > tail_begin_) {
    const Range gap{tail_begin_, range.begin};
    missing_ += gap.size();
    add_gap(begin_by_end_.end(), gap);
  }
  tail_begin_ = range.end;
  return marked;
}

std::uint64_t GapSet::fill(Range range) {
  std::uint64_t filled = 0;
  auto gap = begin_by_end_.upper_bound(range.begin);
  while (gap != begin_by_end_.end() && gap->second < range.end) {
    const Range hole{gap->second, gap->first};
    const Range common{std::max(hole.begin, range.begin), std::min(hole.end, range.end)};
    filled += common.size();
    if (common.end < hole.end) {
      // What stays above keeps the node; what stays below is a gap of its own.
      gap->second = common.end;
      missing_ -= common.size();
      if (hole.begin < common.begin) add_gap(gap, {hole.begin, common.begin});
      return filled;
    }
    missing_ -= common.size();
    gap = remove_gap(gap);
    if (hole.begin < common.begin) add_gap(gap, {hole.begin, common.begin});
  }
  return filled;
}

void GapSet::add_gap(Gaps::iterator hint, Range gap) {
  if (full()) {
    // The lowest may be this one: then no gap makes room for it.
    const auto lowest_gap = begin_by_end_.begin();
    if (lowest_gap == hint) return write_off(gap);
    write_off({lowest_gap->second, lowest_gap->first});
    remove_gap(lowest_gap);
  }
  if (spare_.empty()) {
    if (budget_ != nullptr) budget_->take(gaps_held());
    begin_by_end_.emplace_hint(hint, gap.end, gap.begin);
    return;
  }
  Gaps::node_type node = spare_.extract(spare_.begin());
  node.key() = gap.end;
  node.mapped() = gap.begin;
  begin_by_end_.insert(hint, std::move(node));
}

GapSet::Gaps::iterator GapSet::remove_gap(Gaps::iterator gap) {
  const auto next = std::next(gap);
  Gaps::node_type node = begin_by_end_.extract(gap);
  node.key() = kEnd - spare_.size();
  spare_.insert(spare_.begin(), std::move(node));
  return next;
}

void GapSet::write_off(Range gap) {
  missing_ -= gap.size();
  written_off_ += gap.size();
}

std::size_t GapSet::lowest(std::span<Range> out) const {
  std::size_t count = 0;
  for (const auto& [end, begin] : begin_by_end_) {
    if (count == out.size()) return count;
    out[count++] = {begin, end};
  }
  if (count < out.size() && tail_begin_ < kEnd) out[count++] = {tail_begin_, kEnd};
  return count;
}

std::optional<std::uint64_t> GapSet::unique_above(std::uint64_t number,
                                                  std::size_t max_gaps) const {
  std::uint64_t received = tail_begin_ - number - 1;
  for (auto gap = begin_by_end_.rbegin(); gap != begin_by_end_.rend(); ++gap) {
    if (gap->first <= number) break;
    if (max_gaps-- == 0) return std::nullopt;
    received -= gap->first - gap->second;
  }
  return received;
}

}  // namespace wyndrvr::seq
