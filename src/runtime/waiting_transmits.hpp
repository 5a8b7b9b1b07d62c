// What one flow's sockets have had no room for yet, in order: the rest of a transmit, and what came
// for the same flow after it.
//
// Where the actor goes on being asked meanwhile, octets are kept here as copies, for the actor's
// own are valid only until it is asked again. Bounded; memory is kept for the next time. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "engine/datagram.hpp"

namespace wyndrvr::runtime {

class WaitingTransmits {
 public:
  // Transmits. Behind the first there are heartbeats, control and reports alone; a flow that has
  // had no room for so many of them is as good as a path that loses them.
  static constexpr std::size_t kCapacity = 4;

  enum class Octets : std::uint8_t { kCopied, kBorrowed };

  // False where it is full; the transmit is then not taken.
  [[nodiscard]] bool push(const engine::Transmit& transmit, Octets octets) {
    if (size_ == kCapacity) return false;
    Slot& slot = slots_[(head_ + size_) % kCapacity];
    slot.transmit = transmit;
    if (octets == Octets::kCopied) {
      slot.octets.assign(transmit.bytes.begin(), transmit.bytes.end());
      slot.transmit.bytes = slot.octets;
    }
    ++size_;
    return true;
  }
  // The oldest, of which so much may be cut off as has been sent; there must be one.
  [[nodiscard]] engine::Transmit& front() {
    WYNDRVR_CHECK(size_ > 0);
    return slots_[head_].transmit;
  }
  void pop() {
    WYNDRVR_CHECK(size_ > 0);
    head_ = (head_ + 1) % kCapacity;
    --size_;
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Slot {
    engine::Transmit transmit;
    std::vector<std::byte> octets;
  };

  std::array<Slot, kCapacity> slots_{};
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace wyndrvr::runtime
