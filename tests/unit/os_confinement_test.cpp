#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/confinement.hpp"
#include "unit/child_test_support.hpp"

namespace wyndrvr::os::testing {
namespace confinement_test {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kNoCapabilities = "0000000000000000";

// Of the role "confined": what it says before and after its deed.
std::string outcome_of(TestChild& child) {
  const std::string filter = next_frame(child.channel.get()).value_or("it said nothing");
  if (filter != "filter") return filter;
  const auto result = next_frame(child.channel.get());
  return result ? *result : end_of(child.process);
}

// What comes of a deed under the filter.
std::string outcome(std::string_view needs, std::string_view deed) {
  TestChild child = start_child(fmt::format("confined {} {}", needs, deed));
  return outcome_of(child);
}

// Whether this build and this kernel have filters at all.
bool filters_work() {
  return seccomp_available() && outcome("plain", "nothing") != "no filter";
}

class Filter : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!filters_work()) GTEST_SKIP() << "no system call filter in this build or on this kernel";
  }
};

class ForbiddenToAll : public Filter {};
TEST_P(ForbiddenToAll, KillsThePlainWorkerWithSigsys) {
  EXPECT_EQ(outcome("plain", GetParam()), "was killed by SIGSYS");
}
TEST_P(ForbiddenToAll, KillsTheWorkerWithThreadsWithSigsys) {
  EXPECT_EQ(outcome("threads", GetParam()), "was killed by SIGSYS");
}
std::string deed_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::erase(name, '-');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Deeds, ForbiddenToAll,
                         ::testing::Values("open", "socket", "fork", "execute", "kill", "tgkill",
                                           "setown", "map-code", "make-code", "network-pair"),
                         deed_name);

class AllowedWithThreads : public Filter {};
TEST_P(AllowedWithThreads, ComesThrough) {
  EXPECT_EQ(outcome("threads", GetParam()), "came through");
}
TEST_P(AllowedWithThreads, KillsThePlainWorker) {
  EXPECT_EQ(outcome("plain", GetParam()), "was killed by SIGSYS");
}
INSTANTIATE_TEST_SUITE_P(Deeds, AllowedWithThreads, ::testing::Values("threads", "channel"),
                         deed_name);

using AllowedToAll = Filter;
TEST_F(AllowedToAll, PortLoopRuns) {
  for (const std::string_view needs : {"plain", "threads"}) {
    const UdpSocket socket = open_on("127.0.0.1");
    TestChild child = start_child(fmt::format("confined {} port", needs), {socket.fd()});
    EXPECT_EQ(outcome_of(child), "came through");
  }
}
TEST_F(AllowedToAll, AbortIsStillSeenAsSuch) {
  EXPECT_EQ(outcome("plain", "abort"), "was killed by SIGABRT");
}
TEST_F(AllowedToAll, ExitKeepsItsCode) {
  TestChild child = start_child("confined plain nothing");
  ASSERT_EQ(outcome_of(child), "came through");
  child.channel.reset();
  EXPECT_EQ(end_of(child.process), "exited with code 0");
}

// A confined child that has said so.
TestChild confined_child(std::string_view needs) {
  TestChild child = start_child(fmt::format("confined {} nothing", needs));
  EXPECT_THAT(next_frame(child.channel.get()).value_or(""), HasSubstr("filter"));
  EXPECT_EQ(next_frame(child.channel.get()), "came through");
  return child;
}

class Confined : public ::testing::TestWithParam<std::string> {};
TEST_P(Confined, HasNoCapabilitiesAndCannotGainAny) {
  const TestChild child = confined_child(GetParam());
  for (const std::string_view set : {"CapEff", "CapPrm", "CapInh", "CapAmb"}) {
    EXPECT_EQ(status_field(child.process.pid(), set), kNoCapabilities) << set;
  }
  EXPECT_EQ(status_field(child.process.pid(), "NoNewPrivs"), "1");
}
TEST_P(Confined, HasItsName) {
  const TestChild child = confined_child(GetParam());
  EXPECT_EQ(status_field(child.process.pid(), "Name"), "nothing");
}
INSTANTIATE_TEST_SUITE_P(Needs, Confined, ::testing::Values("plain", "threads", "processes"),
                         deed_name);

std::string descriptor_limits(const TestChild& child) {
  const std::string limits = file_text(fmt::format("/proc/{}/limits", child.process.pid()));
  const auto start = limits.find("Max open files");
  std::string line = limits.substr(start, limits.find('\n', start) - start);
  // "Max open files            32                   32                   files"
  std::string words;
  for (const char letter : line) {
    if (letter != ' ' || (!words.empty() && words.back() != ' ')) words += letter;
  }
  return words;
}

TEST(Confinement, LimitsTheDescriptorsOfWorkersWithoutProcesses) {
  EXPECT_THAT(descriptor_limits(confined_child("plain")), StartsWith("Max open files 96 96 "));
  EXPECT_THAT(descriptor_limits(confined_child("threads")), StartsWith("Max open files 64 64 "));
  const TestChild unconfined = start_child("wait");
  ASSERT_TRUE(next_frame(unconfined.channel.get()));
  EXPECT_EQ(descriptor_limits(confined_child("processes")), descriptor_limits(unconfined));
}

TEST(Confinement, WorkerWithProcessesStartsOnesThatHaveNoCapabilitiesEither) {
  TestChild child = start_child("confined processes child");
  EXPECT_EQ(next_frame(child.channel.get()), "no filter");
  EXPECT_EQ(next_frame(child.channel.get()), kNoCapabilities);
  EXPECT_EQ(next_frame(child.channel.get()), "came through");
}

TEST(Confinement, StoppedWorkerDiesWithItsParent) {
  TestChild parent = start_child("parent");
  const auto worker = next_frame(parent.channel.get());
  ASSERT_TRUE(worker);
  const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(*worker), 0)));
  ASSERT_TRUE(pidfd.valid());
  EXPECT_THAT(status_field(std::stoi(*worker), "State"), StartsWith("T"));
  parent.process.signal(SIGKILL);
  EXPECT_TRUE(wait_readable(pidfd.get(), kDeadline));
}

TEST(Confinement, LongNamesAreCut) {
  const std::string before = status_field(::getpid(), "Name");
  set_process_name("0123456789abcdefghij");
  EXPECT_EQ(status_field(::getpid(), "Name"), "0123456789abcde");
  set_process_name(before);
}

}  // namespace confinement_test
}  // namespace wyndrvr::os::testing
