// Seeds from the kernel's random number generator (getrandom(2)).
//
// Thread-safe. For seeds, ids and secrets; everything random after that comes from base::Random.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace wyndrvr::os {

// 64 unpredictable bits; falls back to /dev/urandom, and aborts only if that fails as well: a
// program without randomness would hand out guessable keys.
[[nodiscard]] std::uint64_t entropy64();

// Fills all of `out` with unpredictable octets, or aborts, as above. For keys and nonces.
void fill_random(MutableByteView out);

}  // namespace wyndrvr::os
