// ReplayWindow: lets each number through once (the window of RFC 6479 in its smallest form, one
// word of bits).
//
// Of the numbers below the highest one the 64 next are remembered; one further down is refused,
// because nobody knows any more whether it was there (docs/PROTOCOL.md, Keys). One window for each
// (port, direction, channel). It does not authenticate: ask it only about packets whose MAC was
// right, else a forged number would move it past the true ones. Numbers do not wrap: no sender
// reaches 2^64. Not thread-safe.
//
// Example:
//   if (!verified_packet(key, port, packet)) return drop(DropReason::kWrongMac);
//   if (!window.accept(header.seq.value)) return drop(DropReason::kReplayed);
#pragma once

#include <cstdint>

namespace wyndrvr::seq {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 64;  // numbers remembered below the highest

  // True when `number` is new: it is then the highest, or marked as seen. False leaves all as it
  // was.
  [[nodiscard]] bool accept(std::uint64_t number) {
    if (!begun_ || number > highest_) {
      advance_to(number);
      return true;
    }
    const std::uint64_t distance = highest_ - number;
    if (distance == 0 || distance > kSize) return false;
    const std::uint64_t bit = std::uint64_t{1} << (distance - 1);
    if ((seen_ & bit) != 0) return false;
    seen_ |= bit;
    return true;
  }

 private:
  void advance_to(std::uint64_t number) {
    const std::uint64_t step = begun_ ? number - highest_ : 0;
    // Shifting a word by its width or more is undefined, hence in two steps.
    if (step > kSize) seen_ = 0;
    if (step > 0 && step <= kSize) seen_ = (seen_ << 1U | 1U) << (step - 1);
    begun_ = true;
    highest_ = number;
  }

  bool begun_ = false;
  std::uint64_t highest_ = 0;
  std::uint64_t seen_ = 0;  // bit i: highest_ - 1 - i was there
};

}  // namespace wyndrvr::seq
