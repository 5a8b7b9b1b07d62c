// Octets for the tests of the crypto layer: counted up, and to and from hexadecimal text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "crypto/session_keys.hpp"

namespace wyndrvr::crypto::testing {

// first, first + 1, and so on.
template <std::size_t kSize>
[[nodiscard]] std::array<std::byte, kSize> counted_octets(std::size_t first = 0) {
  std::array<std::byte, kSize> octets;
  for (std::size_t i = 0; i < kSize; ++i) octets[i] = static_cast<std::byte>(first + i);
  return octets;
}

[[nodiscard]] inline std::string hex(ByteView octets) {
  std::string text;
  for (const std::byte octet : octets) {
    text += fmt::format("{:02x}", std::to_integer<unsigned>(octet));
  }
  return text;
}

// A key of the octets first, first + 1, and so on.
[[nodiscard]] inline Key counted_key(std::uint32_t id, std::size_t first = 0) {
  Key key;
  key.id = id;
  const auto octets = counted_octets<kKeySize>(first);
  base::ByteWriter(key.octets.writable()).put_bytes(octets);
  return key;
}

}  // namespace wyndrvr::crypto::testing
