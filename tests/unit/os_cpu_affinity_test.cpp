#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "os/cpu_affinity.hpp"
#include "os/host_info.hpp"

namespace wyndrvr::os {
namespace cpu_affinity_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A thread of its own for each test, so that none pins the test program.
template <class Work>
void in_a_thread(Work work) {
  std::jthread(work).join();
}

TEST(CpuAffinity, AllowedCpusAreThoseTheHostCounts) {
  const std::vector<unsigned> cpus = allowed_cpus();
  EXPECT_EQ(cpus.size(), cpu_count());
  EXPECT_EQ(std::set(cpus.begin(), cpus.end()).size(), cpus.size());
  EXPECT_TRUE(std::ranges::is_sorted(cpus));
}

TEST(CpuAffinity, PinnedThreadRunsOnThatCpu) {
  for (const unsigned cpu : allowed_cpus()) {
    in_a_thread([cpu] {
      const auto pinned = pin_thread(std::vector{cpu});
      ASSERT_TRUE(pinned) << pinned.error().message;
      EXPECT_EQ(::sched_getcpu(), static_cast<int>(cpu));
      EXPECT_THAT(allowed_cpus(), ElementsAre(cpu));
    });
  }
}

TEST(CpuAffinity, OtherThreadsAreNotPinned) {
  const std::vector<unsigned> before = allowed_cpus();
  in_a_thread([&before] { ASSERT_TRUE(pin_thread(std::vector{before.front()})); });
  EXPECT_EQ(allowed_cpus(), before);
}

TEST(CpuAffinity, PinnedThreadMayBePinnedElsewhere) {
  const std::vector<unsigned> cpus = allowed_cpus();
  if (cpus.size() < 2) GTEST_SKIP() << "needs two CPUs";
  in_a_thread([&cpus] {
    ASSERT_TRUE(pin_thread(std::vector{cpus.front()}));
    ASSERT_TRUE(pin_thread(std::vector{cpus.back()}));
    EXPECT_THAT(allowed_cpus(), ElementsAre(cpus.back()));
    ASSERT_TRUE(pin_thread(cpus));
    EXPECT_EQ(allowed_cpus(), cpus);
  });
}

TEST(CpuAffinity, MissingCpuIsNamedAndNothingChanges) {
  const std::vector<unsigned> cpus = allowed_cpus();
  const unsigned missing = 60'000;
  in_a_thread([&] {
    for (const auto& wish : {std::vector{missing}, std::vector{cpus.front(), missing}}) {
      const auto pinned = pin_thread(wish);
      ASSERT_FALSE(pinned);
      EXPECT_THAT(pinned.error().message, HasSubstr("CPU 60000"));
      EXPECT_THAT(pinned.error().message, HasSubstr(std::to_string(cpus.front())));
      EXPECT_EQ(allowed_cpus(), cpus);
    }
  });
}

// 4294967295 must not become a terabit of CPU set.
TEST(CpuAffinity, AbsurdCpuIsRefusedToo) {
  const auto pinned = pin_thread(std::vector{4'294'967'295U});
  ASSERT_FALSE(pinned);
  EXPECT_THAT(pinned.error().message, HasSubstr("CPU 4294967295"));
}

// The thread's own pinning must not be taken for the limit.
TEST(CpuAffinity, ErrorInAPinnedThreadNamesTheCpuThatIsMissing) {
  const std::vector<unsigned> cpus = allowed_cpus();
  if (cpus.size() < 2) GTEST_SKIP() << "needs two CPUs";
  in_a_thread([&cpus] {
    ASSERT_TRUE(pin_thread(std::vector{cpus.front()}));
    const auto pinned = pin_thread(std::vector{cpus.back(), 60'000U});
    ASSERT_FALSE(pinned);
    EXPECT_THAT(pinned.error().message, HasSubstr("CPU 60000"));
    EXPECT_THAT(allowed_cpus(), ElementsAre(cpus.front()));
  });
}

TEST(CpuAffinity, EmptyListIsAnError) {
  const std::vector<unsigned> before = allowed_cpus();
  const auto pinned = pin_thread({});
  ASSERT_FALSE(pinned);
  EXPECT_THAT(pinned.error().message, HasSubstr("empty"));
  EXPECT_EQ(allowed_cpus(), before);
}

}  // namespace cpu_affinity_test
}  // namespace wyndrvr::os
