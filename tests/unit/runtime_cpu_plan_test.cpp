#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/cpu_plan.hpp"

namespace wyndrvr::runtime {
namespace cpu_plan_test {

using engine::PortKind;
using Cpus = std::vector<unsigned>;

TEST(CpuPlan, WithoutAListAndWithFewCpusNothingIsPinned) {
  const CpuPlan plan{.chosen = {}, .allowed = {0, 1, 2}};
  for (const PortKind kind : engine::kPortKinds) EXPECT_TRUE(plan.of_port(kind).empty());
  EXPECT_TRUE(plan.of_session().empty());
  EXPECT_TRUE(plan.of_coordinator().empty());
}

TEST(CpuPlan, WithCpusEnoughThePortsThatCarryDataShareNone) {
  for (std::size_t count = CpuPlan::kEnough; count < 20; ++count) {
    CpuPlan plan;
    for (unsigned i = 0; i < count; ++i) plan.allowed.push_back(3 * i);
    const Cpus upload = plan.of_port(PortKind::kUpload);
    const Cpus download = plan.of_port(PortKind::kDownload);
    ASSERT_GE(upload.size(), 2U);
    ASSERT_GE(download.size(), 2U);
    std::set<unsigned> all(upload.begin(), upload.end());
    all.insert(download.begin(), download.end());
    EXPECT_EQ(all.size(), count);
    EXPECT_TRUE(std::ranges::includes(plan.allowed, all));
    EXPECT_TRUE(plan.of_port(PortKind::kControl).empty());
  }
}

TEST(CpuPlan, AListIsDealtOutDataFirst) {
  const CpuPlan plan{.chosen = {4, 5, 6, 7}, .allowed = {}};
  EXPECT_EQ(plan.of_port(PortKind::kUpload), Cpus{4});
  EXPECT_EQ(plan.of_port(PortKind::kDownload), Cpus{5});
  EXPECT_EQ(plan.of_port(PortKind::kControl), Cpus{6});
  EXPECT_EQ(plan.of_coordinator(), Cpus{7});
  EXPECT_EQ(plan.of_session(), Cpus{4});
}

TEST(CpuPlan, TheNextSessionTakesTheNextCpusOfTheList) {
  const CpuPlan plan{.chosen = {4, 5, 6, 7}, .allowed = {}};
  EXPECT_EQ(plan.for_session(1).of_port(PortKind::kUpload), Cpus{6});
  EXPECT_EQ(plan.for_session(1).of_port(PortKind::kDownload), Cpus{7});
  EXPECT_EQ(plan.for_session(2).of_port(PortKind::kUpload), Cpus{4});
  EXPECT_EQ(plan.for_session(1).of_session(), Cpus{5});
}

TEST(CpuPlan, AShortListIsSharedInTurn) {
  const CpuPlan plan{.chosen = {9}, .allowed = {}};
  for (const PortKind kind : engine::kPortKinds) EXPECT_EQ(plan.of_port(kind), Cpus{9});
  EXPECT_EQ(plan.of_coordinator(), Cpus{9});
}

}  // namespace cpu_plan_test
}  // namespace wyndrvr::runtime
