#include "crypto/path_nonces.hpp"

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/utils.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "crypto/endpoint_octets.hpp"

namespace wyndrvr::crypto {
namespace {

constexpr std::string_view kClientPathLabel = "wyndrvr client path 1";
constexpr std::string_view kServerPathLabel = "wyndrvr server path 1";
constexpr std::size_t kPathKeySize = 32;
constexpr std::size_t kPathHashSize = 8;

std::array<std::byte, 3> path_octets(PathId path) {
  std::array<std::byte, 3> octets{};
  base::ByteWriter writer(octets);
  writer.put(path.port, 1);
  writer.put(path.stream, 2);
  return octets;
}

const unsigned char* hash_input(ByteView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

// Where parts are cut is not hashed: all have fixed lengths. BLAKE2b-64 is a function of its own,
// not a cut of a longer one, and is none of those that keyed_hash offers.
std::uint64_t path_hash(std::span<const std::byte, kPathKeySize> key,
                        std::initializer_list<ByteView> parts) {
  crypto_generichash_blake2b_state state;
  WYNDRVR_CHECK(
      crypto_generichash_blake2b_init(&state, hash_input(key), key.size(), kPathHashSize) == 0);
  for (const ByteView part : parts) {
    WYNDRVR_CHECK(crypto_generichash_blake2b_update(&state, hash_input(part), part.size()) == 0);
  }
  std::array<std::byte, kPathHashSize> hash{};
  auto* out = reinterpret_cast<unsigned char*>(hash.data());
  WYNDRVR_CHECK(crypto_generichash_blake2b_final(&state, out, hash.size()) == 0);
  // The state is as good as the key, and libsodium leaves it as it is.
  sodium_memzero(&state, sizeof state);
  return base::load_big_endian(hash.data(), hash.size());
}

}  // namespace

std::uint64_t client_path_nonce(const Handshake& handshake, PathId path) {
  std::array<std::byte, kPathKeySize> key{};
  base::ByteWriter writer(key);
  writer.put_bytes(handshake.client_nonce);
  writer.put_bytes(handshake.server_nonce);
  std::array<std::byte, sizeof handshake.session> session{};
  base::store_big_endian(session.data(), handshake.session, session.size());
  return path_hash(key, {as_bytes(kClientPathLabel), session, path_octets(path)});
}

std::uint64_t server_path_nonce(const Secret<32>& secret, const Endpoint& client, PathId path) {
  return path_hash(secret.view().first<kPathKeySize>(),
                   {as_bytes(kServerPathLabel), endpoint_octets(client), path_octets(path)});
}

}  // namespace wyndrvr::crypto
