// Tests without a rate through slow links and through links that reorder, both dialects: what is
// lost, what is used of the link, and how soon. All in simulated time.
#include <cstdint>
#include <utility>

#include <gtest/gtest.h>

#include "unit/engine_test_link.hpp"

namespace wyndrvr::engine {
namespace slow_path_test {

using testing::TestLink;
using testing::TestLinkOptions;
using Kind = TestLinkOptions::Kind;

constexpr auto kKinds = {Kind::kDialectOne, Kind::kOriginal};

TestLinkOptions shaped(Kind kind, double rate_bps, double burst, double latency_s) {
  return {.kind = kind,
          .rate_bps = rate_bps,
          .burst_octets = burst,
          .queue_octets = burst + rate_bps / 8 * latency_s,
          .payload = kind == Kind::kDialectOne ? 1400U : 900U};
}

class SlowLink : public ::testing::TestWithParam<double> {};

// Queues of tc-tbf(8) as its manual has them; the shortest hold a datagram or two.
TEST_P(SlowLink, IsUsedWithoutMuchLossFromTheFirstSecondOn) {
  for (const Kind kind : kKinds) {
    for (const auto& [burst, latency] : {std::pair{4000.0, 0.4}, {5000.0, 5.0}, {10e3, 0.05}}) {
      SCOPED_TRACE(::testing::Message() << static_cast<int>(kind) << ", burst " << burst
                                        << ", latency " << latency << " s");
      TestLink link(shaped(kind, GetParam(), burst, latency));
      link.run(4s);
      const std::uint64_t early = link.received().bytes;
      link.run(6s);
      EXPECT_GT(link.used_share(early, 4s), 0.9);
      EXPECT_GT(link.used_share(link.received().bytes - early, 6s), 0.93);
      EXPECT_LT(link.lost_share(), 0.1);
      EXPECT_FALSE(link.tripped());
    }
  }
}

TEST_P(SlowLink, KeepsItsQueueShort) {
  TestLink link(shaped(Kind::kDialectOne, GetParam(), 4000, 10));
  link.run(3s);
  for (int i = 0; i < 50; ++i) {
    link.run(100ms);
    const std::uint64_t under_way = link.datagrams_sent() - link.received().unique;
    const double bits = static_cast<double>(under_way) * 1442 * 8;
    EXPECT_LE(bits / GetParam(), 0.25 + 5 * 1442 * 8 / GetParam()) << "seconds, " << i;
  }
}

TEST_P(SlowLink, ReportsTakeLittleOfTheWayBack) {
  TestLink link(shaped(Kind::kDialectOne, GetParam(), 4000, 0.4));
  link.run(5s);
  EXPECT_LT(static_cast<double>(link.reports_sent()) * 190 * 8 / 5, 0.6 * GetParam());
}

INSTANTIATE_TEST_SUITE_P(Rate, SlowLink,
                         ::testing::Values(64e3, 100e3, 128e3, 300e3, 512e3, 1e6, 2e6));

// A queue for one datagram, or two: each that comes too soon is lost.
TEST(SlowPath, LosesLittleInAQueueOfOneDatagram) {
  for (const Kind kind : kKinds) {
    for (const double rate : {64e3, 128e3, 300e3}) {
      TestLink link(shaped(kind, rate, 1600, 0.05));
      link.run(10s);
      EXPECT_GT(link.used_share(link.received().bytes, 10s), 0.85) << rate;
      EXPECT_LT(link.lost_share(), 0.12) << rate;
    }
  }
}

TEST(SlowPath, LeastRateIsOneDatagramASecond) {
  TestLink link(shaped(Kind::kDialectOne, 12e3, 1600, 3));
  link.run(20s);
  EXPECT_GT(link.used_share(link.received().bytes, 20s), 0.8);
  EXPECT_LT(link.lost_share(), 0.15);
}

TEST(SlowPath, LongDatagramsPassAsWell) {
  TestLinkOptions options = shaped(Kind::kDialectOne, 1e6, 70e3, 2);
  options.payload = 65'507;
  TestLink link(options);
  link.run(10s);
  EXPECT_GT(link.used_share(link.received().bytes, 10s), 0.8);
  EXPECT_LT(link.lost_share(), 0.15);
}

TEST(SlowPath, FastLinkIsFullWithinASecond) {
  TestLink link(shaped(Kind::kDialectOne, 1e9, 500e3, 0.05));
  link.run(500ms);
  const std::uint64_t early = link.received().bytes;
  link.run(500ms);
  EXPECT_GT(link.used_share(link.received().bytes - early, 500ms), 0.9);
}

struct Jitter {
  Duration most;
  double rate_bps;
};

class Reordering : public ::testing::TestWithParam<Jitter> {};

// Of 20 ms and more, one way: each datagram is delayed on its own, so most are overtaken.
TEST_P(Reordering, IsNeitherLossNorBacklog) {
  for (const Kind kind : kKinds) {
    SCOPED_TRACE(static_cast<int>(kind));
    TestLinkOptions options = shaped(kind, GetParam().rate_bps, 10e3, 0.05);
    options.delay = 20ms;
    options.jitter = GetParam().most;
    TestLink link(options);
    link.run(3s);
    const std::uint64_t early = link.received().bytes;
    link.run(4s);
    EXPECT_GT(link.used_share(link.received().bytes - early, 4s), 0.75);
    EXPECT_LT(link.lost_share(), 0.2);
    EXPECT_FALSE(link.tripped());
  }
}

INSTANTIATE_TEST_SUITE_P(Jitter, Reordering,
                         ::testing::Values(Jitter{5ms, 1e6}, Jitter{50ms, 1e6}, Jitter{5ms, 10e6},
                                           Jitter{20ms, 10e6}, Jitter{50ms, 10e6},
                                           Jitter{5ms, 50e6}, Jitter{20ms, 50e6},
                                           Jitter{50ms, 50e6}, Jitter{20ms, 200e6}));

TEST(SlowPath, LossByChanceDoesNotKeepAFastLinkSlow) {
  for (const double loss : {0.01, 0.1, 0.3}) {
    TestLinkOptions options = shaped(Kind::kDialectOne, 100e6, 100e3, 0.1);
    options.loss = loss;
    TestLink link(options);
    link.run(6s);
    const std::uint64_t early = link.received().bytes;
    link.run(4s);
    EXPECT_GT(link.used_share(link.received().bytes - early, 4s), 0.5 * (1 - loss)) << loss;
  }
}

}  // namespace slow_path_test
}  // namespace wyndrvr::engine
