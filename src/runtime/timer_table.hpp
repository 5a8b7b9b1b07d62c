// One deadline for each of many small integer ids; the earliest is at hand.
//
// An indexed binary heap: set and clear cost O(log n), earliest O(1), and nothing is allocated once
// the largest id has been seen. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/time.hpp"

namespace wyndrvr::runtime {

class TimerTable {
 public:
  using Id = std::uint32_t;
  struct Entry {
    Instant at;
    Id id = 0;
  };

  // Replaces the deadline of `id`, or takes it away.
  void set(Id id, std::optional<Instant> at) {
    if (id >= position_.size()) position_.resize(std::size_t{id} + 1, kNone);
    if (!at) return remove(id);
    if (position_[id] == kNone) {
      position_[id] = heap_.size();
      heap_.push_back({*at, id});
    } else {
      heap_[position_[id]].at = *at;
    }
    sift_up(position_[id]);
    sift_down(position_[id]);
  }
  [[nodiscard]] std::optional<Entry> earliest() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front();
  }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  void remove(Id id) {
    const std::size_t hole = position_[id];
    if (hole == kNone) return;
    WYNDRVR_CHECK(hole < heap_.size());
    exchange(hole, heap_.size() - 1);
    heap_.pop_back();
    position_[id] = kNone;
    if (hole == heap_.size()) return;
    sift_up(hole);
    sift_down(hole);
  }
  void exchange(std::size_t a, std::size_t b) {
    std::swap(heap_[a], heap_[b]);
    position_[heap_[a].id] = a;
    position_[heap_[b].id] = b;
  }
  void sift_up(std::size_t at) {
    while (at > 0 && heap_[at].at < heap_[(at - 1) / 2].at) {
      exchange(at, (at - 1) / 2);
      at = (at - 1) / 2;
    }
  }
  void sift_down(std::size_t at) {
    for (;;) {
      std::size_t least = at;
      for (std::size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_.size(); ++child) {
        if (heap_[child].at < heap_[least].at) least = child;
      }
      if (least == at) return;
      exchange(at, least);
      at = least;
    }
  }

  std::vector<Entry> heap_;
  std::vector<std::size_t> position_;  // by id: index into the heap, or kNone
};

}  // namespace wyndrvr::runtime
