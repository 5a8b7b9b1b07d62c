// When the datagrams of a test were sent, within 5 ms, for the last second and more. Pure;
// allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace wyndrvr::engine {

class SendHistory {
 public:
  static constexpr Duration kResolution = 5ms;
  static constexpr std::size_t kCapacity = 256;

  // A datagram leaves at `now`, `before` of them before it.
  void on_sent(Instant now, std::uint64_t before) {
    if (size_ > 0 && now - mark(size_ - 1).at < kResolution) return;
    if (size_ == kCapacity) {
      begin_ = (begin_ + 1) % kCapacity;
      --size_;
    }
    marks_[(begin_ + size_++) % kCapacity] = {now, before};
  }

  // When the datagram `number` (from 0) was sent at the earliest; nothing where that is forgotten.
  [[nodiscard]] std::optional<Instant> sent_at(std::uint64_t number) const {
    const auto newer = first([number](const Mark& mark) { return mark.before > number; });
    if (newer == 0) return std::nullopt;
    return mark(newer - 1).at;
  }
  // So many datagrams, at the least, were sent before `at`.
  [[nodiscard]] std::uint64_t sent_before(Instant at) const {
    const auto newer = first([at](const Mark& mark) { return mark.at > at; });
    if (newer > 0) return mark(newer - 1).before;
    return size_ > 0 ? mark(0).before : 0;
  }

 private:
  struct Mark {
    Instant at;
    std::uint64_t before = 0;
  };

  [[nodiscard]] const Mark& mark(std::size_t index) const {
    return marks_[(begin_ + index) % kCapacity];
  }
  // Index of the first mark that is `newer`, or size_; marks ascend.
  template <class Newer>
  [[nodiscard]] std::size_t first(const Newer& newer) const {
    std::size_t low = 0;
    for (std::size_t high = size_; low < high;) {
      const std::size_t middle = (low + high) / 2;
      if (newer(mark(middle))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  std::array<Mark, kCapacity> marks_{};
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

}  // namespace wyndrvr::engine
