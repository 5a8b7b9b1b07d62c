#include <array>
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/host_info.hpp"
#include "os/udp_socket.hpp"
#include "unit/os_loopback.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace udp_socket_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(UdpSocket, DeliversADatagramWithItsAddresses) {
  UdpSocket receiver = open_on("127.0.0.1");
  UdpSocket sender = open_on("127.0.0.1");
  const SendOutcome outcome = sender.send(single(receiver.local(), "hello"));
  EXPECT_EQ(outcome.status, SendOutcome::Status::kDone);
  EXPECT_EQ(outcome.bytes_sent, 5U);

  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].text, "hello");
  EXPECT_EQ(got[0].meta.from, sender.local());
  EXPECT_EQ(got[0].meta.to, address("127.0.0.1"));
  EXPECT_EQ(got[0].meta.segment_size, 5U);
  EXPECT_FALSE(got[0].meta.truncated);
}

TEST(UdpSocket, DeliversOverIpv6) {
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  UdpSocket receiver = open_on("::1");
  UdpSocket sender = open_on("::1");
  ASSERT_EQ(sender.send(single(receiver.local(), "six")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].text, "six");
  EXPECT_EQ(got[0].meta.from, sender.local());
  EXPECT_EQ(got[0].meta.to, address("::1"));
}

TEST(UdpSocket, DualStackSocketTalksBothFamiliesAndShowsIpv4AsIpv4) {
  const OneProcessor processor;
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  UdpSocket both = open_on("::");
  UdpSocket four = open_on("127.0.0.1");
  UdpSocket six = open_on("::1");
  ASSERT_EQ(four.send(single(at("127.0.0.1", both), "4")).status, SendOutcome::Status::kDone);
  ASSERT_EQ(six.send(single(at("::1", both), "6")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(both, 2);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].meta.from, four.local());
  EXPECT_EQ(got[0].meta.to, address("127.0.0.1"));
  EXPECT_EQ(got[1].meta.from, six.local());
  EXPECT_EQ(got[1].meta.to, address("::1"));

  ASSERT_EQ(both.send(single(four.local(), "to 4")).status, SendOutcome::Status::kDone);
  ASSERT_EQ(both.send(single(six.local(), "to 6")).status, SendOutcome::Status::kDone);
  EXPECT_EQ(texts(receive_datagrams(four, 1)), std::vector<std::string>{"to 4"});
  EXPECT_EQ(texts(receive_datagrams(six, 1)), std::vector<std::string>{"to 6"});
}

TEST(UdpSocket, SocketOfOneIpv6AddressIsNotDualStack) {
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  UdpSocket six = open_on("::1");
  UdpSocket four = open_on("127.0.0.1");
  EXPECT_EQ(six.send(single(four.local(), "x")).error, EAFNOSUPPORT);
  EXPECT_EQ(four.send(single(six.local(), "x")).error, EAFNOSUPPORT);
}

TEST(UdpSocket, ReceiverLearnsWhichOfOurAddressesWasUsed) {
  UdpSocket receiver = open_on("0.0.0.0");
  UdpSocket sender = open_on("127.0.0.1");
  ASSERT_EQ(sender.send(single(at("127.0.0.3", receiver), "x")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.to, address("127.0.0.3"));
}

TEST(UdpSocket, AReceiverThatDoesNotAskIsNotTold) {
  UdpSocket receiver = open_on("127.0.0.1", {.receive_destination = false});
  UdpSocket sender = open_on("127.0.0.1");
  ASSERT_EQ(sender.send(single(receiver.local(), "x")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.to, IpAddress{});
}

// Everything to the address is received by one of the three, and all send from it.
void expect_one_socket_for_each_peer(std::string_view bound, std::string_view loopback) {
  UdpSocket first = open_on(bound);
  UdpSocket other = open_on(loopback);
  std::vector<UdpSocket> peers;
  std::vector<UdpSocket> connected;
  std::vector<int> descriptors;
  for (int i = 0; i < 2; ++i) {
    peers.push_back(open_on(loopback));
    auto opened = first.open_connected(peers.back().local(), descriptors);
    ASSERT_TRUE(opened) << opened.error().message;
    connected.push_back(std::move(*opened));
    descriptors.push_back(connected.back().fd());
    EXPECT_EQ(connected.back().local().port, first.local().port);
    EXPECT_EQ(connected.back().peer(), peers.back().local());
  }
  const Endpoint to = at(loopback, first);
  ASSERT_EQ(other.send(single(to, "x")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(first, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.from, other.local());
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(peers[i].send(single(to, "x")).status, SendOutcome::Status::kDone);
    const auto here = receive_datagrams(connected[i], 1);
    ASSERT_EQ(here.size(), 1U);
    EXPECT_EQ(here[0].meta.from, peers[i].local());
    EXPECT_EQ(connected[i].stamp_source(), first.stamp_source());
    ASSERT_EQ(connected[i].send(single(peers[i].local(), "y")).status, SendOutcome::Status::kDone);
    const auto there = receive_datagrams(peers[i], 1);
    ASSERT_EQ(there.size(), 1U);
    EXPECT_EQ(there[0].meta.from, to);
    ASSERT_EQ(first.send(single(peers[i].local(), "z")).status, SendOutcome::Status::kDone);
    EXPECT_EQ(texts(receive_datagrams(peers[i], 1)), std::vector<std::string>{"z"});
  }
}

TEST(UdpSocket, APeerMayHaveASocketOfItsOwn) {
  expect_one_socket_for_each_peer("127.0.0.1", "127.0.0.1");
  expect_one_socket_for_each_peer("0.0.0.0", "127.0.0.1");
  if (!ipv6_available()) return;
  expect_one_socket_for_each_peer("::1", "::1");
  expect_one_socket_for_each_peer("::", "127.0.0.1");
}

TEST(UdpSocket, NoPeerGetsOneWhereHalfOfTheDescriptorsAreInUse) {
  UdpSocket peer = open_on("127.0.0.1");
  UdpSocket first = open_on("127.0.0.1");
  const int next = ::dup(first.fd());
  ::close(next);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto with_limit = [&](int soft) {
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(soft), .rlim_max = before.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    auto connected = first.open_connected(peer.local());
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    return connected;
  };
  const auto refused = with_limit(2 * next + 1);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("half of the"), std::string::npos);
  EXPECT_TRUE(with_limit(2 * next + 2));
}

TEST(UdpSocket, AConnectedSocketIsSetUpAsTheFirstOneIs) {
  UdpSocket peer = open_on("127.0.0.1");
  UdpOptions options{.bind = {address("127.0.0.1"), Port{0}},
                     .gso = Offload::kOff,
                     .traffic_class = 0xb8,
                     .hop_limit = 7,
                     .never_fragment = true};
  auto first = UdpSocket::open(options);
  ASSERT_TRUE(first) << first.error().message;
  auto connected = first->open_connected(peer.local());
  ASSERT_TRUE(connected) << connected.error().message;
  EXPECT_FALSE(connected->gso_available());
  for (const int option : {IP_TOS, IP_TTL, IP_MTU_DISCOVER}) {
    int of_first = 0;
    int of_connected = -1;
    socklen_t length = sizeof of_first;
    ASSERT_EQ(::getsockopt(first->fd(), SOL_IP, option, &of_first, &length), 0);
    ASSERT_EQ(::getsockopt(connected->fd(), SOL_IP, option, &of_connected, &length), 0);
    EXPECT_EQ(of_connected, of_first) << option;
  }
}

TEST(UdpSocket, TheAddressOfSeveralSocketsIsSharedWithNoOther) {
  UdpSocket peer = open_on("127.0.0.1");
  UdpSocket first = open_on("127.0.0.1");
  const auto second = first.open_connected(peer.local());
  ASSERT_TRUE(second) << second.error().message;
  const std::vector<int> others{second->fd()};
  const auto connected = first.open_connected(open_on("127.0.0.1").local(), others);
  ASSERT_TRUE(connected) << connected.error().message;
  const int stranger = ::socket(AF_INET, SOCK_DGRAM, 0);
  const int yes = 1;
  ASSERT_EQ(::setsockopt(stranger, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes), 0);
  const SocketAddress address = to_socket_address(first.local());
  EXPECT_NE(::bind(stranger, &address.generic, address.length), 0);
  EXPECT_EQ(errno, EADDRINUSE);
  ::close(stranger);
}

TEST(UdpSocket, APeerOfAnotherFamilyGetsNoSocket) {
  UdpSocket four = open_on("127.0.0.1");
  EXPECT_FALSE(four.open_connected({address("::1"), Port{9}}));
  UdpSocket peer = open_on("127.0.0.1");
  ASSERT_EQ(peer.send(single(four.local(), "x")).status, SendOutcome::Status::kDone);
  EXPECT_EQ(receive_datagrams(four, 1).size(), 1U) << "it is as it was";
}

TEST(UdpSocket, SourceAddressCanBeChosen) {
  UdpSocket receiver = open_on("127.0.0.1");
  UdpSocket sender = open_on("0.0.0.0");
  SendRequest request = single(receiver.local(), "x");
  request.from = address("127.0.0.2");
  ASSERT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.from, at("127.0.0.2", sender));
}

TEST(UdpSocket, DualStackSocketCanChooseAnIpv4SourceAddress) {
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  UdpSocket receiver = open_on("127.0.0.1");
  UdpSocket sender = open_on("::");
  SendRequest request = single(receiver.local(), "x");
  request.from = address("127.0.0.2");
  ASSERT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.from, at("127.0.0.2", sender));
}

TEST(UdpSocket, EmptyDatagramArrives) {
  UdpSocket receiver = open_on("127.0.0.1");
  UdpSocket sender = open_on("127.0.0.1");
  ASSERT_EQ(sender.send(single(receiver.local(), "")).status, SendOutcome::Status::kDone);
  EXPECT_EQ(texts(receive_datagrams(receiver, 1)), std::vector<std::string>{""});
}

TEST(UdpSocket, ReceiveReturnsNothingWhenNothingIsThere) {
  UdpSocket socket = open_on("127.0.0.1");
  ReceiveBuffer buffer(2, 100);
  const auto batch = socket.receive(buffer);
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->empty());
}

TEST(UdpSocket, DatagramLongerThanTheSlotIsMarkedTruncated) {
  const OneProcessor processor;
  UdpSocket receiver = open_on("127.0.0.1");
  UdpSocket sender = open_on("127.0.0.1");
  ASSERT_EQ(sender.send(single(receiver.local(), "abcdefgh")).status, SendOutcome::Status::kDone);
  ASSERT_EQ(sender.send(single(receiver.local(), "abcde")).status, SendOutcome::Status::kDone);
  OneProcessor::settle();
  ReceiveBuffer buffer(4, 5);
  const auto batch = receiver.receive(buffer);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->size(), 2U);
  EXPECT_TRUE((*batch)[0].truncated);
  EXPECT_EQ(as_text((*batch)[0].bytes), "abcde");
  EXPECT_FALSE((*batch)[1].truncated);
}

TEST(UdpSocket, BatchBringsNoMoreThanTheBufferHasSlots) {
  const OneProcessor processor;
  UdpSocket receiver = open_on("127.0.0.1");
  UdpSocket sender = open_on("127.0.0.1");
  for (const char* text : {"a", "b", "c"}) {
    ASSERT_EQ(sender.send(single(receiver.local(), text)).status, SendOutcome::Status::kDone);
  }
  OneProcessor::settle();
  ReceiveBuffer buffer(2, 100);
  ASSERT_EQ(receiver.receive(buffer).value().size(), 2U);
  const auto rest = receiver.receive(buffer);
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ(as_text(rest->front().bytes), "c");
}

TEST(UdpSocket, TakenPortIsAnErrorThatSaysWhatToDo) {
  const UdpSocket first = open_on("127.0.0.1");
  const auto second = UdpSocket::open({.bind = first.local()});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(to_string(first.local())));
  EXPECT_THAT(second.error().message, HasSubstr("bind"));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  EXPECT_THAT(second.error().message, HasSubstr("choose another port"));
}

TEST(UdpSocket, FailureSaysWhetherThePortOrTheAddressStoodAgainstIt) {
  const UdpSocket first = open_on("127.0.0.1");
  const auto taken = UdpSocket::try_open({.bind = first.local()});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().failure, OpenFailure::kPort);
  for (const char* text : {"203.0.113.7", "2001:db8::7", "ff02::1"}) {
    const auto foreign = UdpSocket::try_open({.bind = {address(text), Port{0}}});
    ASSERT_FALSE(foreign) << text;
    EXPECT_EQ(foreign.error().failure, OpenFailure::kAddress) << text;
  }
  for (const int error : {ENOMEM, ENOBUFS, EPERM, EMFILE, EIO}) {
    EXPECT_EQ(bind_failure(error), OpenFailure::kHost) << error;
  }
  EXPECT_EQ(bind_failure(EACCES), OpenFailure::kPort);
}

TEST(UdpSocket, PeekedDatagramIsStillThereAndASkippedOneIsNot) {
  UdpSocket receiver = open_on("127.0.0.1");
  UdpSocket sender = open_on("127.0.0.1");
  std::array<std::byte, 8> room{};
  EXPECT_FALSE(receiver.peek(room));
  for (const char* text : {"first", "", "a longer one"}) {
    ASSERT_EQ(sender.send(single(receiver.local(), text)).status, SendOutcome::Status::kDone);
  }
  ASSERT_TRUE(wait_for(receiver.fd(), POLLIN, kDeadline));
  for (int i = 0; i < 2; ++i) {
    const auto first = receiver.peek(room);
    ASSERT_TRUE(first);
    EXPECT_EQ(as_text(first->bytes), "first");
    EXPECT_EQ(first->from, sender.local());
  }
  receiver.skip();
  EXPECT_TRUE(receiver.peek(room)->bytes.empty());
  receiver.skip();
  EXPECT_EQ(as_text(receiver.peek(room)->bytes), "a longer");
  EXPECT_THAT(texts(receive_datagrams(receiver, 1)), ElementsAre("a longer one"));
  EXPECT_FALSE(receiver.peek(room));
}

TEST(UdpSocket, DatagramToABroadcastAddressIsToldFromOneOfOurs) {
  for (const char* text : {"0.0.0.0", "::"}) {
    UdpSocket receiver = open_on(text);
    UdpSocket sender = open_on("127.0.0.1");
    const int on = 1;
    ASSERT_EQ(setsockopt(sender.fd(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on), 0);
    for (const char* to : {"127.0.0.1", "127.255.255.255"}) {
      ASSERT_EQ(sender.send(single(at(to, receiver), to)).status, SendOutcome::Status::kDone);
    }
    for (const Datagram& datagram : receive_datagrams(receiver, 2)) {
      EXPECT_EQ(datagram.meta.to_group, datagram.text == "127.255.255.255") << text;
      EXPECT_EQ(datagram.meta.to.octets[0], 127) << text;
    }
  }
}

TEST(UdpSocket, ForeignAddressIsAnErrorThatNamesIt) {
  const auto socket = UdpSocket::open({.bind = {address("203.0.113.7"), Port{0}}});
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().message, HasSubstr("203.0.113.7"));
  EXPECT_THAT(socket.error().message, HasSubstr("no interface"));
}

TEST(UdpSocket, KernelStampTellsArrivalAndNotTheTimeOfReading) {
  UdpSocket receiver = open_on("127.0.0.1");
  UdpSocket sender = open_on("127.0.0.1");
  ASSERT_NE(receiver.stamp_source(), StampSource::kNone);
  constexpr Duration kSlack = 1ms;  // between two readings of different clocks
  constexpr Duration kReadLater = 5ms;
  // The kernel turns stamping on a moment after the first socket asks for it, and stamps by the
  // time of reading until then. Of what it stamps later every datagram is right.
  const bool stamped_right = eventually([&] {
    const Instant before = monotonic_now();
    EXPECT_EQ(sender.send(single(receiver.local(), "x")).status, SendOutcome::Status::kDone);
    const Instant after = monotonic_now();
    while (monotonic_now() < after + kReadLater) {
    }
    const auto got = receive_datagrams(receiver, 1);
    return got.size() == 1 && got[0].meta.kernel_stamped &&
           got[0].meta.arrival >= before - kSlack && got[0].meta.arrival <= after + kSlack;
  });
  EXPECT_TRUE(stamped_right);
}

TEST(UdpSocket, WithoutStampsArrivalIsTheTimeOfReading) {
  UdpSocket receiver = open_on("127.0.0.1", {.receive_stamps = false});
  UdpSocket sender = open_on("127.0.0.1");
  EXPECT_EQ(receiver.stamp_source(), StampSource::kNone);
  ASSERT_EQ(sender.send(single(receiver.local(), "x")).status, SendOutcome::Status::kDone);
  const Instant sent = monotonic_now();
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(got[0].meta.kernel_stamped);
  EXPECT_GE(got[0].meta.arrival, sent);
  EXPECT_LE(got[0].meta.arrival, monotonic_now());
}

TEST(UdpSocket, DropsOfAFullReceiveBufferAreCountedExactly) {
  const OneProcessor processor;
  UdpSocket receiver = open_on("127.0.0.1", {.receive_buffer = 4'096});
  UdpSocket sender = open_on("127.0.0.1");
  const std::string text(1'000, 'x');
  constexpr std::size_t kSent = 200;
  for (std::size_t i = 0; i < kSent; ++i) {
    ASSERT_EQ(sender.send(single(receiver.local(), text)).status, SendOutcome::Status::kDone);
  }
  OneProcessor::settle();
  ReceiveBuffer buffer(kSent, 2'048);
  const std::size_t arrived = receiver.receive(buffer).value().size();
  ASSERT_GT(arrived, 0U);
  ASSERT_LT(arrived, kSent);
  EXPECT_EQ(receiver.refresh_receive_drops(), kSent - arrived);
}

TEST(UdpSocket, NextDatagramBringsTheCountOfDropsBeforeIt) {
  const OneProcessor processor;
  UdpSocket receiver = open_on("127.0.0.1", {.receive_buffer = 4'096});
  UdpSocket sender = open_on("127.0.0.1");
  const std::string text(1'000, 'x');
  constexpr std::size_t kSent = 50;
  for (std::size_t i = 0; i < kSent; ++i) {
    ASSERT_EQ(sender.send(single(receiver.local(), text)).status, SendOutcome::Status::kDone);
  }
  OneProcessor::settle();
  ReceiveBuffer buffer(kSent, 2'048);
  const std::size_t arrived = receiver.receive(buffer).value().size();
  ASSERT_EQ(sender.send(single(receiver.local(), "last")).status, SendOutcome::Status::kDone);
  ASSERT_TRUE(wait_for(receiver.fd(), POLLIN, kDeadline));
  ASSERT_EQ(receiver.receive(buffer).value().size(), 1U);
  EXPECT_EQ(receiver.receive_drops(), kSent - arrived);
}

TEST(UdpSocket, GrantedBuffersAreInTheUnitOfTheRequest) {
  const UdpSocket socket = open_on("127.0.0.1", {.receive_buffer = 50'000, .send_buffer = 60'000});
  EXPECT_EQ(socket.receive_buffer_granted(), 50'000U);
  EXPECT_EQ(socket.send_buffer_granted(), 60'000U);
}

TEST(UdpSocket, AdoptedSocketWorksLikeAnOpenedOne) {
  Fd bound(::socket(AF_INET, SOCK_DGRAM, 0));
  const SocketAddress any = to_socket_address({address("127.0.0.1"), Port{0}});
  ASSERT_EQ(::bind(bound.get(), &any.generic, any.length), 0);
  auto adopted = UdpSocket::adopt(std::move(bound), {});
  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_NE(adopted->local().port, Port{0});
  ASSERT_EQ(adopted->send(single(adopted->local(), "me")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(*adopted, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.to, address("127.0.0.1"));
  ReceiveBuffer buffer(1, 100);
  EXPECT_TRUE(adopted->receive(buffer).value().empty());  // would block, were it not non-blocking
}

TEST(UdpSocket, AdoptRefusesWhatIsNoUdpSocket) {
  EXPECT_FALSE(UdpSocket::adopt(Fd(::socket(AF_INET, SOCK_STREAM, 0)), {}));
  EXPECT_FALSE(UdpSocket::adopt(Fd(::socket(AF_UNIX, SOCK_DGRAM, 0)), {}));
  EXPECT_FALSE(UdpSocket::adopt(Fd(), {}));
}

TEST(LocalAddress, TowardsLoopbackIsLoopback) {
  EXPECT_EQ(local_address_towards({address("127.0.0.1"), Port{0}}).value(), address("127.0.0.1"));
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  EXPECT_EQ(local_address_towards({address("::1"), Port{6711}}).value(), address("::1"));
}

TEST(LocalAddress, TowardsNowhereIsAnErrorThatNamesTheAddress) {
  const auto found = local_address_towards({address("255.255.255.255"), Port{1}});
  ASSERT_FALSE(found);  // broadcasting needs a permission that we do not ask for
  EXPECT_THAT(found.error().message, HasSubstr("255.255.255.255"));
}

}  // namespace udp_socket_test
}  // namespace wyndrvr::os::testing
