#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/clock.hpp"
#include "os/poller.hpp"
#include "unit/os_loopback.hpp"
#include "unit/os_refused_call.hpp"
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

// At the least: how much longer it takes is the machine's.
Duration time_of_wait(Poller& poller, Duration timeout) {
  const Instant start = monotonic_now();
  const auto events = poller.wait(timeout);
  EXPECT_TRUE(events) << events.error().message;
  EXPECT_TRUE(events && events->empty());
  return monotonic_now() - start;
}

bool kernel_waits_by_nanoseconds() {
  return ::syscall(__NR_epoll_pwait2, -1, nullptr, 0, nullptr, nullptr, 0) < 0 && errno != ENOSYS &&
         errno != EPERM;
}

TEST(Poller, WaitsByTheCallThatTakesNanoseconds) {
  if (!kernel_waits_by_nanoseconds()) GTEST_SKIP() << "this kernel has no epoll_pwait2";
  bool waited = false;
  const bool ran = while_refused(__NR_epoll_pwait, EIO, {}, [&] {
    auto poller = Poller::create().value();
    waited = time_of_wait(poller, 200us) >= 200us;
  });
  if (!ran) GTEST_SKIP() << "no system call filters here";
  EXPECT_TRUE(waited);
}

// EPERM: some containers answer so to calls that they do not know.
TEST(Poller, WaitsByMillisecondsWhereTheKernelHasNothingFiner) {
  for (const unsigned error : {unsigned{ENOSYS}, unsigned{EPERM}}) {
    bool waited = false;
    const bool ran = while_refused(__NR_epoll_pwait2, error, {}, [&] {
      auto poller = Poller::create().value();
      waited = time_of_wait(poller, 1'200us) >= 1'200us;
    });
    if (!ran) GTEST_SKIP() << "no system call filters here";
    EXPECT_TRUE(waited);
  }
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
  EXPECT_LT(time_of_wait(poller, -1h), kDeadline);
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
  const UdpSocket deaf = deaf_socket("127.0.0.1");
  const Endpoint nobody = deaf.local();
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
