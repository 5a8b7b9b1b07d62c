// Marks of single datagrams, and of sockets that are opened beside another one.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "os/host_info.hpp"
#include "os/udp_socket.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace {

constexpr std::uint8_t kExpedited = 0xb8;

std::optional<std::uint8_t> received_class(UdpSocket& receiver) {
  const auto got = receive_datagrams(receiver, 1);
  return got.size() == 1 ? got[0].meta.traffic_class : std::nullopt;
}

TEST(TrafficClassOfADatagram, IsItsOwnOnASocketOfAnyFamily) {
  struct Case {
    const char* sender;
    const char* receiver;
  };
  for (const auto& [from, to] : {Case{"127.0.0.1", "127.0.0.1"}, Case{"::1", "::1"},
                                 Case{"::", "127.0.0.1"}, Case{"::", "::1"}}) {
    if (address(from).is_v6() && !ipv6_available()) GTEST_SKIP() << "no IPv6 here";
    UdpSocket sender = open_on(from, {.traffic_class = 0x20});
    UdpSocket receiver = open_on(to, {.receive_traffic_class = true});
    SendRequest request = single(receiver.local(), "x");
    request.traffic_class = kExpedited;
    ASSERT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
    EXPECT_EQ(received_class(receiver), kExpedited) << from << " to " << to;
    ASSERT_EQ(sender.send(single(receiver.local(), "x")).status, SendOutcome::Status::kDone);
    EXPECT_EQ(received_class(receiver), std::uint8_t{0x20}) << "the others have the socket's";
  }
}

TEST(SocketBeside, SendsAsTheFirstOneWasSetUpByWhoeverOpenedIt) {
  UdpSocket opened = open_on("127.0.0.1", {.traffic_class = kExpedited, .hop_limit = 9});
  auto adopted = UdpSocket::adopt(opened.release(), {});
  ASSERT_TRUE(adopted) << adopted.error().message;
  UdpSocket peer = open_on("127.0.0.1", {.receive_traffic_class = true});
  auto beside = adopted->open_connected(peer.local());
  ASSERT_TRUE(beside) << beside.error().message;
  ASSERT_EQ(beside->send(single(peer.local(), "x")).status, SendOutcome::Status::kDone);
  EXPECT_EQ(received_class(peer), kExpedited);
  int hops = 0;
  socklen_t length = sizeof hops;
  ASSERT_EQ(getsockopt(beside->fd(), SOL_IP, IP_TTL, &hops, &length), 0);
  EXPECT_EQ(hops, 9);
}

TEST(UdpSocket, TakesNoIpv4OnTheAnyAddressWhereIpv6AloneIsWanted) {
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  UdpSocket six = open_on("::", {.v6_only = true});
  const auto four = UdpSocket::open({.bind = {address("0.0.0.0"), six.local().port}});
  EXPECT_TRUE(four.has_value()) << "the port of IPv4 is free";
}

}  // namespace
}  // namespace wyndrvr::os::testing
