// Accumulates the kernel's 32-bit count of datagrams dropped at a socket (SO_RXQ_OVFL, socket(7)).
//
// Pure; not thread-safe. A reading older than the last one (they travel with queued datagrams)
// changes nothing; a wrap past 2^32 is followed as long as readings are less than 2^31 apart.
#pragma once

#include <cstdint>

namespace wyndrvr::os {

class DropCounter {
 public:
  void observe(std::uint32_t reading) {
    const auto step = static_cast<std::int32_t>(reading - last_);
    if (step <= 0) return;
    total_ += static_cast<std::uint32_t>(step);
    last_ = reading;
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::uint32_t last_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace wyndrvr::os
