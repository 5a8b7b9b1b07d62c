#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "crypto/cookie_jar.hpp"
#include "unit/allocation_counter.hpp"
#include "unit/crypto_test_support.hpp"

namespace wyndrvr::crypto {
namespace cookie_jar_test {

using testing::counted_octets;
using testing::hex;

constexpr Instant kStart{1'000 * 30s};  // a slot begins here

Endpoint endpoint(std::string_view address, std::uint16_t port = 40'000) {
  return {parse_ip(address).value(), Port{port}};
}

class CookieJarTest : public ::testing::Test {
 protected:
  [[nodiscard]] Cookie make(Instant now) { return jar_.make(now, client_, nonce_); }
  [[nodiscard]] CookieCheck check(Instant now, const Cookie& cookie) {
    return jar_.check(now, client_, nonce_, cookie);
  }
  static std::uint32_t slot_of(const Cookie& cookie) {
    return static_cast<std::uint32_t>(base::load_big_endian(cookie.data(), 4));
  }

  const Endpoint client_ = endpoint("192.0.2.7");
  const Nonce nonce_ = counted_octets<16>(0x10);
  int draws_ = 0;
  base::Random random_{4};
  CookieJar jar_{[this](MutableByteView out) {
    ++draws_;
    for (std::byte& octet : out) octet = static_cast<std::byte>(random_());
  }};
};

TEST_F(CookieJarTest, ACookieIsGoodForItsClientAsOftenAsItComes) {
  const Cookie cookie = make(kStart);
  EXPECT_EQ(check(kStart, cookie), CookieCheck::kGood);
  EXPECT_EQ(check(kStart + 1s, cookie), CookieCheck::kGood);
}

TEST_F(CookieJarTest, AtTheBeginningOfASlotItIsGoodForSixtySeconds) {
  const Cookie cookie = make(kStart);
  EXPECT_EQ(check(kStart + 60s - 1ns, cookie), CookieCheck::kGood);
  EXPECT_EQ(check(kStart + 60s, cookie), CookieCheck::kExpired);
}

TEST_F(CookieJarTest, AtTheEndOfASlotItIsGoodForThirtySeconds) {
  const Instant made = kStart + 30s - 1ns;
  const Cookie cookie = make(made);
  EXPECT_EQ(check(made + 30s, cookie), CookieCheck::kGood);
  EXPECT_EQ(check(made + 30s + 1ns, cookie), CookieCheck::kExpired);
}

TEST_F(CookieJarTest, WheneverMadeItIsGoodForThirtyToSixtySeconds) {
  base::Random random(7);
  Instant made = kStart;
  for (int i = 0; i < 200; ++i) {
    made += Duration(static_cast<std::int64_t>(random.between(0, 100'000'000'000)));
    CookieJar before = jar_;  // each question comes first for one of them
    const Cookie cookie = before.make(made, client_, nonce_);
    CookieJar after = before;
    ASSERT_EQ(before.check(made + 30s, client_, nonce_, cookie), CookieCheck::kGood);
    ASSERT_EQ(after.check(made + 60s, client_, nonce_, cookie), CookieCheck::kExpired);
  }
}

TEST_F(CookieJarTest, OfALongQuietTimeAgoItHasExpired) {
  const Cookie cookie = make(kStart);
  EXPECT_EQ(check(kStart + 24h, cookie), CookieCheck::kExpired);
}

TEST_F(CookieJarTest, FromAnotherAddressOrPortItIsForged) {
  const Cookie cookie = make(kStart);
  for (const Endpoint& other : {endpoint("192.0.2.8"), endpoint("192.0.2.7", 40'001),
                                endpoint("::ffff:c000:207"), endpoint("2001:db8::7")}) {
    EXPECT_EQ(jar_.check(kStart, other, nonce_, cookie), CookieCheck::kForged) << to_string(other);
  }
}

TEST_F(CookieJarTest, OfTheSameLinkLocalAddressOnAnotherLinkItIsForged) {
  const Cookie cookie = jar_.make(kStart, endpoint("fe80::1%2"), nonce_);
  EXPECT_EQ(jar_.check(kStart, endpoint("fe80::1%2"), nonce_, cookie), CookieCheck::kGood);
  EXPECT_EQ(jar_.check(kStart, endpoint("fe80::1%3"), nonce_, cookie), CookieCheck::kForged);
}

TEST_F(CookieJarTest, WithAnotherNonceItIsForged) {
  const Cookie cookie = make(kStart);
  for (std::size_t i = 0; i < nonce_.size(); ++i) {
    Nonce other = nonce_;
    other[i] ^= std::byte{1};
    EXPECT_EQ(jar_.check(kStart, client_, other, cookie), CookieCheck::kForged) << "octet " << i;
  }
}

TEST_F(CookieJarTest, WithAnyBitOfItsHashChangedItIsForged) {
  const Cookie cookie = make(kStart);
  for (std::size_t bit = 32; bit < 8 * cookie.size(); ++bit) {
    Cookie changed = cookie;
    changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_EQ(check(kStart, changed), CookieCheck::kForged) << "bit " << bit;
  }
}

TEST_F(CookieJarTest, MovedToAnotherSlotItIsForged) {
  static_cast<void>(make(kStart - 30s));  // so that the last slot has a secret as well
  const Cookie cookie = make(kStart);
  for (const std::uint32_t step : {1U, 2U, 1'000'000U, ~0U /* the last slot */}) {
    Cookie moved = cookie;
    base::store_big_endian(moved.data(), slot_of(cookie) + step, 4);
    EXPECT_EQ(check(kStart, moved), CookieCheck::kForged) << step;
  }
}

TEST_F(CookieJarTest, OfTheLastSlotWhenNoneWasMadeThereItIsForged) {
  Cookie cookie = make(kStart);
  base::store_big_endian(cookie.data(), slot_of(cookie) - 1, 4);
  EXPECT_EQ(check(kStart, cookie), CookieCheck::kForged);
}

TEST_F(CookieJarTest, OfAnotherServerItIsNeverGood) {
  base::Random random(5);
  CookieJar other([&](MutableByteView out) {
    for (std::byte& octet : out) octet = static_cast<std::byte>(random());
  });
  const Cookie cookie = make(kStart);
  EXPECT_NE(other.check(kStart, client_, nonce_, cookie), CookieCheck::kGood);
}

TEST_F(CookieJarTest, ASecretIsDrawnOnceASlot) {
  const int at_first = draws_;
  for (Duration passed = 0s; passed < 300s; passed += 100ms) {
    static_cast<void>(check(kStart + passed, make(kStart + passed)));
  }
  EXPECT_EQ(draws_ - at_first, 10);
}

TEST_F(CookieJarTest, EverySlotHasAnotherSecret) {
  const Cookie first = make(kStart);
  Cookie second = make(kStart + 30s);
  EXPECT_EQ(slot_of(second), slot_of(first) + 1);
  // Not only because the number is hashed: the secret of the second slot takes none of the first.
  Cookie moved = first;
  base::store_big_endian(moved.data(), slot_of(second), 4);
  EXPECT_EQ(check(kStart + 30s, moved), CookieCheck::kForged);
}

TEST_F(CookieJarTest, TimeThatGoesBackStandsStill) {
  const Cookie cookie = make(kStart);
  const int draws = draws_;
  EXPECT_EQ(make(kStart - 100s), cookie);
  EXPECT_EQ(check(kStart - 100s, cookie), CookieCheck::kGood);
  EXPECT_EQ(draws_, draws);
}

TEST_F(CookieJarTest, NothingIsAllocated) {
  static_cast<void>(make(kStart));
  EXPECT_EQ(wyndrvr::testing::allocations_during([&] {
              for (Duration passed = 0s; passed < 120s; passed += 10s) {
                static_cast<void>(check(kStart + passed, make(kStart + passed)));
              }
            }),
            0U);
}

// Python, with h and the nonce as in crypto_session_keys_test.cpp; the first number drawn is
// 0xfffffffe, 95 s are in the slot 3 after it, and the secret is bytes(range(32)):
//   slot = bytes.fromhex('00000001')
//   v4 = b'\x04' + bytes(10) + b'\xff\xff' + bytes([192, 0, 2, 7]) + bytes(4)
//   v6 = b'\x06' + ipaddress.ip_address('fe80::1').packed + bytes([0, 0, 0, 2])
//   port = (40000).to_bytes(2, 'big')
//   h(bytes(range(32)), b'wyndrvr cookie 1' + v4 + port + slot + nonce, 16)
class KnownCookie : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(KnownCookie, AgreesWithAnIndependentOne) {
  CookieJar jar([](MutableByteView out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i);
    if (out.size() == 4) base::store_big_endian(out.data(), 0xfffffffe, 4);
  });
  const Cookie cookie =
      jar.make(Instant(95s), endpoint(GetParam().first), counted_octets<16>(0x10));
  EXPECT_EQ(hex(cookie), GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(
    Families, KnownCookie,
    ::testing::Values(std::pair("192.0.2.7", "0000000186d6bdf4276780ebad296fcaf3184938"),
                      std::pair("fe80::1%2", "00000001841cef908cda03629ea5827f49909dd8")));

}  // namespace cookie_jar_test
}  // namespace wyndrvr::crypto
