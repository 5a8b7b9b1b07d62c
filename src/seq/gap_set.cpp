#include "seq/gap_set.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wyndrvr::seq {

GapSet::GapSet(std::size_t max_gaps) : max_gaps_(max_gaps) {
  // Every node there can be fits, so that keeping one never allocates.
  spare_.reserve(max_gaps + 1);
}

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
  if (spare_.empty()) {
    begin_by_end_.emplace_hint(hint, gap.end, gap.begin);
  } else {
    Gaps::node_type node = std::move(spare_.back());
    spare_.pop_back();
    node.key() = gap.end;
    node.mapped() = gap.begin;
    begin_by_end_.insert(hint, std::move(node));
  }
  if (begin_by_end_.size() > max_gaps_) write_off_lowest();
}

GapSet::Gaps::iterator GapSet::remove_gap(Gaps::iterator gap) {
  const auto next = std::next(gap);
  spare_.push_back(begin_by_end_.extract(gap));
  return next;
}

void GapSet::write_off_lowest() {
  const auto lowest_gap = begin_by_end_.begin();
  const Range gap{lowest_gap->second, lowest_gap->first};
  missing_ -= gap.size();
  written_off_ += gap.size();
  remove_gap(lowest_gap);
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
