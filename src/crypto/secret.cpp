#include "crypto/secret.hpp"

#include <sodium/utils.h>

namespace wyndrvr::crypto {

void wipe(MutableByteView octets) {
  sodium_memzero(octets.data(), octets.size());
}

bool decode_hex(MutableByteView out, std::string_view digits) {
  std::size_t decoded = 0;
  // Without a place to tell where it stopped, anything but digits up to the end is a failure.
  const int failure = sodium_hex2bin(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                     digits.data(), digits.size(), nullptr, &decoded, nullptr);
  if (failure == 0 && decoded == out.size()) return true;
  wipe(out);
  return false;
}

}  // namespace wyndrvr::crypto
