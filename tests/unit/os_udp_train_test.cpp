// Trains of equal segments: GSO, GRO, and the way without them.
#include <algorithm>
#include <ostream>

#include <gtest/gtest.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "os/host_info.hpp"
#include "os/udp_socket.hpp"
#include "unit/os_loopback.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace udp_train_test {

// Segments that differ, the last one shorter than the others.
struct Train {
  std::string bytes;
  std::vector<std::string> segments;
  std::uint32_t segment_size;

  Train(std::size_t count, std::uint32_t size, std::size_t last_size) : segment_size(size) {
    for (std::size_t i = 0; i < count; ++i) {
      std::string segment = fmt::format("segment {} ", i);
      segment.resize(i + 1 < count ? size : last_size, static_cast<char>('!' + i));
      segments.push_back(segment);
      bytes += segment;
    }
  }
  [[nodiscard]] SendRequest to(const Endpoint& peer, bool gso) const {
    SendRequest request = single(peer, bytes);
    request.segment_size = segment_size;
    request.gso_allowed = gso;
    return request;
  }
};

// Whether exactly the train's segments come, in order; a failure shows the first difference only.
::testing::AssertionResult arrives(UdpSocket& receiver, const Train& train) {
  const auto got = texts(receive_datagrams(receiver, train.segments.size()));
  if (got == train.segments) return ::testing::AssertionSuccess();
  const auto [wrong, expected] = std::ranges::mismatch(got, train.segments);
  return ::testing::AssertionFailure()
         << got.size() << " of " << train.segments.size() << " segments, number "
         << wrong - got.begin() << " is the first that is not as sent";
}

constexpr std::uint32_t kAmpleBuffer = 1'000'000;

struct Case {
  bool gso;
  bool gro;
  const char* address;

  // Part of the test's name.
  friend void PrintTo(const Case& one, std::ostream* out) {
    *out << "GSO " << (one.gso ? "on" : "off") << ", GRO " << (one.gro ? "on" : "off") << ", "
         << one.address;
  }
};

class UdpTrain : public OnOneProcessor, public ::testing::WithParamInterface<Case> {};

TEST_P(UdpTrain, ArrivesCompleteAndInOrderWithItsShorterLastSegment) {
  if (address(GetParam().address).is_v6() && !ipv6_available()) GTEST_SKIP() << "no IPv6 here";
  UdpSocket receiver = open_on(
      GetParam().address,
      {.gro = GetParam().gro ? Offload::kAuto : Offload::kOff, .receive_buffer = kAmpleBuffer});
  UdpSocket sender = open_on(GetParam().address);
  if (GetParam().gso && !sender.gso_available()) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
  const Train train(64, 1'000, 321);
  const SendOutcome outcome = sender.send(train.to(receiver.local(), GetParam().gso));
  EXPECT_EQ(outcome.status, SendOutcome::Status::kDone);
  EXPECT_EQ(outcome.bytes_sent, train.bytes.size());
  EXPECT_TRUE(arrives(receiver, train));
  EXPECT_EQ(sender.gso_available(), open_on("127.0.0.1").gso_available());
}

INSTANTIATE_TEST_SUITE_P(EveryPath, UdpTrain,
                         ::testing::Values(Case{true, true, "127.0.0.1"},
                                           Case{true, false, "127.0.0.1"},
                                           Case{false, true, "127.0.0.1"},
                                           Case{false, false, "127.0.0.1"}, Case{true, true, "::1"},
                                           Case{false, false, "::1"}));

using UdpTrainGro = OnOneProcessor;

TEST_F(UdpTrainGro, TrainArrivesAsOneBufferWithItsStride) {
  UdpSocket receiver =
      open_on("127.0.0.1", {.gro = Offload::kAuto, .receive_buffer = kAmpleBuffer});
  UdpSocket sender = open_on("127.0.0.1");
  if (!receiver.gro_enabled() || !sender.gso_available()) GTEST_SKIP() << "no GSO or GRO here";
  const Train train(10, 900, 100);
  ASSERT_EQ(sender.send(train.to(receiver.local(), true)).status, SendOutcome::Status::kDone);
  ReceiveBuffer buffer(4, 65'535);
  OneProcessor::settle();
  const auto batch = receiver.receive(buffer);
  ASSERT_EQ(batch.value().size(), 1U);
  EXPECT_EQ(batch->front().segment_size, 900U);
  EXPECT_EQ(as_text(batch->front().bytes), train.bytes);
}

TEST_F(UdpTrainGro, IsOffUnlessAskedFor) {
  EXPECT_FALSE(open_on("127.0.0.1").gro_enabled());
}

using UdpTrainGso = OnOneProcessor;

TEST_F(UdpTrainGso, FullSuperPacketOfLargestSizeFits) {
  UdpSocket receiver =
      open_on("127.0.0.1", {.gro = Offload::kAuto, .receive_buffer = kAmpleBuffer});
  UdpSocket sender = open_on("127.0.0.1");
  const Train train(46, 1'425, kMaxSuperPacketBytes - 45 * 1'425);
  ASSERT_EQ(train.bytes.size(), kMaxSuperPacketBytes);
  ASSERT_EQ(sender.send(train.to(receiver.local(), true)).status, SendOutcome::Status::kDone);
  EXPECT_TRUE(arrives(receiver, train));
}

TEST_F(UdpTrainGso, LongTrainLeavesAsSeveralFullSuperPackets) {
  UdpSocket receiver =
      open_on("127.0.0.1", {.gro = Offload::kAuto, .receive_buffer = kAmpleBuffer});
  UdpSocket sender = open_on("127.0.0.1");
  if (!receiver.gro_enabled() || !sender.gso_available()) GTEST_SKIP() << "no GSO or GRO here";
  const Train train(4 * 46, 1'400, 900);
  ASSERT_EQ(sender.send(train.to(receiver.local(), true)).status, SendOutcome::Status::kDone);
  ReceiveBuffer buffer(8, 65'535);
  OneProcessor::settle();
  const auto batch = receiver.receive(buffer);
  ASSERT_EQ(batch.value().size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ((*batch)[i].bytes.size(), 46U * 1'400U);
}

int kept_segment_size(const UdpSocket& socket) {
  int size = -1;
  socklen_t length = sizeof size;
  EXPECT_EQ(::getsockopt(socket.fd(), SOL_UDP, UDP_SEGMENT, &size, &length), 0);
  return size;
}

TEST_F(UdpTrainGso, TheKernelKeepsASizeThatComesAgainAndCutsNothingElseByIt) {
  UdpSocket receiver = open_on("127.0.0.1", {.receive_buffer = kAmpleBuffer});
  UdpSocket sender = open_on("127.0.0.1", {.transmit_stamps = true});
  if (!sender.gso_available()) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
  const auto passes = [&](const Train& train, bool gso) {
    const SendOutcome outcome = sender.send(train.to(receiver.local(), gso));
    EXPECT_EQ(outcome.status, SendOutcome::Status::kDone);
    return arrives(receiver, train);
  };
  const Train train(20, 500, 100);
  EXPECT_TRUE(passes(train, true));
  EXPECT_EQ(kept_segment_size(sender), 0) << "it may not come again";
  EXPECT_TRUE(passes(train, true));
  EXPECT_EQ(kept_segment_size(sender), 500);
  EXPECT_TRUE(passes(train, true));

  EXPECT_TRUE(passes(Train(10, 700, 50), true)) << "another size";
  EXPECT_EQ(kept_segment_size(sender), 500);
  EXPECT_TRUE(passes(Train(10, 700, 700), false)) << "no super-packets";
  const std::string longer(1'200, 'x');
  SendRequest request = single(receiver.local(), longer);
  ASSERT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
  request.stamp_token = 1;
  ASSERT_EQ(sender.send(request).status, SendOutcome::Status::kDone);
  EXPECT_EQ(texts(receive_datagrams(receiver, 2)), (std::vector{longer, longer}));
}

TEST_F(UdpTrainGso, WhoTakesOverASocketDoesNotCutByTheSizeThatItKept) {
  UdpSocket receiver = open_on("127.0.0.1");
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int size = 100;
  if (::setsockopt(fd.get(), SOL_UDP, UDP_SEGMENT, &size, sizeof size) != 0) {
    GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
  }
  auto sender = UdpSocket::adopt(std::move(fd), {});
  ASSERT_TRUE(sender) << sender.error().message;
  const std::string longer(500, 'x');
  ASSERT_EQ(sender->send(single(receiver.local(), longer)).status, SendOutcome::Status::kDone);
  EXPECT_EQ(texts(receive_datagrams(receiver, 1)), std::vector{longer});
}

TEST_F(UdpTrainGso, RefusedTrainIsSentPlainlyAndGsoStaysOff) {
  UdpSocket receiver = open_on("127.0.0.1", {.receive_buffer = kAmpleBuffer});
  UdpSocket sender = open_on("127.0.0.1");
  if (!sender.gso_available()) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
  // The kernel cuts no trains for a socket without UDP checksums.
  const int no_checksums = 1;
  ASSERT_EQ(::setsockopt(sender.fd(), SOL_SOCKET, SO_NO_CHECK, &no_checksums, sizeof(int)), 0);
  const Train train(20, 1'000, 10);
  const SendOutcome outcome = sender.send(train.to(receiver.local(), true));
  EXPECT_EQ(outcome.status, SendOutcome::Status::kDone);
  EXPECT_EQ(outcome.bytes_sent, train.bytes.size());
  EXPECT_TRUE(arrives(receiver, train));
  EXPECT_FALSE(sender.gso_available());
}

TEST_F(UdpTrainGso, WrongSourceAddressIsNotTakenForARefusalOfGso) {
  if (!ipv6_available()) GTEST_SKIP() << "no IPv6 here";  // only IPv6 says EINVAL
  UdpSocket receiver = open_on("::1");
  UdpSocket sender = open_on("::");
  const bool available = sender.gso_available();
  const Train train(3, 100, 100);
  SendRequest request = train.to(receiver.local(), true);
  request.from = address("2001:db8::7");
  const SendOutcome outcome = sender.send(request);
  EXPECT_EQ(outcome.status, SendOutcome::Status::kFailed);
  EXPECT_EQ(outcome.error, EINVAL);
  EXPECT_EQ(outcome.bytes_sent, 0U);
  EXPECT_EQ(sender.gso_available(), available);
}

TEST(UdpTrainDeathTest, MoreSegmentsThanTheBoundIsOurOwnBug) {
  UdpSocket sender = open_on("127.0.0.1");
  const Train train(kMaxTrainSegments + 1, 20, 20);
  const SendRequest request = train.to(sender.local(), false);
  EXPECT_DEATH(static_cast<void>(sender.send(request)), "bug at");
}

}  // namespace udp_train_test
}  // namespace wyndrvr::os::testing
