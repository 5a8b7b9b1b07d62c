// The hash against vectors that others made.
#include <array>
#include <cstddef>
#include <string_view>

#include <gtest/gtest.h>

#include "crypto/blake2b.hpp"
#include "unit/allocation_counter.hpp"
#include "unit/crypto_test_support.hpp"

namespace wyndrvr::crypto {
namespace blake2b_test {

using testing::counted_octets;
using testing::hex;

// The reference implementation's blake2-kat.json, entries of "blake2b" with a key: the key is 00 to
// 3f, the input 00 and up.
TEST(Blake2b, AgreesWithTheReferenceImplementationsVectors) {
  const auto key = counted_octets<64>();
  EXPECT_EQ(hex(keyed_hash<64>(key, {})),
            "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
            "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568");
  EXPECT_EQ(hex(keyed_hash<64>(key, {counted_octets<1>()})),
            "961f6dd1e4dd30f63901690c512e78e4b45e4742ed197c3c5e45c549fd25f2e4"
            "187b0bc9fe30492b16b0d0bc4ef9b0f34c7003fac09a5ef1532e69430234cebd");
  EXPECT_EQ(hex(keyed_hash<64>(key, {counted_octets<255>()})),
            "142709d62e28fcccd0af97fad0f8465b971e82201dc51070faa0372aa43e9248"
            "4be1c1e73ba10906d5d1853db6a4106e0a7bf9800d373d6dee2d46d62ef2a461");
}

// Python: hashlib.blake2b(b'abc', key=bytes(range(32)), digest_size=16, 32 and 64).hexdigest()
TEST(Blake2b, EachLengthIsAFunctionOfItsOwn) {
  const auto key = counted_octets<32>();
  const ByteView input = as_bytes("abc");
  EXPECT_EQ(hex(keyed_hash<16>(key, {input})), "1a64be47e4729d951c302ee543f97cf3");
  EXPECT_EQ(hex(keyed_hash<32>(key, {input})),
            "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
  EXPECT_EQ(hex(keyed_hash<64>(key, {input})),
            "9af0244b7da7fe29d90a89727e06a0c93977ce1ad7edcb76ac0b24142194ea00"
            "c77be4a1d3fededd31d5a593625a508e742fc90d708f8b48a5c246e4e8e42d94");
}

TEST(Blake2b, PartsAreHashedAsIfTheyWereOne) {
  const auto key = counted_octets<32>();
  const auto input = counted_octets<300>();
  const ByteView whole(input);
  const auto expected = keyed_hash<32>(key, {whole});
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const auto hash = keyed_hash<32>(key, {whole.first(cut), {}, whole.subspan(cut)});
    ASSERT_EQ(hex(hash), hex(expected)) << "cut at " << cut;
  }
}

TEST(Blake2b, AllocatesNothing) {
  const auto key = counted_octets<32>();
  const auto input = counted_octets<1400>();
  std::array<std::byte, 16> hash{};
  EXPECT_EQ(wyndrvr::testing::allocations_during(
                [&] { hash = keyed_hash<16>(key, {input, as_bytes("label")}); }),
            0U);
  EXPECT_NE(hash, (std::array<std::byte, 16>{}));
}

TEST(Blake2bDeathTest, AnEmptyKeyIsABugAndNotAHashWithoutAKey) {
  EXPECT_DEATH(static_cast<void>(keyed_hash<16>({}, {})), "bug at");
}

TEST(Blake2bDeathTest, ALengthThatTheProtocolDoesNotUseIsABug) {
  const auto key = counted_octets<32>();
  std::array<std::byte, 20> out{};
  EXPECT_DEATH(keyed_hash_into(out, key, {}), "bug at");
}

TEST(Equal, ComparesEveryOctetAndTheLength) {
  const auto octets = counted_octets<16>();
  EXPECT_TRUE(equal(octets, counted_octets<16>()));
  for (std::size_t i = 0; i < octets.size(); ++i) {
    auto other = octets;
    other[i] ^= std::byte{0x80};
    EXPECT_FALSE(equal(octets, other)) << "octet " << i;
  }
  EXPECT_FALSE(equal(octets, ByteView(octets).first(15)));
  EXPECT_TRUE(equal({}, {}));
}

}  // namespace blake2b_test
}  // namespace wyndrvr::crypto
