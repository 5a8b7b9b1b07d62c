#include "crypto/blake2b.hpp"

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/utils.h>

#include "base/check.hpp"

namespace wyndrvr::crypto {
namespace {

static_assert(kMinHashKeySize == crypto_generichash_blake2b_KEYBYTES_MIN);
static_assert(kMaxHashKeySize == crypto_generichash_blake2b_KEYBYTES_MAX);

constexpr bool is_hash_size(std::size_t size) {
  return size == 16 || size == 32 || size == 64;
}

const unsigned char* octets_of(ByteView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

}  // namespace

void keyed_hash_into(MutableByteView out, ByteView key, std::initializer_list<ByteView> parts) {
  // Without this check libsodium would take an empty key for a hash without one.
  WYNDRVR_CHECK(key.size() >= kMinHashKeySize && key.size() <= kMaxHashKeySize);
  WYNDRVR_CHECK(is_hash_size(out.size()));
  crypto_generichash_blake2b_state state;
  WYNDRVR_CHECK(crypto_generichash_blake2b_init(&state, octets_of(key), key.size(), out.size()) ==
                0);
  for (const ByteView part : parts) {
    if (part.empty()) continue;
    WYNDRVR_CHECK(crypto_generichash_blake2b_update(&state, octets_of(part), part.size()) == 0);
  }
  auto* hash = reinterpret_cast<unsigned char*>(out.data());
  WYNDRVR_CHECK(crypto_generichash_blake2b_final(&state, hash, out.size()) == 0);
  // The state is as good as the key, and libsodium leaves it as it is.
  sodium_memzero(&state, sizeof state);
}

bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace wyndrvr::crypto
