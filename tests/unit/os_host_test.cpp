// The small modules of src/os: descriptors, clocks, entropy, signals, names, the host.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "os/clock.hpp"
#include "os/drop_counter.hpp"
#include "os/entropy.hpp"
#include "os/fd.hpp"
#include "os/host_info.hpp"
#include "os/resolver.hpp"
#include "os/signals.hpp"
#include "os/socket_address.hpp"
#include "unit/os_test_support.hpp"

namespace wyndrvr::os::testing {
namespace host_test {

using ::testing::HasSubstr;

bool is_open(int descriptor) {
  return ::fcntl(descriptor, F_GETFD) >= 0;
}

TEST(Fd, ClosesAtTheEndOfItsLife) {
  int number = -1;
  {
    const Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    number = fd.get();
    ASSERT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, MoveHandsOverAndClosesWhatWasThere) {
  Fd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Fd second(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int kept = first.get();
  const int closed = second.get();
  second = std::move(first);
  EXPECT_EQ(second.get(), kept);
  EXPECT_TRUE(is_open(kept));
  EXPECT_FALSE(is_open(closed));
}

TEST(Fd, ReleaseKeepsItOpen) {
  Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = fd.release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(Clock, MonotonicNeverGoesBack) {
  Instant last = monotonic_now();
  for (int i = 0; i < 1'000; ++i) {
    const Instant now = monotonic_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, ReadingLiesBetweenReadingsAroundIt) {
  const Instant before = monotonic_now();
  const WallTime wall_before = wall_now();
  const ClockReading reading = read_clocks();
  EXPECT_GE(reading.monotonic, before);
  EXPECT_LE(reading.monotonic, monotonic_now());
  EXPECT_GE(reading.wall, wall_before);
  EXPECT_LE(reading.wall, wall_now());
}

TEST(Clock, StampIsCountedBackFromNow) {
  const ClockReading now{Instant(100s), WallTime(5'000s)};
  EXPECT_EQ(instant_of(WallTime(5'000s - 3ms), now), Instant(100s - 3ms));
}

TEST(Clock, StampFromTheFutureOrFromLongAgoIsHeldWithinASecond) {
  const ClockReading now{Instant(100s), WallTime(5'000s)};
  EXPECT_EQ(instant_of(WallTime(5'001s), now), Instant(100s));
  EXPECT_EQ(instant_of(WallTime(1'000s), now), Instant(99s));
}

TEST(Clock, SleepLastsAtLeastAsLongAsAsked) {
  const Instant start = monotonic_now();
  sleep_for(300us);
  EXPECT_GE(monotonic_now() - start, 300us);
}

TEST(Clock, SleepUntilThePastReturnsAtOnce) {
  const Instant start = monotonic_now();
  sleep_for(-1h);
  sleep_until(start - 1h);
  sleep_until(Instant(-5s));
  EXPECT_LT(monotonic_now() - start, kDeadline);
}

TEST(Clock, TimerSlackIsSetForTheCallingThread) {
  int slack = 0;
  int smallest = 0;
  std::thread([&] {
    set_timer_slack(12us);
    slack = ::prctl(PR_GET_TIMERSLACK);
    set_timer_slack(0ns);
    smallest = ::prctl(PR_GET_TIMERSLACK);
  }).join();
  EXPECT_EQ(slack, 12'000);
  EXPECT_EQ(smallest, 1);
}

TEST(Entropy, DoesNotRepeat) {
  std::set<std::uint64_t> values;
  for (int i = 0; i < 1'000; ++i) values.insert(entropy64());
  EXPECT_EQ(values.size(), 1'000U);
}

TEST(DropCounter, FollowsTheKernelsCounterPastItsWrap) {
  DropCounter counter;
  counter.observe(0x7000'0000);
  counter.observe(0xe000'0000);
  counter.observe(0x0000'0005);
  EXPECT_EQ(counter.total(), 0x1'0000'0005U);
}

TEST(DropCounter, OlderReadingChangesNothing) {
  DropCounter counter;
  counter.observe(10);
  counter.observe(7);
  counter.observe(11);
  EXPECT_EQ(counter.total(), 11U);
}

TEST(SocketAddress, EndpointSurvivesTheTripThroughTheKernelsForm) {
  for (const char* text : {"192.0.2.7", "2001:db8::1", "fe80::1%3", "::", "0.0.0.0"}) {
    const Endpoint endpoint{address(text), Port{6711}};
    EXPECT_EQ(to_endpoint(to_socket_address(endpoint).generic), endpoint) << text;
    EXPECT_EQ(to_endpoint(to_v6_socket_address(endpoint).generic), endpoint) << text;
  }
}

TEST(SocketAddress, MappedAddressIsIpv4) {
  EXPECT_EQ(unmapped(address("::ffff:192.0.2.7")), address("192.0.2.7"));
  EXPECT_EQ(unmapped(address("2001:db8::1")), address("2001:db8::1"));
  EXPECT_EQ(unmapped(address("192.0.2.7")), address("192.0.2.7"));
}

// Sets the thread's signal mask back.
class KeptSignalMask {
 public:
  KeptSignalMask() { pthread_sigmask(SIG_SETMASK, nullptr, &before_); }
  ~KeptSignalMask() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  KeptSignalMask(const KeptSignalMask&) = delete;
  KeptSignalMask& operator=(const KeptSignalMask&) = delete;

 private:
  sigset_t before_{};
};

TEST(SignalFd, SignalIsReadAndDoesNotKill) {
  const KeptSignalMask kept;
  auto signals = SignalFd::create({SIGUSR1, SIGHUP});
  ASSERT_TRUE(signals) << signals.error().message;
  EXPECT_EQ(signals->read(), std::nullopt);
  std::raise(SIGHUP);
  ASSERT_TRUE(wait_for(signals->fd(), POLLIN, kDeadline));
  EXPECT_EQ(signals->read(), SIGHUP);
  std::raise(SIGUSR1);
  EXPECT_EQ(signals->read(), SIGUSR1);
  EXPECT_EQ(signals->read(), std::nullopt);
}

TEST(SignalFd, UnknownSignalIsAnError) {
  const auto signals = SignalFd::create({1'000});
  ASSERT_FALSE(signals);
  EXPECT_THAT(signals.error().message, HasSubstr("1000"));
}

TEST(Signals, WritingToAClosedPipeIsAnErrorAndNotTheEnd) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  ignore_write_signals();
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd writer(ends[1]);
  ::close(ends[0]);
  EXPECT_EQ(::write(writer.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  std::signal(SIGPIPE, before);
}

TEST(Resolver, NumericAddressesStandForThemselves) {
  for (const char* text : {"192.0.2.7", "2001:db8::1", "fe80::1%7"}) {
    EXPECT_EQ(resolve(text, Port{99}).value(), (std::vector{Endpoint{address(text), Port{99}}}));
  }
  EXPECT_EQ(resolve("::ffff:192.0.2.7", Port{1}).value().front().address, address("192.0.2.7"));
}

TEST(Resolver, ZoneMayBeAnInterfacesName) {
  const auto endpoints = resolve("fe80::1%lo", Port{1});
  ASSERT_TRUE(endpoints) << endpoints.error().message;
  EXPECT_EQ(endpoints->front().address.scope, if_nametoindex("lo"));
  EXPECT_NE(endpoints->front().address.scope, 0U);
}

TEST(Resolver, UnknownZoneIsAnErrorThatNamesIt) {
  const auto endpoints = resolve("fe80::1%nonesuch0", Port{1});
  ASSERT_FALSE(endpoints);
  EXPECT_THAT(endpoints.error().message, HasSubstr("'nonesuch0'"));
}

TEST(Resolver, LocalhostIsLoopbackWithoutDuplicates) {
  const auto endpoints = resolve("localhost", Port{42});
  ASSERT_TRUE(endpoints) << endpoints.error().message;
  const std::set<Endpoint> distinct(endpoints->begin(), endpoints->end());
  EXPECT_EQ(distinct.size(), endpoints->size());
  for (const Endpoint& endpoint : *endpoints) {
    EXPECT_EQ(endpoint.port, Port{42});
    EXPECT_TRUE(endpoint.address == address("127.0.0.1") || endpoint.address == address("::1"));
  }
}

TEST(Resolver, ImpossibleNameIsAnErrorThatNamesItAndAdvises) {
  const auto endpoints = resolve("bad..name", Port{1});  // an empty label: no server is asked
  ASSERT_FALSE(endpoints);
  EXPECT_THAT(endpoints.error().message, HasSubstr("'bad..name'"));
  EXPECT_THAT(endpoints.error().message, HasSubstr("check"));
  EXPECT_FALSE(resolve("", Port{1}));
}

TEST(HostInfo, DescribesThisHost) {
  EXPECT_THAT(kernel_release(), HasSubstr("."));
  EXPECT_GE(cpu_count(), 1U);
  EXPECT_LE(cpu_count(), static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_CONF)));
  EXPECT_GE(terminal_width(), 1U);
  EXPECT_EQ(stderr_is_terminal(), ::isatty(2) == 1);
}

TEST(HostInfo, HomeIsThePasswordEntryWhereTheVariableIsMissing) {
  const char* old = std::getenv("HOME");
  const std::string kept = old == nullptr ? "" : old;
  ::setenv("HOME", "/some/where", 1);
  EXPECT_EQ(home_folder().value(), "/some/where");
  ::unsetenv("HOME");
  const passwd* entry = ::getpwuid(::geteuid());
  if (entry != nullptr) {
    EXPECT_EQ(home_folder().value(), entry->pw_dir);
  }
  if (old != nullptr) ::setenv("HOME", kept.c_str(), 1);
}

}  // namespace host_test
}  // namespace wyndrvr::os::testing
