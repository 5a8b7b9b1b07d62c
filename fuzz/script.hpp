// What the fuzzers of the actors read their scripts with: zeros once the input is used up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wyndrvr::fuzz {

class Script {
 public:
  explicit Script(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8U | octet();
    return value;
  }
  std::uint8_t octet() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  // On the heap and of exactly its size, so that reading one too many is seen.
  std::vector<std::byte> octets(std::size_t most) {
    const std::size_t size = std::min(most, rest_.size());
    const auto bytes = std::as_bytes(rest_.first(size));
    rest_ = rest_.subspan(size);
    return {bytes.begin(), bytes.end()};
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace wyndrvr::fuzz
