#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "os/clock.hpp"
#include "os/seqpacket.hpp"
#include "runtime/worker_channel.hpp"

namespace wyndrvr::runtime {
namespace worker_channel_test {

// A channel whose other end is a bare descriptor in the test's hand.
class WorkerChannelTest : public ::testing::Test,
                          public WorkerChannel::Listener,
                          public EventSource {
 protected:
  void SetUp() override {
    auto pair = os::open_channel_pair();
    ASSERT_TRUE(pair);
    other = std::move(pair->b);
    loop.emplace(std::move(*EventLoop::create({})));
    channel.emplace(*loop, std::move(pair->a), *this);
    ASSERT_TRUE(channel->start());
    timer = *loop->add(EventLoop::kNoDescriptor, *this);
  }
  void TearDown() override {
    channel.reset();
    loop->remove(timer);
  }
  void on_frame(WorkerChannel&, Frame frame) override { frames.push_back(std::move(frame)); }
  void on_channel_end(WorkerChannel&, WorkerChannel::End how) override { ends.push_back(how); }
  void on_ready(const Readiness&) override {}
  void on_wake(Instant) override { loop->stop(); }

  // Everything that the loop has to do now.
  void settle() {
    loop->set_deadline(timer, os::monotonic_now());
    ASSERT_TRUE(loop->run());
  }
  // The next frame at the other end.
  std::optional<Frame> take() {
    const auto received = os::receive_frame(other.get(), buffer);
    if (received.status != os::ChannelStatus::kDone) return std::nullopt;
    return decode_frame(received.bytes);
  }
  // Sends Pings until the kernel takes no more and frames wait here.
  std::uint32_t fill() {
    std::uint32_t count = 0;
    while (channel->flushed()) channel->send(Ping{count++});
    return count;
  }

  std::optional<EventLoop> loop;
  std::optional<WorkerChannel> channel;
  os::Fd other;
  EventLoop::Id timer{};
  std::vector<Frame> frames;
  std::vector<WorkerChannel::End> ends;
  std::vector<std::byte> buffer = std::vector<std::byte>(4096);
};

TEST_F(WorkerChannelTest, FramesArriveInOrder) {
  std::vector<std::byte> octets;
  for (std::uint32_t i = 0; i < 100; ++i) {
    encode(Ping{i}, octets);
    ASSERT_EQ(os::send_frame(other.get(), octets), os::ChannelStatus::kDone);
  }
  while (frames.size() < 100) settle();
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(std::get<Ping>(frames[i]).number, i);
}

TEST_F(WorkerChannelTest, WhatTheKernelDoesNotTakeYetFollowsInOrder) {
  const std::uint32_t count = fill();
  for (std::uint32_t i = 0; i < count; ++i) {
    auto frame = take();
    while (!frame) {
      settle();
      frame = take();
    }
    EXPECT_EQ(std::get<Ping>(*frame).number, i);
  }
  EXPECT_TRUE(channel->flushed());
}

TEST_F(WorkerChannelTest, StateThatWaitsIsReplacedByNewerState) {
  fill();
  for (std::uint64_t packets = 1; packets <= 1000; ++packets) {
    engine::ReceiverProgress progress;
    progress.totals.packets = packets;
    channel->send(ipc::Letter{engine::Mailbox::kUpload, progress});
  }
  EXPECT_TRUE(ends.empty());
  std::vector<std::uint64_t> seen;
  for (int idle = 0; idle < 2; settle()) {
    const auto frame = take();
    idle = frame ? 0 : idle + 1;
    if (!frame) continue;
    if (const auto* letter = std::get_if<ipc::Letter>(&*frame)) {
      seen.push_back(std::get<engine::ReceiverProgress>(letter->message).totals.packets);
    }
  }
  EXPECT_EQ(seen, std::vector<std::uint64_t>{1000});
}

TEST_F(WorkerChannelTest, AnOtherEndThatNeverReadsIsGivenUp) {
  fill();
  for (std::uint32_t i = 0; i <= ipc::Outbox::kCapacity && ends.empty(); ++i) {
    channel->send(Ping{i});
  }
  EXPECT_EQ(ends, std::vector{WorkerChannel::End::kOverflow});
  channel->send(Ping{});
  EXPECT_EQ(ends.size(), 1U);
}

TEST_F(WorkerChannelTest, OctetsThatAreNoFrameEndTheChannel) {
  const std::vector<std::byte> garbage(10, std::byte{0xee});
  ASSERT_EQ(os::send_frame(other.get(), garbage), os::ChannelStatus::kDone);
  settle();
  EXPECT_EQ(ends, std::vector{WorkerChannel::End::kGarbage});
  EXPECT_TRUE(frames.empty());
}

TEST_F(WorkerChannelTest, LastWordsAreReadBeforeTheEnd) {
  std::vector<std::byte> octets;
  encode(Pong{5}, octets);
  ASSERT_EQ(os::send_frame(other.get(), octets), os::ChannelStatus::kDone);
  other.reset();
  settle();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(ends, std::vector{WorkerChannel::End::kClosed});
}

TEST_F(WorkerChannelTest, AfterTheEndOfSendingFramesStillCome) {
  channel->send(Ping{1});
  channel->finish_sending();
  EXPECT_TRUE(take());
  EXPECT_EQ(os::receive_frame(other.get(), buffer).status, os::ChannelStatus::kClosed);
  std::vector<std::byte> octets;
  encode(Pong{5}, octets);
  ASSERT_EQ(os::send_frame(other.get(), octets), os::ChannelStatus::kDone);
  settle();
  EXPECT_EQ(frames.size(), 1U);
  EXPECT_TRUE(ends.empty());
}

}  // namespace worker_channel_test
}  // namespace wyndrvr::runtime
