#include "seq/loss_detector.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/check.hpp"

namespace wyndrvr::seq {
namespace {

// Numbers below this are what a report can show to be lost.
std::uint64_t horizon(std::span<const Range> missing) {
  if (missing.empty()) return 0;
  const Range last = missing.back();
  return last.end == kEnd ? last.begin : last.end;
}

}  // namespace

std::vector<Range> LossDetector::on_report(std::span<const Range> missing) {
  std::vector<Range> report = canonical(missing);
  report.resize(std::min(report.size(), max_ranges_));
  report.shrink_to_fit();
  if (rounds_.full()) static_cast<void>(rounds_.pop());
  WYNDRVR_CHECK(rounds_.push({std::move(report), {}}));
  if (!rounds_.full()) return {};
  std::vector<Range> lost = find_lost();
  rounds_.at(rounds_.size() - 1).declared = lost;
  return lost;
}

std::vector<Range> LossDetector::find_lost() const {
  const Round& oldest = rounds_.front();
  const Round& newest = rounds_.at(rounds_.size() - 1);
  std::vector<Range> lost =
      clamp_below(intersect(oldest.missing, newest.missing), horizon(newest.missing));
  // The rounds still kept are those that are too recent to declare the same number again.
  for (std::size_t i = 0; i + 1 < rounds_.size() && !lost.empty(); ++i) {
    lost = subtract(lost, rounds_.at(i).declared);
  }
  lost.resize(std::min(lost.size(), 2 * max_ranges_));
  lost.shrink_to_fit();
  return lost;
}

}  // namespace wyndrvr::seq
