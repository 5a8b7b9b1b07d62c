// What fits a path: route_mtu, max_udp_payload, and sockets that never fragment.
#include <algorithm>
#include <array>
#include <ostream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "os/host_info.hpp"
#include "os/route_mtu.hpp"
#include "os/udp_socket.hpp"
#include "unit/os_own_network.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace route_mtu_test {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kNarrow = 1'500;  // MTU of lo in a network of our own
constexpr const char* kNoNetwork = "may not make a network namespace here";

TEST(RouteMtu, OfLoopbackIsItsInterfacesUpToTheLargestPacket) {
  const int loopback = mtu_of_interface("lo");
  ASSERT_GT(loopback, 0);
  const auto v4 = route_mtu({address("127.0.0.1"), Port{0}}, std::nullopt);
  ASSERT_TRUE(v4) << v4.error().message;
  EXPECT_EQ(*v4, static_cast<std::uint32_t>(std::min(loopback, 65'535)));
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  const auto v6 = route_mtu({address("::1"), Port{6711}}, address("::1"), "lo");
  ASSERT_TRUE(v6) << v6.error().message;
  EXPECT_EQ(*v6, static_cast<std::uint32_t>(loopback));
}

TEST(RouteMtu, FollowsTheInterfacesMtu) {
  if (!in_own_network(kNarrow, [] {
        EXPECT_EQ(route_mtu({address("127.0.0.1"), Port{0}}, std::nullopt).value(), 1'500U);
        EXPECT_EQ(route_mtu({address("127.0.0.1"), Port{0}}, address("127.0.0.2"), "lo").value(),
                  1'500U);
        if (!ipv6_available()) return;
        EXPECT_EQ(route_mtu({address("::1"), Port{0}}, address("::")).value(), 1'500U);
      })) {
    GTEST_SKIP() << kNoNetwork;
  }
}

TEST(RouteMtu, TakesAnyAddressForNoneWhateverItsFamily) {
  const auto found = route_mtu({address("127.0.0.1"), Port{0}}, address("::"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, route_mtu({address("127.0.0.1"), Port{0}}, address("0.0.0.0")).value());
}

TEST(RouteMtu, ToNowhereIsAnErrorThatNamesTheAddress) {
  const auto found = route_mtu({address("255.255.255.255"), Port{1}}, std::nullopt);
  ASSERT_FALSE(found);  // broadcasting needs a permission that we do not ask for
  EXPECT_THAT(found.error().message, AllOf(HasSubstr("255.255.255.255"), HasSubstr("MTU")));
}

TEST(RouteMtu, FromWhatIsNotOurAddressIsAnErrorThatNamesIt) {
  const auto foreign = route_mtu({address("127.0.0.1"), Port{1}}, address("203.0.113.7"));
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().message, AllOf(HasSubstr("203.0.113.7"), HasSubstr("ip address")));
  const auto mixed = route_mtu({address("127.0.0.1"), Port{1}}, address("::1"));
  ASSERT_FALSE(mixed);
  EXPECT_THAT(mixed.error().message, AllOf(HasSubstr("::1"), HasSubstr("other family")));
}

TEST(MaxUdpPayload, IsTheMtuLessTheHeaders) {
  EXPECT_EQ(max_udp_payload(1'500, false), 1'472U);
  EXPECT_EQ(max_udp_payload(1'500, true), 1'452U);
  EXPECT_EQ(max_udp_payload(65'535, false), 65'507U);
  EXPECT_EQ(max_udp_payload(65'535, true), 65'487U);
}

TEST(MaxUdpPayload, HasBounds) {
  EXPECT_EQ(max_udp_payload(0xFFFF'FFFF, false), 65'507U);
  EXPECT_EQ(max_udp_payload(0xFFFF'FFFF, true), 65'507U);
  EXPECT_EQ(max_udp_payload(28, false), 0U);
  EXPECT_EQ(max_udp_payload(29, false), 1U);
  EXPECT_EQ(max_udp_payload(0, true), 0U);
}

TEST(MaxUdpPayload, OfTheLoopbackRouteIsWhatItsSocketSendsWhole) {
  for (const char* local : {"127.0.0.1", "::1"}) {
    const bool v6 = address(local).is_v6();
    if (v6 && !ipv6_available()) continue;
    UdpSocket sender = open_on(local, {.never_fragment = true});
    UdpSocket receiver = open_on(local);
    const auto mtu = route_mtu(receiver.local(), std::nullopt);
    ASSERT_TRUE(mtu) << mtu.error().message;
    std::string payload(max_udp_payload(*mtu, v6), 'x');
    EXPECT_EQ(sender.send(single(receiver.local(), payload)).status, SendOutcome::Status::kDone);
    EXPECT_EQ(texts(receive_datagrams(receiver, 1)), std::vector{payload});
    payload += 'x';
    EXPECT_EQ(sender.send(single(receiver.local(), payload)).error, EMSGSIZE);
  }
}

struct SizeCase {
  const char* sender;
  const char* receiver;
  std::size_t fits;

  // Part of the test's name.
  friend void PrintTo(const SizeCase& one, std::ostream* out) {
    *out << one.sender << " to " << one.receiver;
  }
};

class NeverFragment : public ::testing::TestWithParam<SizeCase> {
 protected:
  // The body, in a network whose lo takes `kNarrow` octets.
  void narrow(const std::function<void()>& body) {
    const bool v6 = address(GetParam().sender).is_v6();
    if (v6 && !ipv6_available()) GTEST_SKIP() << "no IPv6 here";
    if (!in_own_network(kNarrow, body)) GTEST_SKIP() << kNoNetwork;
  }
};

TEST_P(NeverFragment, DatagramAboveTheMtuFailsAndNothingGoes) {
  narrow([] {
    const auto& [from, to, fits] = GetParam();
    UdpSocket sender = open_on(from, {.error_queue = true, .never_fragment = true});
    UdpSocket receiver = open_on(to);
    const std::string right(fits, 'x');
    const std::string wrong(fits + 1, 'x');
    const SendOutcome refused = sender.send(single(receiver.local(), wrong));
    EXPECT_EQ(refused.status, SendOutcome::Status::kFailed);
    EXPECT_EQ(refused.error, EMSGSIZE);
    EXPECT_EQ(sender.send(single(receiver.local(), right)).status, SendOutcome::Status::kDone);
    EXPECT_EQ(texts(receive_datagrams(receiver, 1)), std::vector{right});
    EXPECT_EQ(receive_datagrams(receiver, 1, 0ms).size(), 0U);
  });
}

TEST_P(NeverFragment, OnlyWhereAskedFor) {
  narrow([] {
    const auto& [from, to, fits] = GetParam();
    UdpSocket sender = open_on(from);
    UdpSocket receiver = open_on(to);
    const std::string payload(fits + 1, 'x');
    EXPECT_EQ(sender.send(single(receiver.local(), payload)).status, SendOutcome::Status::kDone);
    EXPECT_EQ(texts(receive_datagrams(receiver, 1)), std::vector{payload});
  });
}

TEST_P(NeverFragment, TrainOfTooLargeSegmentsFailsAndOneThatFitsStillGoesByGso) {
  narrow([] {
    const auto& [from, to, fits] = GetParam();
    UdpSocket sender = open_on(from, {.never_fragment = true});
    UdpSocket receiver = open_on(to, {.receive_buffer = 1'000'000});
    const bool gso = sender.gso_available();
    const std::string bytes(4 * (fits + 1), 'x');
    SendRequest request = single(receiver.local(), bytes);
    request.segment_size = static_cast<std::uint32_t>(fits + 1);
    const SendOutcome refused = sender.send(request);
    EXPECT_EQ(refused.bytes_sent, 0U);
    EXPECT_EQ(refused.error, EMSGSIZE);
    request.segment_size = static_cast<std::uint32_t>(fits);
    EXPECT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
    EXPECT_EQ(receive_datagrams(receiver, 5).size(), 5U);  // four, and the four octets left over
    EXPECT_EQ(sender.gso_available(), gso);
  });
}

INSTANTIATE_TEST_SUITE_P(EveryFamily, NeverFragment,
                         ::testing::Values(SizeCase{"127.0.0.1", "127.0.0.1", 1'472},
                                           SizeCase{"::1", "::1", 1'452},
                                           SizeCase{"::", "::1", 1'452},
                                           SizeCase{"::", "127.0.0.1", 1'472}));

// RFC 1071.
std::uint16_t internet_checksum(const std::vector<std::uint8_t>& octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) {
    sum += static_cast<std::uint32_t>(octets[i] << 8U | octets[i + 1]);
  }
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

void put_u16(std::vector<std::uint8_t>& octets, std::size_t index, std::uint16_t value) {
  octets[index] = static_cast<std::uint8_t>(value >> 8U);
  octets[index + 1] = static_cast<std::uint8_t>(value);
}

// ICMP "fragmentation needed" (RFC 1191, section 4) about a datagram that was never sent; whoever
// knows both addresses and ports can make one.
bool forge_too_big(const Endpoint& victim, const Endpoint& peer, std::uint16_t mtu) {
  constexpr std::size_t kIcmp = 8;
  constexpr std::size_t kIp = 20;
  std::vector<std::uint8_t> message(kIcmp + kIp + 8, 0);
  message[0] = 3;
  message[1] = 4;
  put_u16(message, 6, mtu);
  message[kIcmp] = 0x45;
  put_u16(message, kIcmp + 2, 1'400);
  message[kIcmp + 6] = 0x40;  // DF
  message[kIcmp + 8] = 64;
  message[kIcmp + 9] = IPPROTO_UDP;
  const auto at = [&](std::size_t index) {
    return message.begin() + static_cast<std::ptrdiff_t>(kIcmp + index);
  };
  std::copy_n(victim.address.octets.begin(), 4, at(12));
  std::copy_n(peer.address.octets.begin(), 4, at(16));
  put_u16(message, kIcmp + kIp, victim.port.value);
  put_u16(message, kIcmp + kIp + 2, peer.port.value);
  put_u16(message, kIcmp + kIp + 4, 1'380);
  put_u16(message, 2, internet_checksum(message));
  const Fd raw(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  const SocketAddress to = to_socket_address({victim.address, Port{0}});
  return ::sendto(raw.get(), message.data(), message.size(), 0, &to.generic, to.length) ==
         static_cast<ssize_t>(message.size());
}

TEST(ForgedTooBig, DoesNotKeepASocketThatNeverFragmentsFromSending) {
  const bool allowed = in_own_network(kNarrow, [] {
    UdpSocket sender = open_on("127.0.0.1", {.error_queue = true, .never_fragment = true});
    UdpSocket receiver = open_on("127.0.0.1");
    ASSERT_TRUE(forge_too_big(sender.local(), receiver.local(), 600));
    // It was believed by the host, or this test would test nothing.
    ASSERT_TRUE(
        eventually([&] { return route_mtu(receiver.local(), std::nullopt).value() == 600U; }));

    const std::string payload(1'472, 'x');
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(sender.send(single(receiver.local(), payload)).status, SendOutcome::Status::kDone);
    }
    EXPECT_EQ(texts(receive_datagrams(receiver, 2)), (std::vector{payload, payload}));
  });
  if (!allowed) GTEST_SKIP() << kNoNetwork;
}

TEST(ForgedTooBig, IsToldAndNotTakenForAnUnreachablePeer) {
  const bool allowed = in_own_network(kNarrow, [] {
    UdpSocket sender = open_on("127.0.0.1", {.error_queue = true, .never_fragment = true});
    UdpSocket receiver = open_on("127.0.0.1");
    ASSERT_TRUE(forge_too_big(sender.local(), receiver.local(), 600));
    EXPECT_TRUE(eventually([&] {
      static_cast<void>(sender.read_transmit_stamp());
      return sender.too_big_errors() > 0;
    }));
    EXPECT_EQ(sender.too_big_errors(), 1U);
    const auto told = sender.take_too_big();
    ASSERT_TRUE(told);
    EXPECT_EQ(told->peer, receiver.local());
    EXPECT_EQ(told->mtu, 600U);
    EXPECT_FALSE(sender.take_too_big());
    EXPECT_EQ(sender.peer_errors(), 0U);
    EXPECT_FALSE(sender.take_peer_error());
  });
  if (!allowed) GTEST_SKIP() << kNoNetwork;
}

TEST(NeverFragmentOnTheWire, DatagramsForbidRoutersToFragmentThem) {
  const bool allowed = in_own_network(kNarrow, [] {
    const Fd wire(::socket(AF_INET, SOCK_RAW, IPPROTO_UDP));  // sees the IPv4 header, raw(7)
    UdpSocket receiver = open_on("127.0.0.1");
    UdpSocket sender = open_on("127.0.0.1", {.hop_limit = 77, .never_fragment = true});
    ASSERT_EQ(sender.send(single(receiver.local(), "x")).status, SendOutcome::Status::kDone);
    ASSERT_TRUE(wait_for(wire.get(), POLLIN, kDeadline));
    std::array<std::uint8_t, 64> packet{};
    ASSERT_EQ(::recv(wire.get(), packet.data(), packet.size(), 0), 20 + 8 + 1);
    EXPECT_EQ(packet[6] & 0x40, 0x40);  // RFC 791: flag DF
    EXPECT_EQ(packet[8], 77);           // time to live
  });
  if (!allowed) GTEST_SKIP() << kNoNetwork;
}

}  // namespace route_mtu_test
}  // namespace wyndrvr::os::testing
