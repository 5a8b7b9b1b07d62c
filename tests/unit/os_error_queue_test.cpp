// What comes back through the error queue: transmit stamps and ICMP errors.
#include <ostream>

#include <gtest/gtest.h>

#include "os/host_info.hpp"
#include "os/transmit_stamps.hpp"
#include "os/udp_socket.hpp"
#include "unit/os_loopback.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace error_queue_test {

std::vector<std::uint32_t> tokens_of(UdpSocket& socket, std::size_t count) {
  std::vector<std::uint32_t> tokens;
  static_cast<void>(eventually([&] {
    while (const auto stamp = socket.read_transmit_stamp()) tokens.push_back(stamp->token);
    return tokens.size() >= count;
  }));
  return tokens;
}

struct StampCase {
  bool explicit_ids;
  const char* local;
  const char* peer;

  // Part of the test's name.
  friend void PrintTo(const StampCase& one, std::ostream* out) {
    *out << (one.explicit_ids ? "explicit" : "counted") << " ids from " << one.local << " to "
         << one.peer;
  }
};

class TransmitStamps : public ::testing::TestWithParam<StampCase> {
 protected:
  void SetUp() override {
    if (address(GetParam().local).is_v6() && !ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  }
  static UdpSocket stamping_socket() {
    return open_on(GetParam().local, {.transmit_stamps = true,
                                      .error_queue = true,
                                      .explicit_stamp_ids = GetParam().explicit_ids});
  }
  static SendRequest stamped(const Endpoint& to, std::uint32_t token) {
    SendRequest request = single(to, "stamped");
    request.stamp_token = token;
    return request;
  }
};

TEST_P(TransmitStamps, BelongToTheirTokensWhenOnlySomeSendsAreStamped) {
  UdpSocket sender = stamping_socket();
  UdpSocket receiver = open_on(GetParam().peer, {.receive_buffer = 1'000'000});
  ASSERT_TRUE(sender.transmit_stamps_available());
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < 30; ++i) {
    const bool with_stamp = i % 3 == 1 || i > 25;
    SendRequest request =
        with_stamp ? stamped(receiver.local(), 5'000 - 7 * i) : single(receiver.local(), "plain");
    if (with_stamp) expected.push_back(*request.stamp_token);
    ASSERT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
  }
  EXPECT_EQ(tokens_of(sender, expected.size()), expected);
  EXPECT_EQ(receive_datagrams(receiver, 30).size(), 30U);
}

TEST_P(TransmitStamps, DepartureLiesWithinTheSend) {
  UdpSocket sender = stamping_socket();
  UdpSocket receiver = open_on(GetParam().peer);
  const Instant before = monotonic_now();
  ASSERT_EQ(sender.send(stamped(receiver.local(), 1)).status, SendOutcome::Status::kDone);
  const Instant after = monotonic_now();
  std::optional<TransmitStamp> stamp;
  ASSERT_TRUE(eventually([&] { return (stamp = sender.read_transmit_stamp()).has_value(); }));
  constexpr Duration kSlack = 1ms;  // between two readings of different clocks
  EXPECT_GE(stamp->departure, before - kSlack);
  EXPECT_LE(stamp->departure, after + kSlack);
}

TEST_P(TransmitStamps, StayMatchedAfterAStampedSendFailed) {
  UdpSocket sender = stamping_socket();
  UdpSocket receiver = open_on(GetParam().peer);
  ASSERT_EQ(sender.send(stamped(receiver.local(), 10)).status, SendOutcome::Status::kDone);
  EXPECT_EQ(tokens_of(sender, 1), std::vector<std::uint32_t>{10});
  SendRequest wrong = stamped(receiver.local(), 11);
  wrong.from = address(receiver.local().address.is_v6() ? "2001:db8::7" : "203.0.113.7");
  ASSERT_EQ(sender.send(wrong).status, SendOutcome::Status::kFailed);
  ASSERT_EQ(sender.send(stamped(receiver.local(), 12)).status, SendOutcome::Status::kDone);
  ASSERT_EQ(sender.send(stamped(receiver.local(), 13)).status, SendOutcome::Status::kDone);
  EXPECT_EQ(tokens_of(sender, 2), (std::vector<std::uint32_t>{12, 13}));
}

TEST_P(TransmitStamps, AreFoundAmongIcmpErrors) {
  UdpSocket sender = stamping_socket();
  const UdpSocket deaf = deaf_socket(GetParam().peer);
  const Endpoint nobody = deaf.local();
  ASSERT_EQ(sender.send(stamped(nobody, 77)).status, SendOutcome::Status::kDone);
  EXPECT_EQ(tokens_of(sender, 1), std::vector<std::uint32_t>{77});
  std::optional<PeerUnreachable> error;
  ASSERT_TRUE(eventually([&] {
    static_cast<void>(sender.read_transmit_stamp());
    return (error = sender.take_peer_error()).has_value();
  }));
  EXPECT_EQ(error->error, ECONNREFUSED);
  EXPECT_EQ(error->peer, nobody);
  EXPECT_EQ(sender.peer_errors(), 1U);
}

INSTANTIATE_TEST_SUITE_P(EveryKind, TransmitStamps,
                         ::testing::Values(StampCase{true, "0.0.0.0", "127.0.0.1"},
                                           StampCase{false, "0.0.0.0", "127.0.0.1"},
                                           StampCase{true, "::", "::1"},
                                           StampCase{false, "::", "::1"},
                                           StampCase{true, "::", "127.0.0.1"},
                                           StampCase{false, "::", "127.0.0.1"}));

TEST(TransmitStampsOff, TokenIsIgnoredAndTheDatagramGoes) {
  UdpSocket sender = open_on("127.0.0.1");
  UdpSocket receiver = open_on("127.0.0.1");
  SendRequest request = single(receiver.local(), "x");
  request.stamp_token = 1;
  ASSERT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
  EXPECT_EQ(receive_datagrams(receiver, 1).size(), 1U);
  EXPECT_FALSE(sender.transmit_stamps_available());
  EXPECT_FALSE(sender.read_transmit_stamp());
}

TEST(PeerErrors, ReceiveCountsThemAndStillDeliversWhatCameAfter) {
  UdpSocket socket = open_on("127.0.0.1", {.error_queue = true});
  UdpSocket friendly = open_on("127.0.0.1");
  const UdpSocket deaf = deaf_socket("127.0.0.1");
  const Endpoint nobody = deaf.local();
  ASSERT_EQ(socket.send(single(nobody, "x")).status, SendOutcome::Status::kDone);
  ASSERT_TRUE(wait_for(socket.fd(), POLLERR, kDeadline));
  ASSERT_EQ(friendly.send(single(socket.local(), "hello")).status, SendOutcome::Status::kDone);
  EXPECT_EQ(texts(receive_datagrams(socket, 1)), std::vector<std::string>{"hello"});
  EXPECT_EQ(socket.asynchronous_errors(), 1U);
}

TEST(PeerErrors, PendingErrorOfOnePeerDoesNotFailTheSendToAnother) {
  UdpSocket socket = open_on("127.0.0.1", {.error_queue = true});
  UdpSocket friendly = open_on("127.0.0.1");
  const UdpSocket deaf = deaf_socket("127.0.0.1");
  const Endpoint nobody = deaf.local();
  for (const bool as_train : {false, true}) {
    ASSERT_EQ(socket.send(single(nobody, "x")).status, SendOutcome::Status::kDone);
    ASSERT_TRUE(wait_for(socket.fd(), POLLERR, kDeadline));
    SendRequest request = single(friendly.local(), "ab");
    request.segment_size = as_train ? 1 : 2;
    request.gso_allowed = false;
    EXPECT_EQ(socket.send(request).status, SendOutcome::Status::kDone);
    EXPECT_EQ(receive_datagrams(friendly, as_train ? 2 : 1).size(), as_train ? 2U : 1U);
    static_cast<void>(socket.read_transmit_stamp());
  }
  EXPECT_EQ(socket.asynchronous_errors(), 2U);
}

TEST(PeerErrors, AreNotSeenUnlessAskedFor) {
  const OneProcessor processor;
  UdpSocket socket = open_on("127.0.0.1");
  const UdpSocket deaf = deaf_socket("127.0.0.1");
  const Endpoint nobody = deaf.local();
  ASSERT_EQ(socket.send(single(nobody, "x")).status, SendOutcome::Status::kDone);
  OneProcessor::settle();
  ReceiveBuffer buffer(1, 100);
  EXPECT_TRUE(socket.receive(buffer).value().empty());
  EXPECT_FALSE(socket.read_transmit_stamp());
  EXPECT_FALSE(socket.take_peer_error());
  EXPECT_EQ(socket.asynchronous_errors(), 0U);
}

TEST(StampLedger, GivesEachTokenOnce) {
  StampLedger ledger;
  ledger.record(40, WallTime(1s));
  ledger.record(50, WallTime(2s));
  EXPECT_EQ(ledger.take(1, WallTime(3s)), 50U);
  EXPECT_EQ(ledger.take(1, WallTime(3s)), std::nullopt);
  EXPECT_EQ(ledger.take(0, WallTime(3s)), 40U);
  EXPECT_EQ(ledger.take(2, WallTime(3s)), std::nullopt);
}

TEST(StampLedger, GivesUpTheOldestWhenFull) {
  StampLedger ledger;
  const auto capacity = static_cast<std::uint32_t>(StampLedger::kCapacity);
  for (std::uint32_t i = 0; i <= capacity; ++i) ledger.record(100 + i, WallTime(1s));
  EXPECT_EQ(ledger.take(0, WallTime(2s)), std::nullopt);
  EXPECT_EQ(ledger.take(1, WallTime(2s)), 101U);
  EXPECT_EQ(ledger.take(capacity, WallTime(2s)), 100U + capacity);
}

TEST(StampLedger, RefusesAStampFromBeforeTheSend) {
  StampLedger ledger;
  ledger.record(1, WallTime(1s));
  ledger.restart();
  ledger.record(2, WallTime(5s));
  EXPECT_EQ(ledger.take(0, WallTime(2s)), std::nullopt);
  EXPECT_EQ(ledger.take(0, WallTime(6s)), 2U);
}

}  // namespace error_queue_test
}  // namespace wyndrvr::os::testing
