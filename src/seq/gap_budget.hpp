// GapBudget: how many gaps several GapSets may have memory for, all together.
//
// Half of it is cut into equal parts, one for each set, which no other set can use up: a hostile or
// lossy stream leaves the others what they need to go on. The rest is for whichever set asks first.
// A set never gives back: it keeps its memory for its next gaps, and ends with the budget.
//
// Must outlive its sets, and stay where it is. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>

namespace wyndrvr::seq {

class GapBudget {
 public:
  // `gaps` for `sets` sets, 1 at least.
  GapBudget(std::size_t gaps, std::size_t sets)
      : each_(gaps / 2 / std::max<std::size_t>(sets, 1)), common_(gaps - each_ * sets) {}
  GapBudget(const GapBudget&) = delete;
  GapBudget& operator=(const GapBudget&) = delete;

  // Whether a set that has memory for `held` gaps may have it for one more.
  [[nodiscard]] bool has_room(std::size_t held) const { return held < each_ || common_ > 0; }
  // It takes it. Call only where has_room().
  void take(std::size_t held) {
    if (held >= each_) --common_;
  }

 private:
  std::size_t each_;
  std::size_t common_;
};

}  // namespace wyndrvr::seq
