// The two halves of dialect 1's handshake against each other, over a path that the test controls.
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "engine/handshake_client.hpp"
#include "engine/handshake_server.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace handshake_test {

using testing::endpoint;
using testing::kStart;
using Dialects = HandshakeClient::Dialects;
using KeyPolicy = HandshakeServer::KeyPolicy;
using Octets = std::vector<std::byte>;

constexpr Port kMainPortInMac{0};

crypto::Key key_of(std::uint32_t id, unsigned char octet) {
  crypto::Key key;
  key.id = id;
  std::memset(key.octets.writable().data(), octet, crypto::kKeySize);
  return key;
}

// A server with an acceptor that grants everything, and counts.
class TestServer {
 public:
  explicit TestServer(std::vector<crypto::Key> keys = {}, KeyPolicy policy = KeyPolicy::kWelcome,
                      std::uint64_t seed = 1)
      : random_(seed),
        keys_(std::move(keys)),
        server_([this](MutableByteView out) { fill(out); }, keys_, policy) {}

  // What goes back; empty: nothing.
  Octets on_datagram(Instant now, const Endpoint& from, ByteView datagram) {
    const auto step = server_.on_datagram(now, from, datagram);
    if (const auto* answer = std::get_if<HandshakeAnswer>(&step)) return octets(answer->view());
    if (const auto* admission = std::get_if<Admission>(&step)) return admit(*admission);
    return {};
  }

  unsigned admitted = 0;
  std::optional<Duration> busy_for;
  std::optional<wire::SessionFields> wanted;

 private:
  static Octets octets(ByteView view) { return {view.begin(), view.end()}; }
  void fill(MutableByteView out) {
    for (std::byte& octet : out) octet = static_cast<std::byte>(random_());
  }

  Octets admit(const Admission& admission) {
    if (busy_for) {
      const auto busy = make_refusal(admission.client_nonce, wire::RefuseReason::kBusy,
                                     std::exchange(busy_for, std::nullopt));
      return octets(busy.view());
    }
    ++admitted;
    wanted = admission.wanted;
    wire::Grant grant;
    grant.client_nonce = admission.client_nonce;
    grant.session = {77};
    grant.server_nonce.fill(std::byte{5});
    grant.ports = {Port{7000}, Port{7001}, Port{7002}};
    grant.granted = admission.wanted;
    if (admission.key != nullptr) grant.signature.emplace();
    std::array<std::byte, wire::kMaxHandshakeSize> out{};
    const MutableByteView written = MutableByteView(out).first(wire::write_handshake(out, grant));
    if (admission.key != nullptr) {
      const auto keys = crypto::derive_session_keys(
          *admission.key, {grant.client_nonce, grant.server_nonce, grant.session.value});
      wire::set_mac(written, crypto::packet_mac(keys.server_to_client, kMainPortInMac,
                                                wire::signed_part(written)));
    }
    return octets(written);
  }

  base::Random random_;
  std::vector<crypto::Key> keys_;
  HandshakeServer server_;
};

class HandshakeTest : public ::testing::Test {
 protected:
  void begin() {
    options.nonce.fill(std::byte{9});
    client.emplace(options, now);
  }
  // One turn: all that the client sends goes through the path, and back.
  void turn() {
    while (const auto bytes = client->poll_transmit()) {
      ++sent;
      octets_to_server += bytes->size();
      last_sent.assign(bytes->begin(), bytes->end());
      if (random.chance(loss)) continue;
      const Octets answer = server->on_datagram(now, address, last_sent);
      octets_to_client += answer.size();
      EXPECT_LE(answer.size(), last_sent.size()) << "amplifies";
      if (!answer.empty() && !random.chance(loss)) client->on_datagram(now, answer);
    }
  }
  // Until something has come of it.
  std::optional<HandshakeClient::Event> run() {
    for (;;) {
      turn();
      if (auto event = client->poll_event()) return event;
      const auto deadline = client->poll_deadline();
      if (!deadline) return std::nullopt;
      now = *deadline;
      client->on_timer(now);
    }
  }
  template <class Outcome>
  Outcome expect() {
    const auto event = run();
    EXPECT_TRUE(event && std::holds_alternative<Outcome>(*event));
    return event && std::holds_alternative<Outcome>(*event) ? std::get<Outcome>(*event) : Outcome{};
  }

  Instant now = kStart;
  Endpoint address = endpoint("192.0.2.7", 4242);
  HandshakeClient::Options options;
  std::optional<HandshakeClient> client;
  std::optional<TestServer> server{std::in_place};
  base::Random random{7};
  double loss = 0;
  unsigned sent = 0;
  std::size_t octets_to_server = 0;
  std::size_t octets_to_client = 0;
  Octets last_sent;
};

TEST_F(HandshakeTest, TakesTwoRoundTripsAndNoTime) {
  options.wanted.directions = wire::Directions::kDownload;
  begin();
  const auto granted = expect<HandshakeClient::Granted>();
  EXPECT_EQ(granted.grant.session.value, 77U);
  EXPECT_FALSE(granted.keys);
  EXPECT_EQ(server->wanted, options.wanted);
  EXPECT_EQ(sent, 2U);
  EXPECT_EQ(now, kStart);
  EXPECT_LE(octets_to_client, octets_to_server);
  EXPECT_FALSE(client->poll_deadline());
}

TEST_F(HandshakeTest, AHundredOfAHundredSucceedWhereThirtyPerCentAreLostEachWay) {
  loss = 0.3;
  for (int i = 0; i < 100; ++i) {
    now = kStart + i * 60s;
    options.dialects = Dialects::kOneOnly;
    begin();
    (void)expect<HandshakeClient::Granted>();
  }
}

TEST_F(HandshakeTest, AForgedAddressGetsACookieAndNothingElse) {
  begin();
  turn();  // HELLO, COOKIE, OPEN, GRANT
  const Octets open = last_sent;
  EXPECT_EQ(server->admitted, 1U);
  const Endpoint forged = endpoint("198.51.100.1", 4242);
  EXPECT_TRUE(server->on_datagram(now, forged, open).empty());
  EXPECT_EQ(server->admitted, 1U);
}

TEST_F(HandshakeTest, AnExpiredCookieIsRenewedWithinTheStep) {
  begin();
  const Octets hello = [&] {
    const auto bytes = client->poll_transmit();
    return Octets(bytes->begin(), bytes->end());
  }();
  client->on_datagram(now, server->on_datagram(now, address, hello));
  now += 2min;  // the OPEN was long on its way
  (void)expect<HandshakeClient::Granted>();
}

TEST_F(HandshakeTest, AServerThatWasRestartedInBetweenIsAskedForANewCookie) {
  begin();
  const auto hello = client->poll_transmit();
  client->on_datagram(now, server->on_datagram(now, address, *hello));
  server.emplace(std::vector<crypto::Key>{}, KeyPolicy::kWelcome, 2);
  (void)expect<HandshakeClient::Granted>();
}

TEST_F(HandshakeTest, WithAKeyTheGrantIsAuthenticated) {
  const crypto::Key key = key_of(3, 0x11);
  server.emplace(std::vector{key_of(2, 0x22), key});
  options.key = &key;
  begin();
  EXPECT_TRUE(expect<HandshakeClient::Granted>().keys);
}

TEST_F(HandshakeTest, AGrantWithoutItsMacIsNotBelieved) {
  const crypto::Key key = key_of(3, 0x11);
  options.key = &key;
  begin();
  wire::Grant grant;
  grant.client_nonce = options.nonce;
  grant.ports = {Port{7000}, Port{7001}, Port{7002}};
  std::array<std::byte, wire::kMaxHandshakeSize> out{};
  const std::size_t size = wire::write_handshake(out, grant);
  client->on_datagram(now, ByteView(out).first(size));
  EXPECT_FALSE(client->poll_event());
}

TEST_F(HandshakeTest, AnUnknownOrWrongKeyIsAnErrorInTheEnd) {
  const crypto::Key key = key_of(3, 0x11);
  options.key = &key;
  begin();
  EXPECT_EQ(expect<HandshakeClient::Refused>().reason, wire::RefuseReason::kUnknownKey);
  server.emplace(std::vector{key_of(3, 0x12)});
  now = kStart;
  begin();
  EXPECT_EQ(expect<HandshakeClient::Refused>().reason, wire::RefuseReason::kWrongMac);
  EXPECT_EQ(server->admitted, 0U);
}

// A refusal that anybody could have sent: the client goes on asking, and believes it after kDoubt.
TEST_F(HandshakeTest, AnUnsignedRefusalIsBelievedWhenTheDoubtIsOverAndNotBefore) {
  const crypto::Key key = key_of(3, 0x11);
  options.key = &key;
  begin();
  turn();  // HELLO, COOKIE, OPEN, REFUSE
  const Instant refused_at = now;
  EXPECT_FALSE(client->poll_event());
  loss = 1;
  unsigned asked_before = sent;
  while (!client->poll_event()) {
    const auto deadline = client->poll_deadline();
    ASSERT_TRUE(deadline);
    ASSERT_GT(*deadline, now);
    ASSERT_LE(*deadline, refused_at + HandshakeClient::kDoubt);
    client->on_timer(now = *deadline);
    turn();
  }
  EXPECT_EQ(now, refused_at + HandshakeClient::kDoubt);
  EXPECT_GT(sent, asked_before) << "it asks again meanwhile";
}

TEST_F(HandshakeTest, AGrantEndsTheDoubt) {
  const crypto::Key key = key_of(3, 0x11);
  options.key = &key;
  begin();
  turn();  // refused: an unknown key
  server.emplace(std::vector{key});
  (void)expect<HandshakeClient::Granted>();
}

TEST_F(HandshakeTest, AServerThatWantsAKeySaysSo) {
  server.emplace(std::vector{key_of(3, 0x12)}, KeyPolicy::kRequired);
  begin();
  EXPECT_EQ(expect<HandshakeClient::Refused>().reason, wire::RefuseReason::kKeyNeeded);
}

TEST_F(HandshakeTest, BusyMeansLaterAndThenItWorks) {
  server->busy_for = 3s;
  begin();
  EXPECT_EQ(expect<HandshakeClient::Busy>().come_again_after, 3s);
  (void)expect<HandshakeClient::Granted>();
  EXPECT_GE(now, kStart + 3s);
  EXPECT_LE(now, kStart + 3s + from_seconds(3 * HandshakeClient::kBusyJitter));
}

TEST(HandshakeBusy, ClientsThatWaitDoNotComeAllAtOnce) {
  std::set<Duration> waits;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    wire::Nonce nonce;
    nonce.fill(std::byte{1});
    HandshakeClient client({.nonce = nonce, .wanted = {}, .seed = seed}, kStart);
    std::array<std::byte, wire::kMaxHandshakeSize> bytes{};
    std::size_t size = wire::write_handshake(bytes, wire::Cookie{nonce, {1, {}}});
    client.on_datagram(kStart, ByteView(bytes).first(size));
    size = wire::write_handshake(
        bytes, wire::Refuse{nonce, wire::RefuseReason::kBusy, Duration(600s), std::nullopt});
    client.on_datagram(kStart, ByteView(bytes).first(size));
    const auto event = client.poll_event();
    ASSERT_TRUE(event && std::holds_alternative<HandshakeClient::Busy>(*event));
    waits.insert(std::get<HandshakeClient::Busy>(*event).asking_again_in);
  }
  EXPECT_GT(waits.size(), 40U);
  EXPECT_GE(*waits.begin(), 4s);
  EXPECT_LE(*waits.rbegin(), 5s);
}

TEST_F(HandshakeTest, AnOriginalServersFourNumbersEndItInTheFirstExchange) {
  begin();
  client->on_datagram(now, as_bytes("7000,7001,7002,41877"));
  const auto fell_back = expect<HandshakeClient::FellBack>();
  EXPECT_EQ(fell_back.assignment.key, 41877U);
}

TEST_F(HandshakeTest, NobodyFallsBackWhoWasToldNotToOrHasAKey) {
  const crypto::Key key = key_of(3, 0x11);
  for (const bool with_key : {false, true}) {
    options.dialects = with_key ? Dialects::kAuto : Dialects::kOneOnly;
    options.key = with_key ? &key : nullptr;
    begin();
    client->on_datagram(now, as_bytes("7000,7001,7002,41877"));
    EXPECT_FALSE(client->poll_event());
    loss = 1;
    for (int i = 0; i < 30; ++i) {
      turn();
      EXPECT_GT(last_sent.size(), 100U) << "a CONNECT";
      const auto deadline = client->poll_deadline();
      if (deadline) client->on_timer(now = *deadline);
    }
  }
}

TEST_F(HandshakeTest, AServerThatKnowsConnectOnlyIsAskedThatWayInTime) {
  begin();
  loss = 1;
  while (last_sent.size() != wire::kConnect.size()) {
    turn();
    ASSERT_TRUE(client->poll_deadline());
    client->on_timer(now = *client->poll_deadline());
  }
  EXPECT_LE(now - kStart, 3s);
}

TEST_F(HandshakeTest, WithoutAnyAnswerItEnds) {
  loss = 1;
  begin();
  (void)expect<HandshakeClient::NoAnswer>();
  EXPECT_EQ(sent, HandshakeClient::kMostSendings);
  EXPECT_LE(now - kStart, 10s);
}

TEST_F(HandshakeTest, AnswersToAnotherRunAreIgnored) {
  begin();
  wire::Cookie cookie;
  cookie.client_nonce.fill(std::byte{1});
  std::array<std::byte, wire::kMaxHandshakeSize> out{};
  const std::size_t size = wire::write_handshake(out, cookie);
  (void)client->poll_transmit();
  client->on_datagram(now, ByteView(out).first(size));
  EXPECT_FALSE(client->poll_transmit());
}

}  // namespace handshake_test
}  // namespace wyndrvr::engine
