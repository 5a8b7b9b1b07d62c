// The options of UdpSocket that show on the wire: traffic class, hop limit and interface.
#include <array>
#include <ostream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/host_info.hpp"
#include "os/udp_socket.hpp"
#include "unit/os_loopback.hpp"
#include "unit/os_own_network.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace path_options_test {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint8_t kExpeditedWithEct0 = 0xBA;  // DSCP 46 (EF), ECT(0)

// -1 where it cannot be read.
int option_of(const UdpSocket& socket, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(socket.fd(), level, name, &value, &length) == 0 ? value : -1;
}

struct ClassCase {
  const char* sender;
  const char* receiver;
  const char* reached_at;

  // Part of the test's name.
  friend void PrintTo(const ClassCase& one, std::ostream* out) {
    *out << one.sender << " to " << one.reached_at << " of " << one.receiver;
  }
};

class TrafficClass : public OnOneProcessor, public ::testing::WithParamInterface<ClassCase> {
 protected:
  void SetUp() override {
    const auto& [sender, receiver, reached_at] = GetParam();
    const bool v6 = address(sender).is_v6() || address(receiver).is_v6();
    if (v6 && !ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  }
};

TEST_P(TrafficClass, SetByTheSenderIsToldToTheReceiver) {
  const auto& [from, to, reached_at] = GetParam();
  UdpSocket sender = open_on(from, {.traffic_class = kExpeditedWithEct0});
  UdpSocket receiver = open_on(to, {.receive_traffic_class = true});
  ASSERT_EQ(sender.send(single(at(reached_at, receiver), "x")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.traffic_class, kExpeditedWithEct0);
}

TEST_P(TrafficClass, IsZeroWhereNoneWasSet) {
  const auto& [from, to, reached_at] = GetParam();
  UdpSocket sender = open_on(from);
  UdpSocket receiver = open_on(to, {.receive_traffic_class = true});
  ASSERT_EQ(sender.send(single(at(reached_at, receiver), "x")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.traffic_class, std::uint8_t{0});
}

TEST_P(TrafficClass, IsAbsentUnlessAskedFor) {
  const auto& [from, to, reached_at] = GetParam();
  UdpSocket sender = open_on(from, {.traffic_class = kExpeditedWithEct0});
  UdpSocket receiver = open_on(to);
  ASSERT_EQ(sender.send(single(at(reached_at, receiver), "x")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.traffic_class, std::nullopt);
}

// With every option on, one datagram brings all control messages that there are.
TEST_P(TrafficClass, LeavesRoomForAllThatComesWithATrain) {
  const auto& [from, to, reached_at] = GetParam();
  UdpSocket sender = open_on(from, {.traffic_class = 0xFF});
  UdpSocket receiver = open_on(to, {.gro = Offload::kAuto,
                                    .transmit_stamps = true,
                                    .error_queue = true,
                                    .receive_traffic_class = true});
  SendRequest request = single(at(reached_at, receiver), "aaabbbccc");
  request.segment_size = 3;
  ASSERT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 3);
  ASSERT_EQ(texts(got), (std::vector<std::string>{"aaa", "bbb", "ccc"}));
  for (const Datagram& datagram : got) {
    EXPECT_EQ(datagram.meta.traffic_class, std::uint8_t{0xFF});
    EXPECT_EQ(datagram.meta.to, address(reached_at));
    EXPECT_EQ(datagram.meta.segment_size, 3U);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryFamily, TrafficClass,
                         ::testing::Values(ClassCase{"127.0.0.1", "127.0.0.1", "127.0.0.1"},
                                           ClassCase{"::1", "::1", "::1"},
                                           ClassCase{"::", "::", "::1"},
                                           ClassCase{"::", "::", "127.0.0.1"},
                                           ClassCase{"127.0.0.1", "::", "127.0.0.1"},
                                           ClassCase{"::", "127.0.0.1", "127.0.0.1"}));

TEST(ReceiveBufferReuse, TrafficClassOfTheLastDatagramDoesNotStay) {
  UdpSocket sender = open_on("127.0.0.1", {.traffic_class = kExpeditedWithEct0});
  UdpSocket telling = open_on("127.0.0.1", {.receive_traffic_class = true});
  UdpSocket silent = open_on("127.0.0.1");
  ReceiveBuffer buffer(1, 100);
  for (UdpSocket* receiver : {&telling, &silent}) {
    ASSERT_EQ(sender.send(single(receiver->local(), "x")).status, SendOutcome::Status::kDone);
    ASSERT_TRUE(wait_for(receiver->fd(), POLLIN, kDeadline));
    const auto batch = receiver->receive(buffer);
    ASSERT_EQ(batch.value().size(), 1U);
    EXPECT_EQ(batch->front().traffic_class.has_value(), receiver == &telling);
  }
}

TEST(HopLimit, IsSetForEachFamilyThatTheSocketSpeaks) {
  EXPECT_EQ(option_of(open_on("127.0.0.1", {.hop_limit = 3}), SOL_IP, IP_TTL), 3);
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  EXPECT_EQ(option_of(open_on("::1", {.hop_limit = 255}), SOL_IPV6, IPV6_UNICAST_HOPS), 255);
  const UdpSocket both = open_on("::", {.hop_limit = 1});
  EXPECT_EQ(option_of(both, SOL_IPV6, IPV6_UNICAST_HOPS), 1);
  EXPECT_EQ(option_of(both, SOL_IP, IP_TTL), 1);
}

TEST(HopLimit, OfZeroIsAnErrorThatSaysWhatIsAllowed) {
  for (const char* local : {"127.0.0.1", "::1"}) {
    if (address(local).is_v6() && !ipv6_available()) continue;
    const auto socket = UdpSocket::open({.bind = {address(local), Port{0}}, .hop_limit = 0});
    ASSERT_FALSE(socket) << local;
    EXPECT_THAT(socket.error().message, AllOf(HasSubstr("hop limit"), HasSubstr("1 to 255")));
  }
}

TEST(Interface, UnknownOneIsAnErrorThatNamesItAndSaysWhereToLook) {
  for (const char* name : {"nosuchif0", "a-name-of-more-than-fifteen-octets"}) {
    const auto socket =
        UdpSocket::open({.bind = {address("127.0.0.1"), Port{0}}, .interface = name});
    ASSERT_FALSE(socket) << name;
    EXPECT_THAT(socket.error().message,
                AllOf(HasSubstr(std::string("interface ") + name), HasSubstr("No such device"),
                      HasSubstr("`ip link`"), HasSubstr("127.0.0.1")));
  }
}

// The kernel cuts a name to 15 octets (IFNAMSIZ less the zero) and would find another interface.
TEST(Interface, NameThatOnlyBeginsLikeOneIsUnknown) {
  const bool allowed = in_own_network(1'500, [] {
    const std::string longest = "fifteen-octets0";
    ASSERT_TRUE(rename_loopback(longest));
    const Endpoint bind{address("127.0.0.1"), Port{0}};
    EXPECT_TRUE(UdpSocket::open({.bind = bind, .interface = longest}));
    EXPECT_FALSE(UdpSocket::open({.bind = bind, .interface = longest + "x"}));
  });
  if (!allowed) GTEST_SKIP() << "may not make a network namespace here";
}

TEST(Interface, ChosenOneCarriesTheTraffic) {
  UdpSocket receiver = open_on("127.0.0.1", {.interface = "lo"});
  UdpSocket sender = open_on("127.0.0.1", {.interface = "lo"});
  ASSERT_EQ(sender.send(single(receiver.local(), "x")).status, SendOutcome::Status::kDone);
  EXPECT_EQ(texts(receive_datagrams(receiver, 1)), std::vector<std::string>{"x"});
}

TEST(Interface, IsBoundAndNoOther) {
  const UdpSocket socket = open_on("0.0.0.0", {.interface = "lo"});
  std::array<char, 16> name{};
  socklen_t length = name.size();
  ASSERT_EQ(getsockopt(socket.fd(), SOL_SOCKET, SO_BINDTODEVICE, name.data(), &length), 0);
  EXPECT_STREQ(name.data(), "lo");
}

TEST(LocalAddress, ByAnUnknownInterfaceIsAnErrorThatNamesIt) {
  const auto found = local_address_towards({address("127.0.0.1"), Port{0}}, "nosuchif0");
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, AllOf(HasSubstr("127.0.0.1"), HasSubstr("nosuchif0")));
  EXPECT_EQ(local_address_towards({address("127.0.0.1"), Port{0}}, "lo").value(),
            address("127.0.0.1"));
}

void drop_all_capabilities_of_this_thread() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  ASSERT_EQ(::syscall(SYS_capset, &header, none.data()), 0);
}

TEST(AdoptedSocket, TakesTheSameOptionsAgainWithoutAnyRights) {
  const UdpOptions options{.traffic_class = kExpeditedWithEct0,
                           .hop_limit = 9,
                           .never_fragment = true,
                           .interface = "lo",
                           .receive_traffic_class = true};
  UdpSocket opened = open_on("127.0.0.1", options);
  std::thread([&] {
    drop_all_capabilities_of_this_thread();
    const auto adopted = UdpSocket::adopt(opened.release(), options);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_EQ(option_of(*adopted, SOL_IP, IP_TTL), 9);
  }).join();
}

TEST(AdoptedSocket, KeepsWhatItsOpenerSetWhereTheOptionsSayNothing) {
  UdpSocket opened = open_on("127.0.0.1", {.traffic_class = kExpeditedWithEct0, .hop_limit = 9});
  UdpSocket receiver = open_on("127.0.0.1", {.receive_traffic_class = true});
  auto adopted = UdpSocket::adopt(opened.release(), {});
  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_EQ(option_of(*adopted, SOL_IP, IP_TTL), 9);
  ASSERT_EQ(adopted->send(single(receiver.local(), "x")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(receiver, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.traffic_class, kExpeditedWithEct0);
}

TEST(AdoptedSocket, GetsOptionsThatItsOpenerDidNotSet) {
  UdpSocket sender = open_on("127.0.0.1", {.traffic_class = 0x20});
  UdpSocket opened = open_on("127.0.0.1");
  auto adopted =
      UdpSocket::adopt(opened.release(), {.hop_limit = 7, .receive_traffic_class = true});
  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_EQ(option_of(*adopted, SOL_IP, IP_TTL), 7);
  ASSERT_EQ(sender.send(single(adopted->local(), "x")).status, SendOutcome::Status::kDone);
  const auto got = receive_datagrams(*adopted, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].meta.traffic_class, std::uint8_t{0x20});
}

}  // namespace path_options_test
}  // namespace wyndrvr::os::testing
