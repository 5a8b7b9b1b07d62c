// Secret: octets that nobody else may see, such as a key; wiped when they go.
//
// It has no comparison (that is crypto::equal), no text form and no formatter, so it cannot slip
// into a log. Each copy wipes itself. Not locked into memory: a core file or swap may still hold
// it. Not thread-safe, as an array is not.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"

namespace wyndrvr::crypto {

// Overwrites with zeros in a way that a compiler does not leave out (sodium_memzero).
void wipe(MutableByteView octets);

// Decodes hexadecimal digits of either case into all of `out`, without tables that would leak the
// digits through the cache (sodium_hex2bin). False when there are not exactly two digits for each
// octet of `out` and nothing else; `out` is then wiped.
[[nodiscard]] bool decode_hex(MutableByteView out, std::string_view digits);

template <std::size_t kOctets>
class Secret {
 public:
  static constexpr std::size_t kSize = kOctets;

  Secret() = default;
  ~Secret() { wipe(octets_); }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;

  [[nodiscard]] ByteView view() const { return octets_; }
  [[nodiscard]] MutableByteView writable() { return octets_; }

 private:
  std::array<std::byte, kOctets> octets_{};
};

}  // namespace wyndrvr::crypto
