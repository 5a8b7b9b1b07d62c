// A first-in first-out queue of fixed capacity; its memory is allocated once.
//
// `push` refuses when full and leaves it to the caller to say what that means. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace wyndrvr::base {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : slots_(capacity) { WYNDRVR_CHECK(capacity > 0); }

  // False when the queue is full; the value is then untouched.
  [[nodiscard]] bool push(T value) {
    if (full()) return false;
    slots_[(head_ + size_) % slots_.size()] = std::move(value);
    ++size_;
    return true;
  }
  [[nodiscard]] std::optional<T> pop() {
    if (size_ == 0) return std::nullopt;
    T value = std::move(slots_[head_]);
    head_ = (head_ + 1) % slots_.size();
    --size_;
    return value;
  }
  // The oldest element; the queue must not be empty.
  [[nodiscard]] const T& front() const {
    WYNDRVR_CHECK(size_ > 0);
    return slots_[head_];
  }
  // The i-th oldest element, i < size().
  [[nodiscard]] const T& at(std::size_t i) const {
    WYNDRVR_CHECK(i < size_);
    return slots_[(head_ + i) % slots_.size()];
  }
  [[nodiscard]] T& at(std::size_t i) {
    WYNDRVR_CHECK(i < size_);
    return slots_[(head_ + i) % slots_.size()];
  }
  void clear() {
    while (pop()) {
    }
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == slots_.size(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return slots_.size(); }

 private:
  std::vector<T> slots_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace wyndrvr::base
