// BLAKE2b with a key (RFC 7693), the only primitive of dialect 1: for cookies, derived keys and
// MACs. Nothing of our own: libsodium's crypto_generichash_blake2b.
//
// It does not say what is hashed: that is session_keys and cookie_jar. Pure and allocates nothing;
// any thread may call it.
//
// libsodium wants sodium_init() before all else. This layer does not call it, because it draws
// random octets, and relies on what holds in 1.0.18 for the functions that are used here: they
// need neither its random device nor its page allocator, and the pointer to the compression
// function is set when the library is loaded, to the portable one. All that sodium_init() does for
// them is to point it at a faster one. That is a plain store, so a program calls it before it
// starts threads; and before it confines itself, for it may open a device. The hash is the same
// either way.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>

#include "base/bytes.hpp"

namespace wyndrvr::crypto {

// Octets of a key, both ends included (libsodium's bounds). The protocol's own keys have 32.
inline constexpr std::size_t kMinHashKeySize = 16;
inline constexpr std::size_t kMaxHashKeySize = 64;

// The lengths that dialect 1 uses; each length is a function of its own, not a cut of a longer one.
template <std::size_t kSize>
concept HashSize = kSize == 16 || kSize == 32 || kSize == 64;

// Hashes the parts one after another, as if they were one. Where parts are cut is not hashed: a
// caller's parts have fixed lengths, all but one. `out` has one of the HashSizes.
void keyed_hash_into(MutableByteView out, ByteView key, std::initializer_list<ByteView> parts);

template <std::size_t kSize>
  requires HashSize<kSize>
[[nodiscard]] std::array<std::byte, kSize> keyed_hash(ByteView key,
                                                      std::initializer_list<ByteView> parts) {
  std::array<std::byte, kSize> hash;
  keyed_hash_into(hash, key, parts);
  return hash;
}

// In a time that does not depend on the octets (sodium_memcmp), only on the lengths; views of
// different lengths are not equal.
[[nodiscard]] bool equal(ByteView a, ByteView b);

}  // namespace wyndrvr::crypto
