#include <atomic>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "os/clock.hpp"
#include "os/poller.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace poller_test {

struct Pipe {
  Fd reader;
  Fd writer;
  Pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) ADD_FAILURE() << "pipe2";
    reader = Fd(ends[0]);
    writer = Fd(ends[1]);
  }
  void fill() const { EXPECT_EQ(::write(writer.get(), "x", 1), 1); }
};

Duration time_of_wait(Poller& poller, Duration timeout) {
  const Instant start = monotonic_now();
  const auto events = poller.wait(timeout);
  EXPECT_TRUE(events);
  EXPECT_TRUE(events->empty());
  return monotonic_now() - start;
}

TEST(Poller, WaitsForMicrosecondsAndNotForWholeMilliseconds) {
  auto poller = Poller::create().value();
  constexpr Duration kTimeout = 200us;
  Duration shortest = kDeadline;
  // The best of several: a busy machine may hold up any one of them.
  for (int i = 0; i < 20; ++i) {
    const Duration took = time_of_wait(poller, kTimeout);
    ASSERT_GE(took, kTimeout);
    shortest = std::min(shortest, took);
  }
  EXPECT_LT(shortest, 20ms);
}

TEST(Poller, CoarseTimeoutIsRoundedUpAndNeverEndsEarly) {
  auto poller = Poller::create({.coarse_timeouts = true}).value();
  EXPECT_GE(time_of_wait(poller, 1'200us), 1'200us);
  EXPECT_LT(time_of_wait(poller, 0ns), kDeadline);
}

TEST(Poller, PastTimeoutOnlyLooks) {
  auto poller = Poller::create().value();
  const Pipe pipe;
  ASSERT_TRUE(poller.add(pipe.reader.get(), 1));
  EXPECT_LT(time_of_wait(poller, -1s), kDeadline);
  pipe.fill();
  EXPECT_EQ(poller.wait(-1s).value().size(), 1U);
}

TEST(Poller, ReportsReadabilityWithTheTag) {
  auto poller = Poller::create().value();
  const Pipe quiet;
  const Pipe pipe;
  constexpr std::uint64_t kTag = 0xfedcba9876543210;
  ASSERT_TRUE(poller.add(quiet.reader.get(), 1));
  ASSERT_TRUE(poller.add(pipe.reader.get(), kTag));
  pipe.fill();
  const auto events = poller.wait(kDeadline);
  ASSERT_EQ(events.value().size(), 1U);
  EXPECT_EQ(events->front().tag, kTag);
  EXPECT_TRUE(events->front().readable);
  EXPECT_FALSE(events->front().writable);
}

TEST(Poller, ReportsWritabilityOnlyWhileItIsWanted) {
  auto poller = Poller::create().value();
  const Pipe pipe;
  ASSERT_TRUE(poller.add(pipe.writer.get(), 1, true));
  ASSERT_EQ(poller.wait(kDeadline).value().size(), 1U);
  EXPECT_TRUE(poller.wait(kDeadline)->front().writable);
  ASSERT_TRUE(poller.modify(pipe.writer.get(), 1, false));
  EXPECT_TRUE(poller.wait(0ns).value().empty());
}

TEST(Poller, EndOfStreamIsReadable) {
  auto poller = Poller::create().value();
  Pipe pipe;
  ASSERT_TRUE(poller.add(pipe.reader.get(), 1));
  pipe.writer.reset();
  const auto events = poller.wait(kDeadline);
  ASSERT_EQ(events.value().size(), 1U);
  EXPECT_TRUE(events->front().readable);
}

TEST(Poller, RemovedDescriptorIsSilent) {
  auto poller = Poller::create().value();
  const Pipe pipe;
  ASSERT_TRUE(poller.add(pipe.reader.get(), 1));
  pipe.fill();
  ASSERT_TRUE(poller.remove(pipe.reader.get()));
  EXPECT_TRUE(poller.wait(0ns).value().empty());
}

TEST(Poller, UnreadErrorQueueIsAnError) {
  auto poller = Poller::create().value();
  UdpSocket socket = open_on("127.0.0.1", {.error_queue = true});
  const Endpoint nobody = UdpSocket(open_on("127.0.0.1")).local();
  ASSERT_TRUE(poller.add(socket.fd(), 1));
  ASSERT_EQ(socket.send(single(nobody, "x")).status, SendOutcome::Status::kDone);
  const auto events = poller.wait(kDeadline);
  ASSERT_EQ(events.value().size(), 1U);
  EXPECT_TRUE(events->front().error);
}

TEST(Poller, MoreEventsThanItHoldsComeWithTheNextWait) {
  auto poller = Poller::create({.capacity = 1}).value();
  const Pipe first;
  const Pipe second;
  ASSERT_TRUE(poller.add(first.reader.get(), 1));
  ASSERT_TRUE(poller.add(second.reader.get(), 2));
  first.fill();
  second.fill();
  std::uint64_t seen = 0;
  for (int i = 0; i < 2; ++i) {
    const auto events = poller.wait(kDeadline);
    ASSERT_EQ(events.value().size(), 1U);
    seen += events->front().tag;
  }
  EXPECT_EQ(seen, 3U);
}

TEST(Poller, BadDescriptorIsAnErrorThatNamesIt) {
  auto poller = Poller::create().value();
  const auto added = poller.add(987'654, 1);
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, ::testing::HasSubstr("987654"));
  EXPECT_THAT(added.error().message, ::testing::HasSubstr("epoll_ctl"));
}

TEST(Poller, SignalEndsTheWaitWithoutEvents) {
  struct sigaction action{};
  struct sigaction old{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(sigaction(SIGUSR2, &action, &old), 0);
  auto poller = Poller::create().value();
  std::atomic<bool> returned = false;
  const pthread_t waiter = pthread_self();
  // Again and again, for the first may come before the wait begins.
  std::thread interrupter([&] {
    while (!returned) {
      pthread_kill(waiter, SIGUSR2);
      std::this_thread::yield();
    }
  });
  EXPECT_LT(time_of_wait(poller, kDeadline), kDeadline);
  returned = true;
  interrupter.join();
  sigaction(SIGUSR2, &old, nullptr);
}

}  // namespace poller_test
}  // namespace wyndrvr::os::testing
