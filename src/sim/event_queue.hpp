// The heap of what is still to happen, in order of true time and, at the same time, of insertion.
//
// That order is total, so a run depends on nothing but its scenario. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "sim/clock.hpp"

namespace wyndrvr::sim {

class EventQueue {
 public:
  using Action = std::move_only_function<void()>;

  [[nodiscard]] TrueTime now() const { return now_; }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  [[nodiscard]] std::uint64_t executed() const { return executed_; }

  // `when` is not in the past.
  void at(TrueTime when, Action action) {
    WYNDRVR_CHECK(when >= now_);
    heap_.push_back({when, next_order_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end());
  }
  // Runs the earliest event, if it is not later than `limit`.
  bool run_one(TrueTime limit) {
    if (heap_.empty() || heap_.front().when > limit) return false;
    std::pop_heap(heap_.begin(), heap_.end());
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.when;
    ++executed_;
    event.action();
    return true;
  }

 private:
  struct Event {
    TrueTime when;
    std::uint64_t order = 0;
    Action action;
    // The standard heap keeps the largest in front; ours is the earliest.
    bool operator<(const Event& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  TrueTime now_{};
  std::uint64_t next_order_ = 0;
  std::uint64_t executed_ = 0;
  std::vector<Event> heap_;
};

}  // namespace wyndrvr::sim
