// What becomes of trains where the kernel or the path takes none: every refusal, by a filter that
// has system calls of one thread fail (seccomp(2)), and the slots of those who receive singly.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "os/udp_setup.hpp"
#include "os/udp_socket.hpp"
#include "unit/os_loopback.hpp"
#include "unit/os_own_network.hpp"
#include "unit/os_refused_call.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace udp_offload_test {

using ::testing::HasSubstr;

// So many octets, all different within a train.
std::string patterned(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += fmt::format("{:07} ", i);
  text.resize(size);
  return text;
}

SendRequest train_to(const Endpoint& peer, std::string_view text, std::uint32_t segment_size) {
  SendRequest request = single(peer, text);
  request.segment_size = segment_size;
  return request;
}

std::string joined(const std::vector<Datagram>& datagrams) {
  std::string text;
  for (const Datagram& datagram : datagrams) text += datagram.text;
  return text;
}

UdpSocket roomy_receiver(Offload gro = Offload::kOff) {
  return open_on("127.0.0.1", {.gro = gro, .receive_buffer = 4'000'000});
}

// A super-packet alone is a sendmsg(2), datagrams by themselves are a sendmmsg(2): the one can be
// refused without the other.
class GsoRefusal : public OnOneProcessor, public ::testing::WithParamInterface<int> {};

TEST_P(GsoRefusal, LosesNothing) {
  UdpSocket receiver = roomy_receiver();
  UdpSocket sender = open_on("127.0.0.1");
  if (!sender.gso_available()) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
  const std::string text = patterned(40 * 1'000 + 7);
  SendOutcome outcome;
  const bool ran = while_refused(__NR_sendmsg, static_cast<unsigned>(GetParam()), {}, [&] {
    outcome = sender.send(train_to(receiver.local(), text, 1'000));
  });
  if (!ran) GTEST_SKIP() << "no system call filters here";
  EXPECT_EQ(outcome.status, SendOutcome::Status::kDone);
  EXPECT_EQ(outcome.bytes_sent, text.size());
  const auto datagrams = receive_datagrams(receiver, 41);
  EXPECT_EQ(datagrams.size(), 41U);
  EXPECT_EQ(joined(datagrams), text);
}

TEST_P(GsoRefusal, IsRemembered) {
  UdpSocket receiver = roomy_receiver(Offload::kAuto);
  UdpSocket sender = open_on("127.0.0.1");
  if (!sender.gso_available() || !receiver.gro_enabled()) GTEST_SKIP() << "no GSO or GRO here";
  const std::string text = patterned(10'000);
  const bool ran = while_refused(__NR_sendmsg, static_cast<unsigned>(GetParam()), {}, [&] {
    static_cast<void>(sender.send(train_to(receiver.local(), text, 1'000)));
  });
  if (!ran) GTEST_SKIP() << "no system call filters here";
  ASSERT_EQ(receive_datagrams(receiver, 10).size(), 10U);
  // Nothing refuses it any more, but a train is no longer tried.
  ASSERT_EQ(sender.send(train_to(receiver.local(), text, 1'000)).bytes_sent, text.size());
  for (const Datagram& datagram : receive_datagrams(receiver, 10)) {
    EXPECT_EQ(datagram.meta.segment_size, datagram.text.size());
    EXPECT_EQ(datagram.meta.bytes.size(), datagram.text.size());
  }
}

INSTANTIATE_TEST_SUITE_P(ByErrno, GsoRefusal, ::testing::Values(EIO, EINVAL, EOPNOTSUPP, EMSGSIZE));

using UdpOffload = OnOneProcessor;

TEST_F(UdpOffload, SegmentsTooLongForThePathSayNothingOfShorterOnes) {
  UdpSocket receiver = roomy_receiver(Offload::kAuto);
  UdpSocket sender = open_on("127.0.0.1");
  if (!sender.gso_available() || !receiver.gro_enabled()) GTEST_SKIP() << "no GSO or GRO here";
  const std::string text = patterned(10'000);
  const bool ran = while_refused(__NR_sendmsg, EMSGSIZE, {}, [&] {
    static_cast<void>(sender.send(train_to(receiver.local(), text, 1'000)));
  });
  if (!ran) GTEST_SKIP() << "no system call filters here";
  ASSERT_EQ(receive_datagrams(receiver, 10).size(), 10U);
  ASSERT_EQ(sender.send(train_to(receiver.local(), text, 500)).bytes_sent, text.size());
  ReceiveBuffer buffer(4, ReceiveBuffer::kTrainSlot);
  OneProcessor::settle();
  const auto batch = receiver.receive(buffer);
  ASSERT_EQ(batch.value().size(), 1U);
  EXPECT_EQ(batch->front().bytes.size(), text.size());
}

TEST_F(UdpOffload, AFullQueueBelowTheSocketIsNoRefusal) {
  UdpSocket receiver = roomy_receiver();
  UdpSocket sender = open_on("127.0.0.1");
  if (!sender.gso_available()) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
  const std::string text = patterned(10'000);
  SendOutcome outcome;
  const bool ran = while_refused(__NR_sendmsg, ENOBUFS, {}, [&] {
    outcome = sender.send(train_to(receiver.local(), text, 1'000));
  });
  if (!ran) GTEST_SKIP() << "no system call filters here";
  EXPECT_EQ(outcome.status, SendOutcome::Status::kNoBuffers);
  EXPECT_EQ(outcome.bytes_sent, 0U);
  EXPECT_TRUE(sender.gso_available());
}

TEST_F(UdpOffload, AKernelThatTakesFewerSegmentsGetsFewer) {
  UdpSocket receiver = roomy_receiver(Offload::kAuto);
  UdpSocket sender = open_on("127.0.0.1");
  if (!sender.gso_available() || !receiver.gro_enabled()) GTEST_SKIP() << "no GSO or GRO here";
  const std::string text = patterned(100 * 64);
  // 100 segments are one super-packet, or, of 64 segments at most, two and so a sendmmsg(2). Both
  // times nothing is left to the datagrams by themselves.
  SendOutcome first;
  SendOutcome second;
  const bool ran = while_refused(__NR_sendmsg, EINVAL, {}, [&] {
    first = sender.send(train_to(receiver.local(), text, 64));
    second = sender.send(train_to(receiver.local(), text, 64));
  });
  if (!ran) GTEST_SKIP() << "no system call filters here";
  EXPECT_EQ(first.bytes_sent, text.size());
  EXPECT_EQ(second.bytes_sent, text.size());
  EXPECT_TRUE(sender.gso_available());
  ReceiveBuffer buffer(4, ReceiveBuffer::kTrainSlot);
  OneProcessor::settle();
  const auto batch = receiver.receive(buffer);
  ASSERT_EQ(batch.value().size(), 4U);
  std::string got;
  for (const Received& received : *batch) {
    EXPECT_EQ(received.segment_size, 64U);
    got += as_text(received.bytes);
  }
  EXPECT_EQ(got, text + text);
}

TEST_F(UdpOffload, ATrainOfManySmallSegmentsArrivesWhateverThePathTakes) {
  for (const bool checksums : {true, false}) {
    UdpSocket receiver = roomy_receiver();
    UdpSocket sender = open_on("127.0.0.1");
    // The kernel cuts no trains for a socket without UDP checksums.
    const int none = checksums ? 0 : 1;
    ASSERT_EQ(::setsockopt(sender.fd(), SOL_SOCKET, SO_NO_CHECK, &none, sizeof none), 0);
    const std::string text = patterned(kMaxTrainSegments * 63 + 5);
    const SendOutcome outcome = sender.send(train_to(receiver.local(), text, 64));
    EXPECT_EQ(outcome.status, SendOutcome::Status::kDone);
    EXPECT_EQ(outcome.bytes_sent, text.size());
    EXPECT_EQ(joined(receive_datagrams(receiver, (text.size() + 63) / 64)), text);
  }
}

TEST_F(UdpOffload, SegmentsAboveTheMtuGoByThemselvesAndGsoStaysForOthers) {
  const bool ran = in_own_network(1'500, [] {
    UdpSocket receiver = roomy_receiver();
    UdpSocket sender = open_on("127.0.0.1");
    const bool available = sender.gso_available();
    const std::string text = patterned(10 * 3'000);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(sender.send(train_to(receiver.local(), text, 3'000)).bytes_sent, text.size());
      EXPECT_EQ(joined(receive_datagrams(receiver, 10)), text);
    }
    // Before Linux 6.14 or so the kernel said EINVAL, which is a refusal of all.
    if (sender.gso_available() != available) GTEST_SKIP() << "an older kernel";
    EXPECT_EQ(sender.send(train_to(receiver.local(), text, 1'000)).bytes_sent, text.size());
    EXPECT_EQ(joined(receive_datagrams(receiver, 30)), text);
  });
  if (!ran) GTEST_SKIP() << "may not make a network of its own";
}

TEST_F(UdpOffload, OffIsNeverTried) {
  UdpSocket receiver = roomy_receiver(Offload::kAuto);
  UdpSocket sender = open_on("127.0.0.1", {.gso = Offload::kOff});
  EXPECT_FALSE(sender.gso_available());
  const std::string text = patterned(70 * 100);
  EXPECT_EQ(sender.send(train_to(receiver.local(), text, 100)).bytes_sent, text.size());
  const auto datagrams = receive_datagrams(receiver, 70);
  EXPECT_EQ(joined(datagrams), text);
  for (const Datagram& datagram : datagrams) EXPECT_EQ(datagram.meta.bytes.size(), 100U);
}

TEST_F(UdpOffload, GroThatIsOffIsTakenOffASocketThatIsAdopted) {
  UdpSocket opened = roomy_receiver(Offload::kAuto);
  if (!opened.gro_enabled()) GTEST_SKIP() << "this kernel has no UDP_GRO";
  auto adopted = UdpSocket::adopt(opened.release(), {.gro = Offload::kOff});
  ASSERT_TRUE(adopted);
  EXPECT_FALSE(adopted->gro_enabled());
  int value = -1;
  socklen_t length = sizeof value;
  ASSERT_EQ(::getsockopt(adopted->fd(), SOL_UDP, UDP_GRO, &value, &length), 0);
  EXPECT_EQ(value, 0);
}

TEST_F(UdpOffload, OnIsAnErrorWhereTheKernelDoesNotKnowIt) {
  std::string gso;
  std::string gro;
  bool automatic = false;
  const auto message = [](const Result<void>& checked) {
    return checked ? std::string("<accepted>") : checked.error().message;
  };
  const bool ran_gso = while_refused(__NR_getsockopt, ENOPROTOOPT, UDP_SEGMENT, [&] {
    gso = message(check_offloads({.gso = Offload::kOn}));
    const UdpSocket socket = open_on("127.0.0.1");
    automatic = !socket.gso_available();
  });
  const bool ran_gro = while_refused(__NR_setsockopt, ENOPROTOOPT, UDP_GRO, [&] {
    gro = message(check_offloads({.gro = Offload::kOn}));
    const UdpSocket socket = open_on("127.0.0.1", {.gro = Offload::kAuto});
    automatic = automatic && !socket.gro_enabled();
    EXPECT_FALSE(UdpSocket::open({.bind = socket.local(), .gro = Offload::kOn}));
  });
  if (!ran_gso || !ran_gro) GTEST_SKIP() << "no system call filters here";
  EXPECT_THAT(gso, HasSubstr("UDP_SEGMENT: Protocol not available"));
  EXPECT_THAT(gso, HasSubstr("set gso to auto or off"));
  EXPECT_THAT(gro, HasSubstr("UDP_GRO: Protocol not available"));
  EXPECT_THAT(gro, HasSubstr("set gro to auto or off"));
  EXPECT_TRUE(automatic);
}

TEST_F(UdpOffload, WithoutGroManySmallDatagramsComeAtOnceAndLongOnesWhole) {
  UdpSocket small = open_on("127.0.0.1", {.longest_datagram = 1'400, .receive_buffer = 4'000'000});
  UdpSocket large = open_on("127.0.0.1", {.longest_datagram = 65'507, .receive_buffer = 4'000'000});
  UdpSocket sender = open_on("127.0.0.1", {.gso = Offload::kOff, .send_buffer = 1'000'000});
  ReceiveBuffer buffer(8, ReceiveBuffer::kTrainSlot);
  const std::string text = patterned(40 * 1'400);
  const std::string long_text = patterned(65'507);
  // In turns, for the sockets of a loop share the buffer.
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(sender.send(train_to(small.local(), text, 1'400)).bytes_sent, text.size());
    ASSERT_EQ(sender.send(single(large.local(), long_text)).bytes_sent, long_text.size());
    OneProcessor::settle();
    auto batch = small.receive(buffer);
    ASSERT_EQ(batch.value().size(), 40U);
    std::string got;
    for (const Received& received : *batch) got += as_text(received.bytes);
    EXPECT_EQ(got, text);
    EXPECT_LT(batch->size(), buffer.slot_count());
    batch = large.receive(buffer);
    ASSERT_EQ(batch.value().size(), 1U);
    EXPECT_FALSE(batch->front().truncated);
    EXPECT_EQ(as_text(batch->front().bytes), long_text);
    EXPECT_EQ(buffer.slot_count(), 8U);
  }
}

TEST_F(UdpOffload, ABufferOfSmallSlotsIsNotCutBeyondItsMemory) {
  UdpSocket receiver = open_on("127.0.0.1", {.longest_datagram = 65'507});
  UdpSocket sender = open_on("127.0.0.1");
  ReceiveBuffer buffer(2, ReceiveBuffer::kSmallSlot);
  const std::string text = patterned(6'000);
  ASSERT_EQ(sender.send(single(receiver.local(), text)).bytes_sent, text.size());
  OneProcessor::settle();
  const auto batch = receiver.receive(buffer);
  ASSERT_EQ(batch.value().size(), 1U);
  EXPECT_TRUE(batch->front().truncated);
  EXPECT_EQ(batch->front().bytes.size(), 2 * ReceiveBuffer::kSmallSlot);
}

}  // namespace udp_offload_test
}  // namespace wyndrvr::os::testing
