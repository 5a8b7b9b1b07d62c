// What the tests of a ClientSession in dialect 1 share: a server's answers on the main port.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "crypto/session_keys.hpp"
#include "engine/test_terms.hpp"
#include "unit/engine_client_session_support.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::engine::testing {

inline constexpr wire::SessionNumber kSessionNumber{77};

inline crypto::Key some_key(unsigned octet = 4) {
  crypto::Key key;
  key.id = 5;
  key.octets.writable()[0] = static_cast<std::byte>(octet);
  return key;
}

class ClientSessionOneTest : public ClientSessionTest {
 protected:
  ClientSessionOneTest() {
    config.dialect = DialectChoice::kAuto;
    config.nonce.fill(std::byte{7});
    config.terms.directions = wire::Directions::kBoth;
    config.terms.duration = 10s;
    config.terms.rate = BitRate{1e6};
    config.terms.adaptive = false;
    config.terms.streams = 4;
  }
  void make() {
    connects = hellos = 0;
    ClientSessionTest::make();
    (void)watched(effects());
  }

  // --- the server's side ---
  [[nodiscard]] wire::Cookie cookie() const { return {config.nonce, {1, {}}}; }
  [[nodiscard]] wire::Grant grant() const {
    wire::Grant grant;
    grant.client_nonce = config.nonce;
    grant.session = kSessionNumber;
    grant.server_nonce.fill(std::byte{9});
    grant.ports = {{7000}, {7001}, {7002}};
    grant.granted = fields_of(config.terms);
    return grant;
  }
  [[nodiscard]] wire::Refuse refuse(wire::RefuseReason reason,
                                    std::optional<Duration> again = std::nullopt) const {
    return {config.nonce, reason, again, std::nullopt};
  }
  [[nodiscard]] wire::Close close() const {
    wire::Close close;
    close.client_nonce = config.nonce;
    close.session = kSessionNumber;
    close.reason = wire::CloseReason::kServerStops;
    return close;
  }

  // What the session does on an answer; signed with the key, where there is one.
  template <class Answer>
  Effects answer(Answer packet, const std::optional<crypto::Key>& key = std::nullopt,
                 Instant now = kStart, const Endpoint& from = kMain) {
    if constexpr (requires { packet.signature; }) {
      if (key) packet.signature.emplace();
    }
    std::array<std::byte, wire::kMaxHandshakeSize> bytes{};
    std::size_t size = 0;
    if constexpr (std::is_same_v<Answer, wire::Close>) {
      size = wire::write_handshake(bytes, packet, wire::Sender::kServer);
    } else {
      size = wire::write_handshake(bytes, packet);
    }
    const MutableByteView written = MutableByteView(bytes).first(size);
    if (key) {
      const auto keys = crypto::derive_session_keys(
          *key, {config.nonce, grant().server_nonce, kSessionNumber.value});
      wire::set_mac(written,
                    crypto::packet_mac(keys.server_to_client, {0}, wire::signed_part(written)));
    }
    session->on_main_datagram(now, from, written);
    return watched(effects());
  }
  Effects main_says(std::string_view text) { return watched(ClientSessionTest::main_says(text)); }
  Effects wait_until(Instant now) { return watched(ClientSessionTest::wait_until(now)); }

  // Nobody answers; returns what the end brings.
  Effects run_out() {
    Effects last;
    for (int i = 0; i < 100 && !session->finished(); ++i) {
      ended_at = session->poll_deadline()->at;
      last = wait_until(ended_at);
    }
    return last;
  }
  void open_ports(const std::optional<crypto::Key>& key = std::nullopt) {
    config.key = key;
    make();
    (void)answer(cookie());
    (void)answer(grant(), key);
    session->on_ports_open(kStart);
    (void)effects();
  }

  // --- the session's side ---
  // The newest datagram from the main socket, where it is such a one.
  template <class Packet>
  [[nodiscard]] std::optional<Packet> asked() const {
    if (!last_main) return std::nullopt;
    const auto packet = wire::parse_from_client(last_main->view());
    if (!packet || !std::holds_alternative<Packet>(*packet)) return std::nullopt;
    return std::get<Packet>(*packet);
  }
  Effects watched(Effects all) {
    for (const ClientSessionEffect& effect : all) {
      const auto* sent = std::get_if<SendMain>(&effect);
      if (sent == nullptr) continue;
      last_main = *sent;
      connects += sent->size == wire::kConnect.size() ? 1 : 0;
      hellos += asked<wire::Hello>() ? 1 : 0;
    }
    return all;
  }
  // Finish is the last that is heard of it.
  void expect_over(const Effects& all, ProblemCode code) {
    ASSERT_FALSE(all.empty());
    EXPECT_TRUE(std::holds_alternative<Finish>(all.back())) << "the last effect";
    EXPECT_TRUE(session->finished());
    EXPECT_FALSE(session->poll_deadline());
    expect_problem(code);
  }

  std::optional<SendMain> last_main;
  std::size_t hellos = 0;
  std::size_t connects = 0;
  Instant ended_at;
};

}  // namespace wyndrvr::engine::testing
