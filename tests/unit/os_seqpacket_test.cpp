#include <algorithm>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "os/seqpacket.hpp"
#include "unit/child_test_support.hpp"

namespace wyndrvr::os::testing {
namespace seqpacket_test {

using ::testing::AllOf;
using ::testing::HasSubstr;

ChannelPair open_pair() {
  auto pair = open_channel_pair();
  if (!pair) ADD_FAILURE() << pair.error().message;
  return std::move(pair.value());
}

TEST(Seqpacket, BothEndsAreNonBlockingAndCloseOnExec) {
  const ChannelPair pair = open_pair();
  for (const int fd : {pair.a.get(), pair.b.get()}) {
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST(Seqpacket, FramesArriveWholeAndInOrderBothWays) {
  const ChannelPair pair = open_pair();
  ASSERT_TRUE(say(pair.a.get(), "one"));
  ASSERT_TRUE(say(pair.a.get(), "and two"));
  ASSERT_TRUE(say(pair.b.get(), "back"));
  EXPECT_EQ(next_frame(pair.b.get()), "one");
  EXPECT_EQ(next_frame(pair.b.get()), "and two");
  EXPECT_EQ(next_frame(pair.a.get()), "back");
}

TEST(Seqpacket, EmptyChannelBlocksTheReader) {
  const ChannelPair pair = open_pair();
  std::array<std::byte, 8> buffer;
  const ReceivedFrame frame = receive_frame(pair.a.get(), buffer);
  EXPECT_EQ(frame.status, ChannelStatus::kBlocked);
  EXPECT_TRUE(frame.bytes.empty());
}

TEST(Seqpacket, FrameLargerThanTheBufferIsSaidToBeTruncated) {
  const ChannelPair pair = open_pair();
  ASSERT_TRUE(say(pair.a.get(), "123456789"));
  ASSERT_TRUE(say(pair.a.get(), "12345678"));
  std::array<std::byte, 8> buffer;
  ReceivedFrame frame = receive_frame(pair.b.get(), buffer);
  EXPECT_TRUE(frame.truncated);
  EXPECT_EQ(as_text(frame.bytes), "12345678");
  frame = receive_frame(pair.b.get(), buffer);
  EXPECT_FALSE(frame.truncated);
  EXPECT_EQ(as_text(frame.bytes), "12345678");
}

TEST(Seqpacket, FullChannelBlocksTheSenderAndLosesNothing) {
  const ChannelPair pair = open_pair();
  std::size_t sent = 0;
  while (sent < 100'000 && say(pair.a.get(), std::to_string(sent))) ++sent;
  ASSERT_LT(sent, 100'000U);
  EXPECT_EQ(send_frame(pair.a.get(), as_bytes("more")), ChannelStatus::kBlocked);
  for (std::size_t i = 0; i < sent; ++i) {
    ASSERT_EQ(next_frame(pair.b.get()), std::to_string(i));
  }
  EXPECT_EQ(send_frame(pair.a.get(), as_bytes("more")), ChannelStatus::kDone);
  EXPECT_EQ(next_frame(pair.b.get()), "more");
}

TEST(Seqpacket, FramesSentBeforeTheEndAreStillRead) {
  ChannelPair pair = open_pair();
  ASSERT_TRUE(say(pair.a.get(), "last words"));
  pair.a.reset();
  EXPECT_EQ(next_frame(pair.b.get()), "last words");
  std::array<std::byte, 8> buffer;
  EXPECT_EQ(receive_frame(pair.b.get(), buffer).status, ChannelStatus::kClosed);
}

// A broken pipe would otherwise end the program.
TEST(Seqpacket, SendingToAClosedEndIsClosedAndRaisesNoSignal) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  ChannelPair pair = open_pair();
  pair.b.reset();
  EXPECT_EQ(send_frame(pair.a.get(), as_bytes("anyone?")), ChannelStatus::kClosed);
  std::signal(SIGPIPE, before);
}

// The kernel reports unread frames of the closer as a reset connection.
TEST(Seqpacket, FramesBeforeAnEndWithUnreadOnesAreStillRead) {
  ChannelPair pair = open_pair();
  ASSERT_TRUE(say(pair.a.get(), "unread"));
  ASSERT_TRUE(say(pair.b.get(), "last words"));
  pair.b.reset();
  EXPECT_EQ(next_frame(pair.a.get()), "last words");
  std::array<std::byte, 8> buffer;
  EXPECT_EQ(receive_frame(pair.a.get(), buffer).status, ChannelStatus::kClosed);
}

TEST(Seqpacket, EndWithUnreadFramesIsClosedToo) {
  ChannelPair pair = open_pair();
  ASSERT_TRUE(say(pair.a.get(), "unread"));
  pair.b.reset();
  std::array<std::byte, 8> buffer;
  EXPECT_EQ(receive_frame(pair.a.get(), buffer).status, ChannelStatus::kClosed);
}

TEST(Seqpacket, WaitSeesAFrameThatIsThere) {
  const ChannelPair pair = open_pair();
  EXPECT_FALSE(wait_readable(pair.b.get(), 0s));
  EXPECT_FALSE(wait_readable(pair.b.get(), -1s));
  ASSERT_TRUE(say(pair.a.get(), "frame"));
  EXPECT_TRUE(wait_readable(pair.b.get(), 0s));
}

TEST(Seqpacket, WaitEndsWhenAFrameComes) {
  const ChannelPair pair = open_pair();
  const std::jthread sender([&pair] { say(pair.a.get(), "frame"); });
  EXPECT_TRUE(wait_readable(pair.b.get(), kDeadline));
}

TEST(Seqpacket, WaitEndsWithTheChannel) {
  ChannelPair pair = open_pair();
  pair.a.reset();
  EXPECT_TRUE(wait_readable(pair.b.get(), kDeadline));
}

TEST(Seqpacket, WaitForANumberThatIsNoDescriptorIsInVain) {
  EXPECT_FALSE(wait_readable(1'000'000, kDeadline));
}

TEST(Seqpacket, OnlySeqpacketSocketsOfThisHostAreChannels) {
  const ChannelPair pair = open_pair();
  EXPECT_TRUE(is_channel(pair.a.get()));
  EXPECT_TRUE(is_channel(pair.b.get()));
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Fd stream(ends[0]);
  const Fd other(ends[1]);
  EXPECT_FALSE(is_channel(stream.get()));
  EXPECT_FALSE(is_channel(Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)).get()));
  EXPECT_FALSE(is_channel(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get()));
  EXPECT_FALSE(is_channel(-1));
}

TEST(Seqpacket, DescriptorLimitIsNamedWithWhatToDo) {
  if (!can_do_without_descriptors()) GTEST_SKIP() << "the sanitizers need descriptors";
  TestChild child = start_child("limited descriptors");
  // Its descriptors are 0-3.
  EXPECT_THAT(
      next_frame(child.channel.get()).value_or(""),
      AllOf(HasSubstr("channel"), HasSubstr("Too many open files"),
            HasSubstr("may hold 4 descriptors"), HasSubstr("ulimit -n"), HasSubstr("LimitNOFILE")));
}

TEST(SeqpacketDeathTest, EmptyFrameIsABug) {
  const ChannelPair pair = open_pair();
  EXPECT_DEATH((void)send_frame(pair.a.get(), {}), "frame.empty");
}

}  // namespace seqpacket_test
}  // namespace wyndrvr::os::testing
