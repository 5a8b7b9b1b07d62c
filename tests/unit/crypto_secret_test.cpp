#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "crypto/secret.hpp"
#include "unit/crypto_test_support.hpp"

namespace wyndrvr::crypto {
namespace secret_test {

using testing::hex;

bool all_zero(ByteView octets) {
  return std::ranges::all_of(octets, [](std::byte octet) { return octet == std::byte{0}; });
}

TEST(Secret, BeginsAsZeros) {
  EXPECT_TRUE(all_zero(Secret<32>().view()));
}

TEST(Secret, IsWipedWhenItGoes) {
  // Storage of our own, so that what the object leaves behind may be read.
  alignas(Secret<32>) std::array<std::byte, sizeof(Secret<32>)> storage{};
  auto* secret = new (storage.data()) Secret<32>();
  std::ranges::fill(secret->writable(), std::byte{0x5a});
  ASSERT_FALSE(all_zero(storage));
  std::destroy_at(secret);
  EXPECT_TRUE(all_zero(storage));
}

TEST(Secret, ACopyOutlivesTheOriginal) {
  Secret<4> copy;
  {
    Secret<4> original;
    std::ranges::fill(original.writable(), std::byte{0x5a});
    copy = original;
  }
  EXPECT_EQ(hex(copy.view()), "5a5a5a5a");
}

TEST(DecodeHex, TakesBothCases) {
  std::array<std::byte, 4> octets{};
  ASSERT_TRUE(decode_hex(octets, "00fFaB12"));
  EXPECT_EQ(hex(octets), "00ffab12");
}

TEST(DecodeHex, RefusesAllElseAndLeavesNothingBehind) {
  const std::string nul("00ff\0b12", 8);
  for (const std::string& text :
       {std::string(), std::string("00ffab1"), std::string("00ffab"), std::string("00ffab123"),
        std::string("00ffab1234"), std::string("00ffabg2"), std::string("00 fab12"),
        std::string("0x00ffab"), std::string("00ffab1\n"), nul}) {
    std::array<std::byte, 4> octets{};
    EXPECT_FALSE(decode_hex(octets, text)) << text;
    EXPECT_TRUE(all_zero(octets)) << text;
  }
}

}  // namespace secret_test
}  // namespace wyndrvr::crypto
