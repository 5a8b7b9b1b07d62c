// Datagrams that a full receive buffer cost, from what the kernel tells with each buffer.
//
// One for each socket, not for each stream: what several streams share is not told several times.
// Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace wyndrvr::engine {

class SocketDropMeter {
 public:
  // Datagrams dropped since the last call; none at the first. `buffers_dropped`: the kernel's count
  // since the socket was opened (SO_RXQ_OVFL, socket(7)). Each of them is taken to have held as
  // many datagrams as the one at hand.
  [[nodiscard]] std::uint64_t take(std::uint64_t buffers_dropped, std::uint64_t datagrams) {
    const std::uint64_t before = last_.value_or(buffers_dropped);
    last_ = buffers_dropped;
    return (buffers_dropped - std::min(before, buffers_dropped)) * datagrams;
  }

 private:
  std::optional<std::uint64_t> last_;
};

}  // namespace wyndrvr::engine
