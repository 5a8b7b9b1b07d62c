// One deadline for each of many small integer ids; the earliest is at hand.
//
// An indexed binary heap: set and clear cost O(log n), earliest O(1), and nothing is allocated once
// the largest id has been seen. Not thread-safe.
//
// To put a deadline off costs next to nothing: its place in the heap stays, as that of a time at
// which it cannot be due yet, until it comes to the top. So does a server with each datagram, for
// each of its ports has an idle time-out.
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
    if (id >= slots_.size()) slots_.resize(std::size_t{id} + 1);
    if (!at) return remove(id);
    Slot& slot = slots_[id];
    slot.at = *at;
    if (slot.position == kNone) {
      slot.position = heap_.size();
      heap_.push_back({*at, id});
      sift_up(slot.position);
    } else if (*at < heap_[slot.position].at) {
      heap_[slot.position].at = *at;
      sift_up(slot.position);
    } else if (slot.position == 0) {
      settle();
    }
  }
  [[nodiscard]] std::optional<Entry> earliest() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front();
  }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  struct Slot {
    Instant at;                    // the deadline, not before that of its entry in the heap
    std::size_t position = kNone;  // of its entry
  };

  void remove(Id id) {
    const std::size_t hole = slots_[id].position;
    if (hole == kNone) return;
    WYNDRVR_CHECK(hole < heap_.size());
    exchange(hole, heap_.size() - 1);
    heap_.pop_back();
    slots_[id].position = kNone;
    if (hole == heap_.size()) return;
    sift_up(hole);
    sift_down(hole);
    if (hole == 0) settle();
  }
  // The entry at the top gets its true time, so that the earliest is the earliest: no other one is
  // due before what it has in the heap.
  void settle() {
    while (heap_.front().at < slots_[heap_.front().id].at) {
      heap_.front().at = slots_[heap_.front().id].at;
      sift_down(0);
    }
  }
  void exchange(std::size_t a, std::size_t b) {
    std::swap(heap_[a], heap_[b]);
    slots_[heap_[a].id].position = a;
    slots_[heap_[b].id].position = b;
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
  std::vector<Slot> slots_;  // by id
};

}  // namespace wyndrvr::runtime
