#include "engine/handshake_server.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.hpp"
#include "crypto/blake2b.hpp"
#include "engine/overloaded.hpp"

namespace wyndrvr::engine {
namespace {

constexpr std::size_t kSlotOctets = 4;

wire::CookieValue to_wire(const crypto::Cookie& cookie) {
  wire::CookieValue value;
  value.slot = static_cast<std::uint32_t>(base::load_big_endian(cookie.data(), kSlotOctets));
  std::memcpy(value.hash.data(), cookie.data() + kSlotOctets, value.hash.size());
  return value;
}

crypto::Cookie from_wire(const wire::CookieValue& value) {
  crypto::Cookie cookie{};
  base::store_big_endian(cookie.data(), value.slot, kSlotOctets);
  std::memcpy(cookie.data() + kSlotOctets, value.hash.data(), value.hash.size());
  return cookie;
}

}  // namespace

HandshakeServer::HandshakeServer(crypto::CookieJar::FillRandom fill_random,
                                 const std::vector<crypto::Key>& keys, KeyPolicy policy)
    : cookies_(std::move(fill_random)), keys_(keys), policy_(policy) {}

HandshakeServer::Step HandshakeServer::on_datagram(Instant now, const Endpoint& from,
                                                   ByteView datagram) {
  const auto packet = wire::parse_from_client(datagram);
  if (!packet) {
    if (const auto nonce = wire::find_nonce_of_other_dialect(datagram)) {
      return make_refusal(*nonce, wire::RefuseReason::kUnknownDialect);
    }
    return packet.error();
  }
  return std::visit(Overloaded{
                        [&](const wire::Hello& hello) -> Step {
                          return make_cookie(now, from, hello.client_nonce);
                        },
                        [&](const wire::Open& open) -> Step { return on_open(now, from, open); },
                        [&](const wire::Close& close) -> Step { return close; },
                    },
                    *packet);
}

HandshakeAnswer HandshakeServer::make_cookie(Instant now, const Endpoint& from,
                                             const wire::Nonce& nonce) {
  HandshakeAnswer answer;
  answer.size = wire::write_handshake(
      answer.bytes, wire::Cookie{nonce, to_wire(cookies_.make(now, from, nonce))});
  return answer;
}

// The cookie before all else: whoever forges an address costs one hash.
HandshakeServer::Step HandshakeServer::on_open(Instant now, const Endpoint& from,
                                               const wire::Open& open) {
  switch (cookies_.check(now, from, open.client_nonce, from_wire(open.cookie))) {
    case crypto::CookieCheck::kForged:
      return wire::DropReason::kStranger;
    case crypto::CookieCheck::kExpired:
      return make_cookie(now, from, open.client_nonce);
    case crypto::CookieCheck::kGood:
      break;
  }
  Admission admission{open.client_nonce, open.wanted, nullptr};
  if (!open.proof) {
    if (policy_ == KeyPolicy::kWelcome) return admission;
    return make_refusal(open.client_nonce, wire::RefuseReason::kKeyNeeded);
  }
  admission.key = find_key(open.proof->key);
  if (admission.key == nullptr) {
    return make_refusal(open.client_nonce, wire::RefuseReason::kUnknownKey);
  }
  const crypto::Mac expected =
      crypto::open_mac(crypto::derive_open_key(*admission.key), open.proof->signature.signed_part);
  if (!crypto::equal(expected, open.proof->signature.mac)) {
    return make_refusal(open.client_nonce, wire::RefuseReason::kWrongMac);
  }
  return admission;
}

const crypto::Key* HandshakeServer::find_key(wire::KeyId id) const {
  const auto found = std::ranges::find(keys_, id.value, &crypto::Key::id);
  return found == keys_.end() ? nullptr : &*found;
}

HandshakeAnswer make_refusal(const wire::Nonce& nonce, wire::RefuseReason reason,
                             std::optional<Duration> come_again_after, const crypto::Key* key) {
  HandshakeAnswer answer;
  wire::Refuse refuse;
  refuse.client_nonce = nonce;
  refuse.reason = reason;
  refuse.come_again_after = come_again_after;
  if (key != nullptr) refuse.signature.emplace();
  answer.size = wire::write_handshake(answer.bytes, refuse);
  if (key == nullptr) return answer;
  const MutableByteView written = MutableByteView(answer.bytes).first(answer.size);
  wire::set_mac(written,
                crypto::refuse_mac(crypto::derive_refuse_key(*key), wire::signed_part(written)));
  return answer;
}

}  // namespace wyndrvr::engine
