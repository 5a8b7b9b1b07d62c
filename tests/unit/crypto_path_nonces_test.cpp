// The path nonces against values that Python's hashlib made, and that all of them differ.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "base/endpoint.hpp"
#include "crypto/path_nonces.hpp"
#include "unit/allocation_counter.hpp"
#include "unit/crypto_test_support.hpp"

namespace wyndrvr::crypto {
namespace path_nonces_test {

using testing::counted_octets;

const Handshake kHandshake{.client_nonce = counted_octets<16>(0x10),
                           .server_nonce = counted_octets<16>(0x20),
                           .session = 0x0102030405060708};

Secret<32> secret_from(std::size_t first) {
  Secret<32> secret;
  const auto octets = counted_octets<32>(first);
  base::ByteWriter(secret.writable()).put_bytes(octets);
  return secret;
}

Endpoint client_at(std::string_view address, std::uint16_t port = 40'000) {
  return {parse_ip(address).value(), Port{port}};
}

constexpr PathId kControl{};
constexpr PathId kUpload{.port = 1};
constexpr PathId kDownload{.port = 2};

// Python: hashlib.blake2b(b'wyndrvr client path 1' + struct.pack('>QBH', 0x0102030405060708, port,
// stream), key=bytes(range(0x10, 0x30)), digest_size=8).hexdigest()
TEST(ClientPathNonce, AgreesWithAnotherImplementation) {
  EXPECT_EQ(client_path_nonce(kHandshake, kControl), 0x271279a41c5378e8U);
  EXPECT_EQ(client_path_nonce(kHandshake, kUpload), 0x5ea6c2aa4b038a1cU);
  EXPECT_EQ(client_path_nonce(kHandshake, kDownload), 0x816994f1ea925382U);
  EXPECT_EQ(client_path_nonce(kHandshake, {.port = 1, .stream = 1}), 0x8843aaca6e92d1d1U);
  EXPECT_EQ(client_path_nonce(kHandshake, {.port = 2, .stream = 63}), 0x5335365f77b6c6b3U);
  EXPECT_EQ(client_path_nonce(kHandshake, {.port = 1, .stream = 0x0102}), 0x5a6fd4124c3974ccU);
}

// Python: the same with b'wyndrvr server path 1', the family in one octet, the address in 16
// (ipaddress.ip_address(address).packed, of IPv4 behind 10 zeros and two octets ff), and
// struct.pack('>IHBH', scope, client's port, port, stream), under key=bytes(range(0x40, 0x60)).
TEST(ServerPathNonce, AgreesWithAnotherImplementation) {
  const Secret<32> secret = secret_from(0x40);
  EXPECT_EQ(server_path_nonce(secret, client_at("192.0.2.7"), kControl), 0xf303df4f708b25fdU);
  EXPECT_EQ(server_path_nonce(secret, client_at("192.0.2.7"), {.port = 2, .stream = 5}),
            0x45d4e434bdd9ab64U);
  EXPECT_EQ(server_path_nonce(secret, client_at("2001:db8::7"), kUpload), 0x2ac32884107eaebeU);
  EXPECT_EQ(server_path_nonce(secret, client_at("fe80::1%2", 40'001), {.port = 1, .stream = 63}),
            0xff82b090887587aaU);
}

TEST(PathNonces, EveryPathOfASessionHasOthersInBothDirections) {
  const Secret<32> secret = secret_from(0x40);
  std::set<std::uint64_t> nonces = {client_path_nonce(kHandshake, kControl),
                                    server_path_nonce(secret, client_at("192.0.2.7"), kControl)};
  for (const std::uint8_t port : {std::uint8_t{1}, std::uint8_t{2}}) {
    for (std::uint16_t stream = 0; stream < 64; ++stream) {
      const PathId path{.port = port, .stream = stream};
      nonces.insert(client_path_nonce(kHandshake, path));
      nonces.insert(server_path_nonce(secret, client_at("192.0.2.7"), path));
    }
  }
  EXPECT_EQ(nonces.size(), 2U * (1 + 2 * 64));
}

TEST(ClientPathNonce, ChangesWithTheSessionAndEachNonceOfTheHandshake) {
  const std::uint64_t nonce = client_path_nonce(kHandshake, kUpload);
  for (std::size_t i = 0; i < 16; ++i) {
    Handshake other = kHandshake;
    other.client_nonce[i] ^= std::byte{1};
    EXPECT_NE(client_path_nonce(other, kUpload), nonce) << "octet " << i;
    other = kHandshake;
    other.server_nonce[i] ^= std::byte{1};
    EXPECT_NE(client_path_nonce(other, kUpload), nonce) << "octet " << i;
  }
  for (std::size_t bit = 0; bit < 64; ++bit) {
    Handshake other = kHandshake;
    other.session ^= std::uint64_t{1} << bit;
    EXPECT_NE(client_path_nonce(other, kUpload), nonce) << "bit " << bit;
  }
}

TEST(ClientPathNonce, TheTwoSidesNoncesAreNotInterchangeable) {
  Handshake swapped = kHandshake;
  std::swap(swapped.client_nonce, swapped.server_nonce);
  EXPECT_NE(client_path_nonce(swapped, kUpload), client_path_nonce(kHandshake, kUpload));
}

TEST(ServerPathNonce, ChangesWithTheEndpoint) {
  const Secret<32> secret = secret_from(0x40);
  std::set<std::uint64_t> nonces;
  for (const Endpoint& client :
       {client_at("192.0.2.7"), client_at("192.0.2.8"), client_at("192.0.2.7", 40'001),
        client_at("::ffff:c000:207"), client_at("2001:db8::7"), client_at("fe80::1%2"),
        client_at("fe80::1%3")}) {
    nonces.insert(server_path_nonce(secret, client, kUpload));
  }
  EXPECT_EQ(nonces.size(), 7U);
}

TEST(ServerPathNonce, IsAnotherOneInASessionWithAnotherSecret) {
  EXPECT_NE(server_path_nonce(secret_from(0x40), client_at("192.0.2.7"), kControl),
            server_path_nonce(secret_from(0x41), client_at("192.0.2.7"), kControl));
}

TEST(PathNonces, AllocateNothing) {
  const Secret<32> secret = secret_from(0x40);
  const Endpoint client = client_at("192.0.2.7");
  std::uint64_t sum = 0;
  EXPECT_EQ(wyndrvr::testing::allocations_during([&] {
              sum += client_path_nonce(kHandshake, kUpload);
              sum += server_path_nonce(secret, client, kUpload);
            }),
            0U);
  EXPECT_NE(sum, 0U);
}

}  // namespace path_nonces_test
}  // namespace wyndrvr::crypto
