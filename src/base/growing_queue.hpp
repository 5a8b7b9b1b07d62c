// A first-in first-out queue that is bounded as BoundedQueue is, but takes memory as it is needed:
// for queues that are nearly always nearly empty, of which a server has several for each client.
//
// Starts with none. Memory grows by doubling, from `kept` elements up to `most`; one that has grown
// beyond `kept` gives it back when it is empty. So whoever never has more than `kept` elements at
// once allocates once. `push` refuses when full and leaves it to the caller to say what that means.
// Not thread-safe.
//
// Example:
//   GrowingQueue<Letter> box({.most = 32, .kept = 1});
//   if (!box.push(letter)) ++refused;
//   while (const auto next = box.pop()) deliver(*next);
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace wyndrvr::base {

template <class T>
class GrowingQueue {
 public:
  struct Bounds {          // in elements
    std::size_t most = 1;  // that it takes
    std::size_t kept = 1;  // whose memory it keeps; at most `most`
  };

  explicit GrowingQueue(const Bounds& bounds) : bounds_(bounds) {
    WYNDRVR_CHECK(bounds.kept > 0 && bounds.kept <= bounds.most);
  }

  // False when the queue is full; the value is then untouched.
  [[nodiscard]] bool push(T value) {
    if (full()) return false;
    if (size_ == slots_.size()) grow();
    slots_[slot_of(size_)] = std::move(value);
    ++size_;
    return true;
  }
  [[nodiscard]] std::optional<T> pop() {
    if (size_ == 0) return std::nullopt;
    std::optional<T> value = std::move(slots_[head_]);
    head_ = slot_of(1);
    --size_;
    if (size_ == 0 && slots_.size() > bounds_.kept) release();
    return value;
  }
  // The oldest element; the queue must not be empty.
  [[nodiscard]] const T& front() const { return at(0); }
  // The i-th oldest element, i < size().
  [[nodiscard]] const T& at(std::size_t i) const {
    WYNDRVR_CHECK(i < size_);
    return slots_[slot_of(i)];
  }
  [[nodiscard]] T& at(std::size_t i) {
    WYNDRVR_CHECK(i < size_);
    return slots_[slot_of(i)];
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == bounds_.most; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Elements that there is memory for at present.
  [[nodiscard]] std::size_t room() const { return slots_.size(); }

 private:
  // i <= slots_.size()
  [[nodiscard]] std::size_t slot_of(std::size_t i) const {
    const std::size_t slot = head_ + i;
    return slot < slots_.size() ? slot : slot - slots_.size();
  }
  void grow() {
    const std::size_t room = std::max(bounds_.kept, slots_.size() * 2);
    std::vector<T> larger(std::min(room, bounds_.most));
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move(slots_[slot_of(i)]);
    slots_ = std::move(larger);
    head_ = 0;
  }
  void release() {
    slots_ = std::vector<T>();
    head_ = 0;
  }

  Bounds bounds_;
  std::vector<T> slots_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace wyndrvr::base
