// WorkingSet against a plain set of numbers.
#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "seq/working_set.hpp"

namespace wyndrvr::seq {
namespace working_set_test {

using Ranges = std::vector<Range>;

std::uint64_t below(std::uint64_t limit) {
  return *rc::gen::inRange<std::uint64_t>(0, limit);
}

Ranges arbitrary_ranges(std::size_t most) {
  Ranges ranges;
  const std::uint64_t count = below(most + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t begin = below(100);
    ranges.push_back({begin, begin + below(12)});
  }
  return ranges;
}

// What is to be sent, number by number; beyond `kUniverse` everything is.
class Model {
 public:
  explicit Model(const Ranges& initial) {
    std::uint64_t tail = 0;
    for (const Range& range : initial) {
      if (range.empty()) continue;
      tail = std::max(tail, range.end);
      for (std::uint64_t number = range.begin; number < range.end; ++number) unsent_.insert(number);
    }
    for (std::uint64_t number = tail; number < kUniverse; ++number) unsent_.insert(number);
  }

  WorkingSet::Taken take(std::uint64_t max_count) {
    const bool retransmission = !waiting_.empty();
    std::set<std::uint64_t>& numbers = retransmission ? waiting_ : unsent_;
    const std::uint64_t begin = *numbers.begin();
    std::uint64_t end = begin;
    while (end - begin < max_count && numbers.erase(end) > 0) sent_.insert(end++);
    return {{begin, end}, retransmission};
  }

  std::uint64_t add_lost(const Ranges& lost) {
    std::uint64_t added = 0;
    for (const Range& range : lost) {
      for (std::uint64_t number = range.begin; number < range.end; ++number) {
        if (sent_.contains(number) && waiting_.insert(number).second) ++added;
      }
    }
    return added;
  }
  [[nodiscard]] std::uint64_t waiting() const { return waiting_.size(); }

 private:
  static constexpr std::uint64_t kUniverse = 10'000;
  std::set<std::uint64_t> unsent_;
  std::set<std::uint64_t> waiting_;
  std::set<std::uint64_t> sent_;
};

RC_GTEST_PROP(WorkingSet, AgreesWithAPlainSet, ()) {
  const Ranges initial = arbitrary_ranges(6);
  WorkingSet numbers(initial);
  Model model(initial);
  const std::uint64_t steps = below(60);
  for (std::uint64_t step = 0; step < steps; ++step) {
    if (below(4) == 0) {
      const Ranges lost = arbitrary_ranges(4);
      RC_ASSERT(numbers.add_lost(lost) == model.add_lost(lost));
    } else {
      const std::uint64_t max_count = 1 + below(10);
      RC_ASSERT(numbers.take(max_count) == model.take(max_count));
    }
    RC_ASSERT(numbers.waiting() == model.waiting());
  }
}

RC_GTEST_PROP(WorkingSet, HandsOutNoNumberTwiceUnlessItWasLost, ()) {
  WorkingSet numbers(arbitrary_ranges(6));
  std::uint64_t lowest_unseen = 0;
  const std::uint64_t steps = below(100);
  for (std::uint64_t step = 0; step < steps; ++step) {
    const WorkingSet::Taken taken = numbers.take(1 + below(20));
    RC_ASSERT(!taken.numbers.empty());
    RC_ASSERT(!taken.retransmission);
    RC_ASSERT(taken.numbers.begin >= lowest_unseen);
    lowest_unseen = taken.numbers.end;
  }
}

}  // namespace working_set_test
}  // namespace wyndrvr::seq
