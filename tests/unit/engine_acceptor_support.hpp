// What the tests of Acceptor share: an acceptor whose host is the test, and a client of dialect 1
// that makes its datagrams by hand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "engine/acceptor.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::engine::testing {

using AcceptorEffects = std::vector<AcceptorEffect>;

inline const IpAddress kMainAddress = address("192.0.2.9");

inline Endpoint client_at(std::uint16_t port, std::string_view host = "192.0.2.1") {
  return endpoint(host, port);
}

template <class Wanted>
std::optional<Wanted> find(const AcceptorEffects& all) {
  for (const AcceptorEffect& effect : all) {
    if (const auto* found = std::get_if<Wanted>(&effect)) return *found;
  }
  return std::nullopt;
}
template <class Wanted>
std::size_t count(const AcceptorEffects& all) {
  std::size_t number = 0;
  for (const AcceptorEffect& effect : all) number += std::holds_alternative<Wanted>(effect) ? 1 : 0;
  return number;
}

// Octets of what is sent; empty where nothing is.
inline std::string answer(const AcceptorEffects& all) {
  const auto send = find<SendFromMain>(all);
  return send ? std::string(as_text(ByteView(send->bytes).first(send->size))) : "";
}

// Parsed, as a client of dialect 1 sees it.
template <class Wanted>
std::optional<Wanted> answer_as(const std::string& octets) {
  const auto packet = wire::parse_from_server(as_bytes(octets));
  if (!packet || !std::holds_alternative<Wanted>(*packet)) return std::nullopt;
  return std::get<Wanted>(*packet);
}

inline crypto::Key test_key(std::uint32_t id, unsigned char octet) {
  crypto::Key key;
  key.id = id;
  std::memset(key.octets.writable().data(), octet, crypto::kKeySize);
  return key;
}

// One run of a client: its nonce, and its key where it has one.
struct Opening {
  Endpoint from = client_at(50'000);
  unsigned char nonce = 1;
  std::optional<crypto::Key> key{};

  [[nodiscard]] wire::Nonce client_nonce() const {
    wire::Nonce octets{};
    octets.fill(std::byte{nonce});
    return octets;
  }
  [[nodiscard]] std::string hello() const {
    std::array<std::byte, wire::kMaxHandshakeSize> out{};
    return text(out, wire::write_handshake(out, wire::Hello{client_nonce()}));
  }
  [[nodiscard]] std::string open(const wire::CookieValue& cookie,
                                 const wire::SessionFields& wanted) const {
    std::array<std::byte, wire::kMaxHandshakeSize> out{};
    wire::Open open{client_nonce(), cookie, wanted, std::nullopt};
    if (key) open.proof.emplace(wire::KeyProof{{key->id}, {}});
    const std::size_t size = wire::write_handshake(out, open);
    const MutableByteView written = MutableByteView(out).first(size);
    if (key) {
      wire::set_mac(written,
                    crypto::open_mac(crypto::derive_open_key(*key), wire::signed_part(written)));
    }
    return text(out, size);
  }
  // Of the session that `path` is the server's view of.
  [[nodiscard]] std::string close(const PathSetup& path) const {
    std::array<std::byte, wire::kMaxHandshakeSize> out{};
    wire::Close close{.client_nonce = client_nonce(),
                      .session = {path.handshake.session},
                      .reason = wire::CloseReason::kDone};
    if (key) close.signature.emplace();
    const std::size_t size = wire::write_handshake(out, close, wire::Sender::kClient);
    const MutableByteView written = MutableByteView(out).first(size);
    if (key) {
      const auto keys = crypto::derive_session_keys(*key, path.handshake);
      wire::set_mac(written,
                    crypto::packet_mac(keys.client_to_server, Port{0}, wire::signed_part(written)));
    }
    return text(out, size);
  }

 private:
  static std::string text(ByteView out, std::size_t size) {
    return std::string(as_text(out.first(size)));
  }
};

class AcceptorTest : public ::testing::Test {
 protected:
  void make(std::uint16_t first_port = 7000, std::uint16_t last_port = 7011) {
    config.port_ranges = {{{first_port}, {last_port}}};
    acceptor.emplace(config, [this](MutableByteView out) {
      for (std::byte& octet : out) octet = static_cast<std::byte>(random());
    });
  }
  AcceptorEffects send(const Endpoint& from, std::string_view octets, Instant now = kStart) {
    acceptor->on_datagram(now, from, kMainAddress, as_bytes(octets));
    return effects();
  }
  AcceptorEffects effects() {
    AcceptorEffects all;
    while (auto effect = acceptor->poll_effect()) all.push_back(std::move(*effect));
    return all;
  }

  // --- 0.14 ---
  AcceptorEffects connect(const Endpoint& from, Instant now = kStart) {
    return send(from, wire::kConnect, now);
  }
  // CONNECT and the binding of its ports.
  SessionSetup accept(const Endpoint& from, Instant now = kStart) {
    return bind(connect(from, now), now);
  }

  // --- dialect 1 ---
  wire::CookieValue cookie_for(const Opening& run, Instant now = kStart) {
    const auto cookie = answer_as<wire::Cookie>(answer(send(run.from, run.hello(), now)));
    EXPECT_TRUE(cookie);
    return cookie ? cookie->value : wire::CookieValue{};
  }
  // HELLO and OPEN; what came of the latter.
  AcceptorEffects open(const Opening& run, Instant now = kStart) {
    return send(run.from, run.open(cookie_for(run, now), wanted), now);
  }
  // HELLO, OPEN and the binding of its ports.
  SessionSetup admit(const Opening& run, Instant now = kStart) { return bind(open(run, now), now); }
  std::optional<wire::RefuseReason> refusal_of(const AcceptorEffects& all) {
    const auto refuse = answer_as<wire::Refuse>(answer(all));
    return refuse ? std::optional(refuse->reason) : std::nullopt;
  }

  // The host binds what it is asked to; `last_sent` is what the client then has.
  SessionSetup bind(const AcceptorEffects& all, Instant now = kStart,
                    std::optional<std::uint32_t> max_payload = {}) {
    const auto wanted_ports = find<BindPorts>(all);
    if (!wanted_ports) return {};
    acceptor->on_bound(now, wanted_ports->id, max_payload);
    const auto after = effects();
    last_sent = answer(after);
    const auto launched = find<LaunchSession>(after);
    EXPECT_TRUE(launched);
    return launched ? launched->setup : SessionSetup{};
  }

  ServerConfig config;
  base::Random random{3};
  std::optional<Acceptor> acceptor;
  wire::SessionFields wanted;  // by clients of dialect 1
  std::string last_sent;
};

}  // namespace wyndrvr::engine::testing
