#include <set>
#include <utility>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "runtime/port_socket.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::runtime {
namespace port_socket_test {

using engine::PortKind;
using engine::Side;

engine::PortConfig port_of_streams(PortKind kind, std::uint8_t streams) {
  engine::PortConfig config;
  config.kind = kind;
  config.path.emplace().terms.streams = streams;
  config.path->terms.directions = wire::Directions::kBoth;
  return config;
}

IpAddress local_host() {
  return *parse_ip("127.0.0.1");
}

int option_of(const os::UdpSocket& socket, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(socket.fd(), SOL_IP, name, &value, &length), 0);
  return value;
}

TEST(PortSockets, AnOriginalPortHasOneAtEitherEnd) {
  for (const Side side : {Side::kClient, Side::kServer}) {
    for (const PortKind kind : engine::kPortKinds) {
      engine::PortConfig config;
      config.side = side;
      config.kind = kind;
      EXPECT_EQ(socket_count(config), 1U);
    }
  }
}

TEST(PortSockets, AClientsPortsForDataHaveOneForEachStream) {
  EXPECT_EQ(socket_count(port_of_streams(PortKind::kControl, 5)), 1U);
  EXPECT_EQ(socket_count(port_of_streams(PortKind::kUpload, 5)), 5U);
  EXPECT_EQ(socket_count(port_of_streams(PortKind::kDownload, 64)), kMaxPortSockets);
}

TEST(PortSockets, AServersPortHasOneHoweverManyStreams) {
  auto config = port_of_streams(PortKind::kUpload, 64);
  config.side = Side::kServer;
  EXPECT_EQ(socket_count(config), 1U);
}

TEST(PortSockets, AClientsSinglePortHasOneForEachStream) {
  auto config = port_of_streams(PortKind::kControl, 3);
  config.path->terms.single_port = true;
  EXPECT_EQ(socket_count(config), 3U);
}

TEST(PortSockets, EveryStreamHasASourcePortOfItsOwn) {
  const auto sockets =
      open_client_port(port_of_streams(PortKind::kUpload, 8), local_host(), {}, {});
  ASSERT_TRUE(sockets);
  std::set<std::uint16_t> ports;
  for (const os::UdpSocket& socket : *sockets) ports.insert(socket.local().port.value);
  EXPECT_EQ(ports.size(), 8U);
}

TEST(PortSockets, TheUsersWishesShapeEverySocketOfAPort) {
  SocketWishes wishes;
  wishes.hop_limit = 7;
  wishes.traffic_class = 0xb8;
  const auto sockets =
      open_client_port(port_of_streams(PortKind::kDownload, 2), local_host(), wishes, {});
  ASSERT_TRUE(sockets);
  for (const os::UdpSocket& socket : *sockets) {
    EXPECT_EQ(option_of(socket, IP_TTL), 7);
    EXPECT_EQ(option_of(socket, IP_TOS), 0xb8);
  }
}

TEST(PortSockets, DataIsNeverFragmentedUnlessThatWasGranted) {
  auto config = port_of_streams(PortKind::kUpload, 1);
  auto sockets = open_client_port(config, local_host(), {}, {});
  ASSERT_TRUE(sockets);
  EXPECT_EQ(option_of(sockets->front(), IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
  config.path->terms.fragment = true;
  sockets = open_client_port(config, local_host(), {}, {});
  ASSERT_TRUE(sockets);
  EXPECT_NE(option_of(sockets->front(), IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
}

TEST(PortSockets, AnOriginalPortMayFragmentUnlessTheUserSaysNo) {
  engine::PortConfig config;
  config.kind = PortKind::kUpload;
  auto sockets = open_client_port(config, local_host(), {}, {});
  ASSERT_TRUE(sockets);
  EXPECT_NE(option_of(sockets->front(), IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
  sockets = open_client_port(config, local_host(), {.never_fragment = true}, {});
  ASSERT_TRUE(sockets);
  EXPECT_EQ(option_of(sockets->front(), IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
}

TEST(PortSockets, AServersSocketTakesTheTermsOnWithoutLosingItsAddress) {
  auto opened = open_server_port(PortKind::kDownload, {local_host(), Port{0}}, {});
  ASSERT_TRUE(opened);
  const Endpoint bound = opened->local();
  engine::TestTerms terms;
  terms.traffic_class = 0x28;
  const auto socket = apply_terms(PortKind::kDownload, std::move(*opened), terms, {});
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->local(), bound);
  EXPECT_EQ(option_of(*socket, IP_TOS), 0x28);
  EXPECT_EQ(option_of(*socket, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
}

// Else ENOBUFS is hidden, and what a queue of this host dropped looks like the network's loss.
TEST(PortSockets, EverySocketOfEitherEndHearsOfAFullQueueBelowIt) {
  const auto expect_told = [](const os::UdpSocket& socket) {
    EXPECT_EQ(option_of(socket, IP_RECVERR), 1);
  };
  for (const PortKind kind : engine::kPortKinds) {
    const auto client = open_client_port(port_of_streams(kind, 2), local_host(), {}, {});
    ASSERT_TRUE(client);
    for (const os::UdpSocket& socket : *client) expect_told(socket);
    auto opened = open_server_port(kind, {local_host(), Port{0}}, {});
    ASSERT_TRUE(opened);
    expect_told(*opened);
    auto socket = apply_terms(kind, std::move(*opened), {}, {});
    ASSERT_TRUE(socket);
    expect_told(*socket);
    const auto connected = socket->open_connected({local_host(), Port{9}});
    ASSERT_TRUE(connected);
    expect_told(*connected);
    std::vector<os::Fd> descriptors;
    descriptors.push_back(socket->release());
    const auto adopted = adopt_port({Side::kServer, kind}, descriptors, {});
    ASSERT_TRUE(adopted);
    expect_told(adopted->front());
  }
}

TEST(PortSockets, ADualStackServerHearsOfItInBothFamilies) {
  const auto socket = open_server_port(PortKind::kDownload, {*parse_ip("::"), Port{0}}, {});
  if (!socket) GTEST_SKIP() << "no IPv6 here";
  EXPECT_EQ(option_of(*socket, IP_RECVERR), 1);
  int value = 0;
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(socket->fd(), SOL_IPV6, IPV6_RECVERR, &value, &length), 0);
  EXPECT_EQ(value, 1);
}

TEST(PortSockets, TheTermsStayWithASocketThatIsHandedOn) {
  auto opened = open_server_port(PortKind::kUpload, {local_host(), Port{0}}, {});
  ASSERT_TRUE(opened);
  engine::TestTerms terms;
  terms.traffic_class = 0x28;
  auto socket = apply_terms(PortKind::kUpload, std::move(*opened), terms, {});
  ASSERT_TRUE(socket);
  const auto granted = socket->receive_buffer_granted();
  std::vector<os::Fd> descriptors;
  descriptors.push_back(socket->release());
  const auto adopted = adopt_port({Side::kServer, PortKind::kUpload}, descriptors, {});
  ASSERT_TRUE(adopted);
  ASSERT_EQ(adopted->size(), 1U);
  EXPECT_EQ(option_of(adopted->front(), IP_TOS), 0x28);
  EXPECT_EQ(option_of(adopted->front(), IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
  EXPECT_EQ(option_of(adopted->front(), IP_RECVTOS), 1);
  EXPECT_EQ(adopted->front().receive_buffer_granted(), granted);
}

// The option itself, whatever the socket believes of itself.
bool joins_trains(const os::UdpSocket& socket) {
  int value = -1;
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(socket.fd(), SOL_UDP, UDP_GRO, &value, &length), 0);
  return value != 0;
}

TEST(PortSockets, OnlyWhereDataArrivesAreTrainsJoined) {
  for (const PortKind kind : engine::kPortKinds) {
    const auto client = open_client_port(port_of_streams(kind, 2), local_host(), {}, {});
    const auto server = open_server_port(kind, {local_host(), Port{0}}, {});
    ASSERT_TRUE(client && server);
    EXPECT_EQ(joins_trains(client->back()), kind == PortKind::kDownload);
    EXPECT_EQ(joins_trains(*server), kind == PortKind::kUpload);
  }
}

TEST(PortSockets, AControlPortSendsAndReceivesNoTrainsAndHasAllStamps) {
  const os::Offloads both{.gso = os::Offload::kOn, .gro = os::Offload::kOn};
  const auto client =
      open_client_port(port_of_streams(PortKind::kControl, 1), local_host(), {}, both);
  const auto server = open_server_port(PortKind::kControl, {local_host(), Port{0}}, both);
  ASSERT_TRUE(client && server);
  for (const os::UdpSocket* socket : {&client->front(), &*server}) {
    EXPECT_FALSE(socket->gso_available());
    EXPECT_FALSE(joins_trains(*socket));
    EXPECT_TRUE(socket->transmit_stamps_available());
    EXPECT_EQ(socket->stamp_source(), os::StampSource::kTimestamping);
  }
}

TEST(PortSockets, WhatTheUserSwitchesOffStaysOffInEveryHand) {
  const os::Offloads none{.gso = os::Offload::kOff, .gro = os::Offload::kOff};
  auto client = open_client_port(port_of_streams(PortKind::kDownload, 1), local_host(), {}, none);
  Result<os::UdpSocket> server = open_server_port(PortKind::kUpload, {local_host(), Port{0}}, none);
  ASSERT_TRUE(client && server);
  EXPECT_FALSE(joins_trains(client->front()) || client->front().gso_available());
  server = apply_terms(PortKind::kUpload, std::move(*server), {}, none);
  ASSERT_TRUE(server);
  EXPECT_FALSE(joins_trains(*server) || server->gso_available());
  std::vector<os::Fd> descriptors;
  descriptors.push_back(server->release());
  const auto adopted = adopt_port({Side::kServer, PortKind::kUpload}, descriptors, none);
  ASSERT_TRUE(adopted);
  EXPECT_FALSE(joins_trains(adopted->front()) || adopted->front().gso_available());
}

// What comes of a datagram of that size at a socket of the port.
bool arrives_whole(os::UdpSocket& socket, std::size_t size) {
  auto sender = os::UdpSocket::open({.bind = {local_host(), Port{0}}});
  const std::vector<std::byte> octets(size);
  const auto outcome = sender.value().send({.to = socket.local(),
                                            .from = {},
                                            .bytes = octets,
                                            .segment_size = static_cast<std::uint32_t>(size),
                                            .stamp_token = {}});
  EXPECT_EQ(outcome.bytes_sent, size);
  EXPECT_TRUE(os::testing::wait_for(socket.fd(), POLLIN, os::testing::kDeadline));
  os::ReceiveBuffer buffer = make_receive_buffer(Side::kServer, PortKind::kUpload);
  const auto batch = socket.receive(buffer);
  return batch && batch->size() == 1 && batch->front().bytes.size() == size;
}

TEST(PortSockets, WithoutGroTheDatagramsThatWereGrantedStillArriveWhole) {
  const os::Offloads none{.gso = os::Offload::kOff, .gro = os::Offload::kOff};
  engine::TestTerms terms;
  for (const std::uint32_t payload : {1'400U, 9'000U, 65'507U}) {
    terms.payload_bytes = payload;
    auto opened = open_server_port(PortKind::kUpload, {local_host(), Port{0}}, none);
    ASSERT_TRUE(opened);
    auto socket = apply_terms(PortKind::kUpload, std::move(*opened), terms, none);
    ASSERT_TRUE(socket);
    EXPECT_TRUE(arrives_whole(*socket, payload));
    std::vector<os::Fd> descriptors;
    descriptors.push_back(socket->release());
    auto adopted = adopt_port({Side::kServer, PortKind::kUpload, payload}, descriptors, none);
    ASSERT_TRUE(adopted);
    EXPECT_TRUE(arrives_whole(adopted->front(), payload));
  }
}

TEST(PortSockets, WhereTrainsArriveTheLoopHasRoomForTheLargestDatagram) {
  EXPECT_GE(make_receive_buffer(Side::kClient, PortKind::kDownload).slot_bytes(), 65'507U);
  EXPECT_GE(make_receive_buffer(Side::kServer, PortKind::kUpload).slot_bytes(), 65'507U);
}

}  // namespace port_socket_test
}  // namespace wyndrvr::runtime
