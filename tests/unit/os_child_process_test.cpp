#include <atomic>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/child_process.hpp"
#include "unit/child_test_support.hpp"

namespace wyndrvr::os::testing {
namespace child_process_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

// Started and heard of: everything that it is made with can be looked at.
TestChild waiting_child(const std::vector<int>& more = {}, bool own_stderr = false) {
  TestChild child = start_child("wait", more, own_stderr);
  EXPECT_EQ(next_frame(child.channel.get()), std::to_string(child.process.pid()));
  return child;
}

bool is_gone(int pid) {
  return ::waitpid(pid, nullptr, WNOHANG) < 0 && errno == ECHILD;
}

TEST(ChildProcess, TitleIsItsWholeCommandLine) {
  const TestChild child = waiting_child();
  EXPECT_EQ(file_text(fmt::format("/proc/{}/cmdline", child.process.pid())),
            std::string("test child: wait") + '\0');
}

TEST(ChildProcess, HoldsItsDescriptorsStderrAndNothingElse) {
  const Fd first(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  const Fd second(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  // Inheritable: only the child's own closing keeps it out.
  const Fd leak(::open("/dev/zero", O_RDONLY));
  const Fd far_leak(::fcntl(leak.get(), F_DUPFD, 500));
  const TestChild child = waiting_child({second.get(), first.get()});
  EXPECT_THAT(descriptors_of(child.process.pid()),
              ElementsAre(Pair(0, "/dev/null"), Pair(1, "/dev/null"),
                          Pair(2, link_of(STDERR_FILENO)), Pair(3, HasSubstr("socket:")),
                          Pair(4, link_of(second.get())), Pair(5, link_of(first.get()))));
}

TEST(ChildProcess, WithAStderrOfItsOwnItHoldsNothingOfOurs) {
  const Fd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  const TestChild child = waiting_child({file.get()}, true);
  const auto held = descriptors_of(child.process.pid());
  EXPECT_THAT(held,
              ElementsAre(Pair(0, "/dev/null"), Pair(1, "/dev/null"), Pair(2, HasSubstr("pipe:")),
                          Pair(3, HasSubstr("socket:")), Pair(4, link_of(file.get()))));
  EXPECT_NE(held.at(2), link_of(STDERR_FILENO));
}

TEST(ChildProcess, WordsOfItsOwnStderrAreTakenOnceAndBounded) {
  TestChild child = start_child("shout 100000", {}, true);
  EXPECT_EQ(end_of(child.process), "exited with code 0") << "it does not wait for a reader";
  const std::string words = child.process.take_words();
  EXPECT_TRUE(words.starts_with("\x1b[2J"));
  EXPECT_LE(words.size(), ChildProcess::kMostWords);
  EXPECT_GE(words.size(), 64U);
  while (!child.process.take_words().empty()) {
  }
  const TestChild silent = waiting_child({}, true);
  EXPECT_EQ(silent.process.take_words(), "");
  EXPECT_EQ(waiting_child().process.take_words(), "") << "its stderr is ours";
}

TEST(ChildProcess, DescriptorsThatAreEachOthersTargetsArriveRight) {
  const Fd first(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  const Fd second(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  // It passes 5, 4, 3, 0 on to a child of its own, which answers.
  TestChild child = start_child("reverse", {first.get(), second.get()});
  const auto grandchild = next_frame(child.channel.get());
  ASSERT_TRUE(grandchild);
  EXPECT_THAT(
      descriptors_of(std::stoi(*grandchild)),
      ElementsAre(Pair(0, "/dev/null"), Pair(1, "/dev/null"), Pair(2, link_of(STDERR_FILENO)),
                  Pair(3, link_of(second.get())), Pair(4, link_of(first.get())),
                  Pair(5, HasSubstr("socket:")), Pair(6, "/dev/null")));
  child.channel.reset();
  EXPECT_EQ(end_of(child.process), "exited with code 0");
}

TEST(ChildProcess, DescriptorsOfTheParentStayOpen) {
  const Fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto before = descriptors_of(::getpid());
  {
    const TestChild child = waiting_child({file.get()});
  }
  EXPECT_EQ(descriptors_of(::getpid()), before);
}

TEST(ChildProcess, ChannelCarriesFramesBothWays) {
  TestChild child = start_child("echo");
  ASSERT_TRUE(say(child.channel.get(), "hello"));
  EXPECT_EQ(next_frame(child.channel.get()), "hello");
  child.channel.reset();
  EXPECT_EQ(end_of(child.process), "exited with code 0");
}

TEST(ChildProcess, OnlySigintIsBlockedAndNoSignalIgnored) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t old;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, &old);
  const TestChild child = waiting_child();
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  std::signal(SIGPIPE, before);

  EXPECT_EQ(std::stoull(status_field(child.process.pid(), "SigBlk"), nullptr, 16),
            1ULL << (SIGINT - 1) | 1ULL << (SIGHUP - 1) | 1ULL << (SIGQUIT - 1));
  const auto ignored = std::stoull(status_field(child.process.pid(), "SigIgn"), nullptr, 16);
  EXPECT_EQ(ignored & 1ULL << (SIGPIPE - 1), 0U);
}

TEST(ChildProcess, EnvironmentIsOnlyWhatLoadingNeeds) {
  ::setenv("WYNDRVR_TEST_SECRET", "open sesame", 1);
  ::setenv("MY_LD_LIBRARY_PATH", "nor this", 1);
  const char* path = std::getenv("LD_LIBRARY_PATH");
  const std::optional<std::string> old_path = path ? std::optional(path) : std::nullopt;
  ::setenv("LD_LIBRARY_PATH", "/nowhere", 1);
  const TestChild child = waiting_child();
  old_path ? ::setenv("LD_LIBRARY_PATH", old_path->c_str(), 1) : ::unsetenv("LD_LIBRARY_PATH");
  ::unsetenv("WYNDRVR_TEST_SECRET");
  ::unsetenv("MY_LD_LIBRARY_PATH");

  const std::string environment = file_text(fmt::format("/proc/{}/environ", child.process.pid()));
  EXPECT_THAT(environment, HasSubstr("LD_LIBRARY_PATH=/nowhere"));
  EXPECT_THAT(environment, Not(HasSubstr("sesame")));
  EXPECT_THAT(environment, Not(HasSubstr("nor this")));
  EXPECT_THAT(environment, Not(HasSubstr("HOME=")));
}

TEST(ChildProcess, ExitCodeIsReported) {
  TestChild child = start_child("exit 3");
  EXPECT_EQ(end_of(child.process), "exited with code 3");
}

TEST(ChildProcess, SignalThatKilledItIsReported) {
  TestChild child = waiting_child();
  EXPECT_EQ(child.process.reap(), std::nullopt);
  child.process.signal(SIGKILL);
  EXPECT_EQ(end_of(child.process), "was killed by SIGKILL");
}

TEST(ChildProcess, SigtermEndsItAndWhatATerminalSendsDoesNot) {
  TestChild child = start_child("echo");
  for (const int signal : {SIGINT, SIGHUP, SIGQUIT}) child.process.signal(signal);
  ASSERT_TRUE(say(child.channel.get(), "still there?"));
  EXPECT_EQ(next_frame(child.channel.get()), "still there?");
  child.process.signal(SIGTERM);
  EXPECT_EQ(end_of(child.process), "was killed by SIGTERM");
}

TEST(ChildProcess, EndIsRememberedAndLaterSignalsAreNoError) {
  TestChild child = start_child("exit 4");
  ASSERT_EQ(end_of(child.process), "exited with code 4");
  child.process.signal(SIGTERM);
  EXPECT_EQ(describe(child.process.reap().value()), "exited with code 4");
  EXPECT_EQ(child.process.stopped_by(), std::nullopt);
}

TEST(ChildProcess, CpuTimeIsThatOfTheChild) {
  TestChild child = start_child("exit 0");
  ASSERT_TRUE(wait_readable(child.process.pidfd(), kDeadline));
  const ExitStatus status = child.process.reap().value();
  EXPECT_GT(status.cpu_time, 0ns);
  EXPECT_LT(status.cpu_time, kDeadline);
}

TEST(ChildProcess, StoppedChildIsSeenStoppedUntilItGoesOn) {
  TestChild child = start_child("echo");
  EXPECT_EQ(child.process.stopped_by(), std::nullopt);
  child.process.signal(SIGSTOP);
  EXPECT_TRUE(eventually([&] { return child.process.stopped_by() == SIGSTOP; }));
  EXPECT_EQ(child.process.stopped_by(), SIGSTOP);
  EXPECT_EQ(child.process.reap(), std::nullopt);
  child.process.signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return !child.process.stopped_by(); }));
  ASSERT_TRUE(say(child.channel.get(), "awake"));
  EXPECT_EQ(next_frame(child.channel.get()), "awake");
}

TEST(ChildProcess, DestructorLeavesNoZombie) {
  int running = 0;
  int stopped = 0;
  int ended = 0;
  {
    const TestChild first = waiting_child();
    const TestChild second = waiting_child();
    second.process.signal(SIGSTOP);
    const TestChild third = start_child("exit 0");
    ASSERT_TRUE(wait_readable(third.process.pidfd(), kDeadline));
    running = first.process.pid();
    stopped = second.process.pid();
    ended = third.process.pid();
    EXPECT_FALSE(is_gone(running));
  }
  EXPECT_TRUE(is_gone(running));
  EXPECT_TRUE(is_gone(stopped));
  EXPECT_TRUE(is_gone(ended));
}

TEST(ChildProcess, MovingHandsItOverAndEndsWhatWasThere) {
  TestChild first = waiting_child();
  TestChild second = waiting_child();
  const int kept = first.process.pid();
  const int replaced = second.process.pid();
  second.process = std::move(first.process);
  EXPECT_EQ(second.process.pid(), kept);
  EXPECT_TRUE(is_gone(replaced));
  EXPECT_FALSE(is_gone(kept));
  const ChildProcess moved(std::move(second.process));
  EXPECT_EQ(moved.pid(), kept);
}

// Each must get its own descriptors, and none of those that another thread is passing on.
TEST(ChildProcess, ManyThreadsMaySpawnAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kSpawns = 5;
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&right] {
        for (int spawn = 0; spawn < kSpawns; ++spawn) {
          const TestChild child = waiting_child();
          right += descriptors_of(child.process.pid()).size() == 4;
        }
      });
    }
  }
  EXPECT_EQ(right, kThreads * kSpawns);
}

TEST(ChildProcess, StatusSurvivesAnInheritedIgnoreOfSigchld) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  watch_children();
  TestChild child = start_child("exit 5");
  EXPECT_EQ(end_of(child.process), "exited with code 5");
  std::signal(SIGCHLD, before);
}

TEST(ChildProcess, StatusThatTheKernelThrewAwayIsUnknown) {
  TestChild child = waiting_child();
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  child.process.signal(SIGKILL);
  EXPECT_TRUE(eventually([&] { return child.process.reap().has_value(); }));
  std::signal(SIGCHLD, before);
  EXPECT_EQ(describe(child.process.reap().value()), "ended in an unknown way");
}

TEST(ChildProcess, SignalsHaveTheirNames) {
  EXPECT_EQ(signal_name(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(signal_name(SIGSYS), "SIGSYS");
  EXPECT_EQ(signal_name(42), "signal 42");
  EXPECT_EQ(describe({.signalled = true, .number = 42}), "was killed by signal 42");
}

// The two that a child in the role "limited" reports after its attempt to open a channel.
std::pair<std::string, std::string> failure_when_limited_by(std::string_view limit) {
  TestChild child = start_child(fmt::format("limited {}", limit));
  (void)next_frame(child.channel.get());
  std::string spawn = next_frame(child.channel.get()).value_or("");
  std::string rest = next_frame(child.channel.get()).value_or("");
  return {std::move(spawn), std::move(rest)};
}

TEST(ChildProcess, DescriptorLimitIsNamedAndNoChildIsLeft) {
  if (!can_do_without_descriptors()) GTEST_SKIP() << "the sanitizers need descriptors";
  for (const std::string_view limit : {"descriptors", "collision"}) {
    const auto [failure, rest] = failure_when_limited_by(limit);
    EXPECT_THAT(failure, AllOf(HasSubstr("'victim'"), HasSubstr("Too many open files"),
                               HasSubstr("may hold 4 descriptors"), HasSubstr("LimitNOFILE")));
    EXPECT_EQ(rest, "no child left");
  }
}

TEST(ChildProcess, ProcessLimitIsNamed) {
  const auto [failure, rest] = failure_when_limited_by("processes");
  EXPECT_THAT(failure, AllOf(HasSubstr("'victim'"), HasSubstr("posix_spawn"),
                             HasSubstr("ulimit -u"), HasSubstr("TasksMax")));
  EXPECT_EQ(rest, "no child left");
}

TEST(ChildProcess, MissingProcIsNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, for chroot(2)";
  const auto [failure, rest] = failure_when_limited_by("root");
  EXPECT_THAT(failure, AllOf(HasSubstr("/proc/self/exe"), HasSubstr("is /proc mounted?")));
  EXPECT_EQ(rest, "no child left");
}

}  // namespace child_process_test
}  // namespace wyndrvr::os::testing
