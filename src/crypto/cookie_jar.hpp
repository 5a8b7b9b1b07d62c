// CookieJar: makes and checks the stateless cookies of dialect 1 (docs/PROTOCOL.md, COOKIE). A
// client that returns one has shown that it receives what is sent to its address and port.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +---------------------------------------------------------------+
// |                             slot                              |
// +---------------------------------------------------------------+
// |       BLAKE2b-128 under the slot's secret, of the label,      |
// |     family, address, scope, port, slot and client's nonce     |
// |                                                               |
// |                                                               |
// +---------------------------------------------------------------+
//
// Slots are 30 s long. Their numbers begin at random, for a number taken from the clock would tell
// everyone how long the machine is up. The jar keeps the secrets of the present slot and of the
// one before, so a cookie is good for at least 30 s and at most 60 s. It remembers no client: the
// same cookie is good as often as it comes.
//
// Invariants: nothing is allocated; a secret is drawn at most once a slot, with the first cookie
// that is made or checked in it, and wiped with the second slot after it. Time that goes back is
// taken as standing still. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "crypto/nonce.hpp"
#include "crypto/secret.hpp"

namespace wyndrvr::crypto {

using Cookie = std::array<std::byte, 20>;

enum class CookieCheck : std::uint8_t {
  kGood,
  // Of a slot that is over: as its secret is gone, nobody can say whether it ever was good.
  kExpired,
  kForged,
};

class CookieJar {
 public:
  static constexpr Duration kSlotLength = 30s;

  // Fills all of the view with unpredictable octets.
  using FillRandom = std::function<void(MutableByteView)>;

  explicit CookieJar(FillRandom fill_random);

  [[nodiscard]] Cookie make(Instant now, const Endpoint& client, const Nonce& nonce);
  [[nodiscard]] CookieCheck check(Instant now, const Endpoint& client, const Nonce& nonce,
                                  const Cookie& cookie);

 private:
  struct Slot {
    bool used = false;
    std::uint32_t number = 0;  // as in cookies
    Secret<32> secret;
  };

  void advance_to(Instant now);
  [[nodiscard]] const Slot* find(std::uint32_t number) const;
  [[nodiscard]] static Cookie bake(const Slot& slot, const Endpoint& client, const Nonce& nonce);

  FillRandom fill_random_;
  std::uint32_t first_number_ = 0;  // of the slot in which the clock stood at zero
  std::int64_t present_index_ = 0;  // slots since the clock stood at zero
  Slot present_;
  Slot last_;
};

}  // namespace wyndrvr::crypto
