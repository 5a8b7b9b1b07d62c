#include "crypto/cookie_jar.hpp"

#include <string_view>
#include <utility>

#include "crypto/blake2b.hpp"
#include "crypto/endpoint_octets.hpp"

namespace wyndrvr::crypto {
namespace {

constexpr std::string_view kCookieLabel = "wyndrvr cookie 1";
constexpr std::size_t kSlotSize = 4;  // octets of the slot's number
constexpr std::size_t kHashSize = 16;
static_assert(sizeof(Cookie) == kSlotSize + kHashSize);

std::int64_t slot_index(Instant now) {
  using Slots = std::chrono::duration<std::int64_t, std::ratio<30>>;
  static_assert(Slots(1) == CookieJar::kSlotLength);
  return std::chrono::floor<Slots>(now.time_since_epoch()).count();
}

}  // namespace

CookieJar::CookieJar(FillRandom fill_random) : fill_random_(std::move(fill_random)) {
  std::array<std::byte, kSlotSize> octets{};
  fill_random_(octets);
  first_number_ = static_cast<std::uint32_t>(base::load_big_endian(octets.data(), kSlotSize));
}

Cookie CookieJar::make(Instant now, const Endpoint& client, const Nonce& nonce) {
  advance_to(now);
  return bake(present_, client, nonce);
}

CookieCheck CookieJar::check(Instant now, const Endpoint& client, const Nonce& nonce,
                             const Cookie& cookie) {
  advance_to(now);
  const auto number = static_cast<std::uint32_t>(base::load_big_endian(cookie.data(), kSlotSize));
  if (const Slot* slot = find(number)) {
    return equal(bake(*slot, client, nonce), cookie) ? CookieCheck::kGood : CookieCheck::kForged;
  }
  // Numbers wrap: the half of them that is behind the present one is over, the rest is to come.
  const std::uint32_t age = present_.number - number;
  constexpr std::uint32_t kSlotsKept = 2;
  constexpr std::uint32_t kHalf = 1U << 31U;
  return age >= kSlotsKept && age < kHalf ? CookieCheck::kExpired : CookieCheck::kForged;
}

void CookieJar::advance_to(Instant now) {
  const std::int64_t index = slot_index(now);
  if (present_.used && index <= present_index_) return;
  const bool follows = present_.used && index == present_index_ + 1;
  last_ = follows ? present_ : Slot{};
  present_index_ = index;
  present_.used = true;
  present_.number = first_number_ + static_cast<std::uint32_t>(index);
  fill_random_(present_.secret.writable());
}

const CookieJar::Slot* CookieJar::find(std::uint32_t number) const {
  if (number == present_.number) return &present_;
  return last_.used && number == last_.number ? &last_ : nullptr;
}

Cookie CookieJar::bake(const Slot& slot, const Endpoint& client, const Nonce& nonce) {
  Cookie cookie;
  const MutableByteView octets(cookie);
  base::store_big_endian(octets.data(), slot.number, kSlotSize);
  keyed_hash_into(
      octets.subspan(kSlotSize), slot.secret.view(),
      {as_bytes(kCookieLabel), endpoint_octets(client), octets.first(kSlotSize), nonce});
  return cookie;
}

}  // namespace wyndrvr::crypto
