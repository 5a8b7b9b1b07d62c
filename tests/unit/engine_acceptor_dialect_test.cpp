// Whom the acceptor answers, in which dialect; and what a flood costs it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "unit/allocation_counter.hpp"
#include "unit/engine_acceptor_support.hpp"

namespace wyndrvr::engine {
namespace acceptor_dialect_test {

using namespace testing;
using wyndrvr::testing::allocations_during;

class AcceptorDialectTest : public AcceptorTest {
 protected:
  void make_with(DialectChoice dialect) {
    config.dialect = dialect;
    make();
  }
  const Opening run;
};

TEST_F(AcceptorDialectTest, AutoAnswersEitherInItsOwnDialect) {
  make_with(DialectChoice::kAuto);
  EXPECT_TRUE(answer_as<wire::Cookie>(answer(send(run.from, run.hello()))));
  EXPECT_TRUE(find<BindPorts>(connect(run.from)));
  EXPECT_TRUE(find<BindPorts>(open({.from = client_at(50'001)})));
  EXPECT_EQ(acceptor->session_count(), 2U);
}

TEST_F(AcceptorDialectTest, OriginalTakesHelloForConnectAndKnowsNothingElse) {
  make_with(DialectChoice::kOriginal);
  EXPECT_FALSE(bind(send(run.from, run.hello())).path);
  EXPECT_TRUE(last_sent.starts_with("7000,7001,7002,")) << last_sent;
  EXPECT_TRUE(send(client_at(50'001), run.open({}, {})).empty());
  EXPECT_EQ(acceptor->session_count(), 1U);
}

TEST_F(AcceptorDialectTest, OneIgnoresConnectInSilence) {
  make_with(DialectChoice::kOne);
  EXPECT_TRUE(connect(run.from).empty());
  EXPECT_EQ(acceptor->ignored(), 1U);
  EXPECT_TRUE(admit(run).path);
}

TEST_F(AcceptorDialectTest, RequiredKeyMeansDialectOneOnly) {
  for (const DialectChoice dialect : {DialectChoice::kAuto, DialectChoice::kOriginal}) {
    config.key_required = true;
    config.keys = {test_key(3, 0x11)};
    make_with(dialect);
    EXPECT_TRUE(connect(run.from).empty());
    EXPECT_EQ(refusal_of(open(run)), wire::RefuseReason::kKeyNeeded);
    EXPECT_EQ(acceptor->session_count(), 0U);
    EXPECT_TRUE(admit({.key = test_key(3, 0x11)}).path->keys);
  }
}

TEST_F(AcceptorDialectTest, DeniedAddressesGetNothingAtAll) {
  config.deny = {parse_network("192.0.2.0/24").value()};
  make_with(DialectChoice::kAuto);
  EXPECT_TRUE(connect(run.from).empty());
  EXPECT_TRUE(send(run.from, run.hello()).empty());
  EXPECT_EQ(acceptor->ignored(), 2U);
  EXPECT_TRUE(admit({.from = client_at(50'000, "198.51.100.1")}).path);
}

TEST_F(AcceptorDialectTest, WhereSomeAreAllowedTheOthersGetNothing) {
  config.allow = {parse_network("192.0.2.0/24").value(), parse_network("2001:db8::/32").value()};
  config.deny = {parse_network("192.0.2.128/25").value()};
  make_with(DialectChoice::kAuto);
  EXPECT_TRUE(admit(run).path);
  EXPECT_TRUE(admit({.from = client_at(50'000, "2001:db8::7")}).path);
  EXPECT_TRUE(connect(client_at(50'000, "198.51.100.1")).empty());
  const Opening denied{.from = client_at(50'000, "192.0.2.200")};
  EXPECT_TRUE(send(denied.from, denied.hello()).empty()) << "denied within what is allowed";
}

TEST_F(AcceptorDialectTest, DatagramsOfNoDialectAreIgnored) {
  make_with(DialectChoice::kAuto);
  for (const std::string& octets : {std::string(), std::string("CONNECT "), std::string(512, 'x'),
                                    run.hello().substr(1), run.hello() + "x", run.open({}, {})}) {
    EXPECT_TRUE(send(run.from, octets).empty());
  }
  EXPECT_EQ(acceptor->ignored(), 6U);
}

// --- a source that has not brought its cookie back ---

class AcceptorFloodTest : public AcceptorDialectTest {
 protected:
  static constexpr std::uint32_t kDatagrams = 100'000;

  static Endpoint forged(std::uint32_t number) {
    Endpoint from = client_at(static_cast<std::uint16_t>(1 + number % 50'000));
    from.address.octets[2] = static_cast<std::uint8_t>(number >> 8U);
    from.address.octets[3] = static_cast<std::uint8_t>(number);
    return from;
  }
  // As a host does; what is sent back is at most what came.
  void flood(ByteView octets, std::uint32_t number) {
    acceptor->on_datagram(kStart + 10us * number, forged(number), kMainAddress, octets);
    while (const auto effect = acceptor->poll_effect()) {
      const auto* sent = std::get_if<SendFromMain>(&*effect);
      only_answers = only_answers && sent != nullptr;
      if (sent != nullptr) octets_sent += sent->size;
    }
    octets_received += octets.size();
  }
  bool only_answers = true;
  std::size_t octets_sent = 0;
  std::size_t octets_received = 0;
};

TEST_F(AcceptorFloodTest, CostsNoMemoryNoReportAndNoMoreOctetsThanItBrings) {
  make_with(DialectChoice::kAuto);
  const std::string hello = run.hello();
  const std::string forged_open = run.open(cookie_for(run), wanted);  // of another address
  const std::string guessed_open = run.open({7, {}}, wanted);
  PathSetup nobodys;
  const std::string forged_close = run.close(nobodys);
  const std::array<ByteView, 3> forgeries = {as_bytes(forged_open), as_bytes(guessed_open),
                                             as_bytes(forged_close)};
  flood(as_bytes(hello), 0);
  EXPECT_EQ(allocations_during([&] {
              for (std::uint32_t i = 1; i < kDatagrams; ++i) {
                flood(as_bytes(hello), i);
                flood(forgeries[i % forgeries.size()], i);
              }
            }),
            0U);
  EXPECT_TRUE(only_answers) << "no ports, no session, no report";
  EXPECT_EQ(acceptor->session_count(), 0U);
  EXPECT_EQ(acceptor->free_ports(), 12U);
  EXPECT_EQ(octets_sent, kDatagrams * wire::kCookieSize) << "one COOKIE for each HELLO";
  EXPECT_LT(octets_sent, octets_received);
  EXPECT_EQ(acceptor->ignored(), kDatagrams - 1);
}

TEST_F(AcceptorFloodTest, DoesNotKeepAClientOut) {
  make_with(DialectChoice::kAuto);
  const std::string hello = run.hello();
  const wire::CookieValue cookie = cookie_for(run);
  for (std::uint32_t i = 0; i < 1000; ++i) flood(as_bytes(hello), i);
  EXPECT_TRUE(bind(send(run.from, run.open(cookie, wanted), kStart + 1s)).path);
}

}  // namespace acceptor_dialect_test
}  // namespace wyndrvr::engine
