// Tests without a rate whose streams share a link, and whose reports share it with the data of the
// other direction. All in simulated time.
#include <cstdint>
#include <tuple>

#include <gtest/gtest.h>

#include "unit/engine_test_flows.hpp"

namespace wyndrvr::engine {
namespace shared_link_test {

using testing::TestFlows;
using testing::TestLinkOptions;

// tc-tbf(8) with burst 4kb and latency 200ms.
TestLinkOptions shaped(double rate_bps) {
  return {.rate_bps = rate_bps, .burst_octets = 4000, .queue_octets = 4000 + rate_bps / 8 * 0.2};
}

class BothWays : public ::testing::TestWithParam<double> {};

// Each direction's reports wait in the queue of the other one's data.
TEST_P(BothWays, NeitherDirectionStarves) {
  TestFlows flows(shaped(GetParam()), shaped(GetParam()), {.forth = 1, .back = 1});
  flows.run(3s);
  const std::uint64_t forth = flows.forth().octets;
  const std::uint64_t back = flows.back().octets;
  flows.run(5s);
  EXPECT_GT(flows.used_forth(forth, 5s), 0.85);
  EXPECT_GT(flows.used_back(back, 5s), 0.85);
  EXPECT_LT(flows.forth().lost_share(), 0.15);
  EXPECT_LT(flows.back().lost_share(), 0.15);
}

INSTANTIATE_TEST_SUITE_P(Rate, BothWays, ::testing::Values(300e3, 1e6, 2e6, 5e6));

class SlowWayBack : public ::testing::TestWithParam<double> {};

TEST_P(SlowWayBack, DoesNotStallTheStart) {
  TestFlows flows(shaped(GetParam()), shaped(64e3), {.forth = 1});
  flows.run(3s);
  EXPECT_GT(flows.used_forth(0, 3s), 0.85);
  EXPECT_LT(flows.forth().lost_share(), 0.1);
}

INSTANTIATE_TEST_SUITE_P(Rate, SlowWayBack, ::testing::Values(1e6, 5e6, 20e6));

class ManyStreams : public ::testing::TestWithParam<std::tuple<double, int>> {};

TEST_P(ManyStreams, LoseNoMoreThanOne) {
  const auto [rate_bps, streams] = GetParam();
  TestFlows flows(shaped(rate_bps), shaped(10e6), {.forth = static_cast<std::uint8_t>(streams)});
  flows.run(8s);
  EXPECT_GT(flows.used_forth(0, 8s), 0.9);
  EXPECT_LT(flows.forth().lost_share(), 0.1);
}

INSTANTIATE_TEST_SUITE_P(RateAndStreams, ManyStreams,
                         ::testing::Combine(::testing::Values(64e3, 300e3, 1e6),
                                            ::testing::Values(1, 2, 4, 8, 16, 64)));

}  // namespace shared_link_test
}  // namespace wyndrvr::engine
