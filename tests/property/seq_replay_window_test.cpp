// ReplayWindow against the set of all numbers that it let through.
#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "seq/replay_window.hpp"

namespace wyndrvr::seq {
namespace replay_window_test {

// The slow and obvious way: remembers everything.
class Model {
 public:
  bool accept(std::uint64_t number) {
    const bool too_old = !passed_.empty() && *passed_.rbegin() > number &&
                         *passed_.rbegin() - number > ReplayWindow::kSize;
    return !too_old && passed_.insert(number).second;
  }
  [[nodiscard]] std::uint64_t highest() const { return passed_.empty() ? 0 : *passed_.rbegin(); }

 private:
  std::set<std::uint64_t> passed_;
};

RC_GTEST_PROP(ReplayWindow, LetsThroughWhatASetOfAllNumbersWould, ()) {
  ReplayWindow window;
  Model model;
  const auto base = *rc::gen::element(std::uint64_t{0}, std::uint64_t{1} << 63U);
  // Around the highest number, so that each of before, in and beyond the window is often hit.
  const auto steps = *rc::gen::container<std::vector<int>>(
      rc::gen::weightedOneOf<int>({{6, rc::gen::inRange(-70, 4)}, {1, rc::gen::inRange(4, 140)}}));
  for (const int step : steps) {
    const std::uint64_t from = std::max(model.highest(), base);
    const auto back = static_cast<std::uint64_t>(step < 0 ? -step : 0);
    const std::uint64_t number =
        step < 0 ? from - std::min(back, from) : from + static_cast<std::uint64_t>(step);
    RC_ASSERT(window.accept(number) == model.accept(number));
  }
}

RC_GTEST_PROP(ReplayWindow, LetsNoNumberThroughTwice, (const std::vector<std::uint8_t>& numbers)) {
  ReplayWindow window;
  std::set<std::uint64_t> passed;
  for (const std::uint64_t number : numbers) {
    if (window.accept(number)) RC_ASSERT(passed.insert(number).second);
  }
}

}  // namespace replay_window_test
}  // namespace wyndrvr::seq
