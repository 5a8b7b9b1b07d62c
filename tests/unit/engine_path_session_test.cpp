// Whole tests of dialect 1 between the actors of both ends, on networks that behave and that do
// not.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "engine/grant.hpp"
#include "unit/engine_path_support.hpp"

namespace wyndrvr::engine {
namespace path_session_test {

using namespace testing;
using wire::Directions;

double rate_told(const PathSession& session, PortKind direction) {
  const std::uint64_t octets = session.reported(Side::kClient, direction)->sender->bytes;
  return static_cast<double>(octets) * 8 / to_seconds(session.terms().duration);
}

// --- every way that a test can be made ---
using Shape = std::tuple<Directions, int, bool, bool>;  // streams, keys and tags, single port

class PathShapeTest : public ::testing::TestWithParam<Shape> {};

TEST_P(PathShapeTest, BothEndsTellTheTruthAndTheRateIsKept) {
  const auto [directions, streams, keys, single_port] = GetParam();
  TestTerms terms = path_terms(directions);
  terms.streams = static_cast<std::uint8_t>(streams);
  terms.single_port = single_port;
  terms.data_tags = keys;
  terms.rate = BitRate{16e6};
  PathSession session({.terms = terms, .keys = keys});
  ASSERT_TRUE(session.run_tests());
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    if (!terms.has(direction)) {
      EXPECT_EQ(session.net.truth(direction).sent, 0U);
      continue;
    }
    expect_truth(session, direction);
    EXPECT_EQ(session.net.truth(direction).lost, 0U);
    // Every stream sends its first datagram at once, and so may be one ahead in the end.
    const double ahead = 8.0 * static_cast<double>(terms.payload_bytes) * streams;
    EXPECT_NEAR(rate_told(session, direction), 16e6, 0.01 * 16e6 + ahead);
  }
}

std::string shape_name(const ::testing::TestParamInfo<Shape>& shape) {
  const auto [directions, streams, keys, single_port] = shape.param;
  const std::string way = directions == Directions::kUpload     ? "Upload"
                          : directions == Directions::kDownload ? "Download"
                                                                : "Both";
  return way + std::to_string(streams) + (keys ? "Keys" : "") + (single_port ? "SinglePort" : "");
}

INSTANTIATE_TEST_SUITE_P(All, PathShapeTest,
                         ::testing::Values(Shape{Directions::kUpload, 1, false, false},
                                           Shape{Directions::kUpload, 4, true, false},
                                           Shape{Directions::kUpload, 64, false, true},
                                           Shape{Directions::kDownload, 1, true, false},
                                           Shape{Directions::kDownload, 4, false, true},
                                           Shape{Directions::kDownload, 64, true, false},
                                           Shape{Directions::kBoth, 1, false, true},
                                           Shape{Directions::kBoth, 4, true, true},
                                           Shape{Directions::kBoth, 64, false, false}),
                         shape_name);

// --- grants ---
class PathGrantTest : public ::testing::TestWithParam<Directions> {};

// Of 20 ms in each direction the path has 1: the rest is the time until a program sees what its
// kernel has.
TEST_P(PathGrantTest, WhatWaitsForAProgramIsNotOnTheWay) {
  PathSession session({.terms = path_terms(GetParam()),
                       .faults = {.delay = 20ms},
                       .turnaround = 19ms,
                       .receive_buffer = 100'000});
  ASSERT_TRUE(session.run_tests());
  const std::uint64_t room = usable_buffer(100'000, session.terms().payload_bytes)->value;
  // 1 MB/s at most, at twice of which the grant reckons: 4 kB in the path's own 2 ms.
  EXPECT_LE(session.most_granted_ahead, room + 4000);
  EXPECT_GE(session.most_granted_ahead, room);
}

INSTANTIATE_TEST_SUITE_P(Both, PathGrantTest,
                         ::testing::Values(Directions::kUpload, Directions::kDownload),
                         [](const auto& way) {
                           return way.param == Directions::kUpload ? "Upload" : "Download";
                         });

// --- the receiver's socket ---
TEST(PathSession, DropsOfASharedSocketAreToldOnceAndOfTheStreamThatTheyAreLike) {
  TestTerms terms = path_terms(Directions::kUpload);
  terms.streams = 2;
  PathSession session({.terms = terms});
  ASSERT_TRUE(session.prove());
  session.net.lose([&](const Flight& flight) {
    if (flight.is_data()) ++session.dropped_at_server;
    return false;
  });
  session.start_all();
  ASSERT_TRUE(session.finish_tests());
  // Of each stream's reports the last.
  std::map<std::uint64_t, std::uint64_t> told;
  for (const Flight& flight : session.net.sent()) {
    if (flight.type() != wire::PathType::kReport) continue;
    std::array<wire::ClosedRange, wire::kMaxReportRanges> ranges;
    const auto packet = wire::parse_path_packet(as_bytes(flight.bytes));
    const auto report = wire::parse_receiver_report(packet->body, ranges);
    told[packet->header.channel.value] = report->figures.socket_drops;
  }
  ASSERT_EQ(told.size(), 2U);
  for (const auto& [channel, drops] : told) {
    EXPECT_GT(drops, session.dropped_at_server / 4) << channel;
    EXPECT_LT(drops, session.dropped_at_server * 3 / 4) << channel;
  }
  const std::uint64_t sum =
      session.reported(Side::kClient, PortKind::kUpload)->receiver.socket_drops;
  EXPECT_LE(sum, session.dropped_at_server);
  EXPECT_GT(sum, session.dropped_at_server * 9 / 10);
}

// --- lossy networks ---
TEST(PathSession, LossCopiesAndDisorderAreCountedAsTheyAre) {
  TestTerms terms = path_terms(Directions::kBoth);
  terms.streams = 2;
  PathSession session({.terms = terms, .faults = {.jitter = 5ms, .loss = 0.05, .duplicate = 0.02}});
  ASSERT_TRUE(session.run_tests());
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    expect_truth(session, direction);
    EXPECT_GT(session.net.truth(direction).lost, 0U);
    EXPECT_GT(session.reported(Side::kClient, direction)->receiver.duplicate, 0U);
    EXPECT_GT(session.reported(Side::kClient, direction)->receiver.reordered, 0U);
    EXPECT_EQ(session.reported(Side::kClient, direction)->sender->retransmitted, 0U);
  }
}

// Numbers that are lost near the end cannot all come again in time, so the network mends itself
// two seconds before.
TEST(PathSession, ReliableTestMissesNothingInTheEnd) {
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    TestTerms terms =
        path_terms(direction == PortKind::kUpload ? Directions::kUpload : Directions::kDownload);
    terms.reliable = true;
    terms.duration = 4s;
    PathSession session({.terms = terms, .faults = {.loss = 0.05}});
    ASSERT_TRUE(session.prove());
    session.start_all();
    session.run_until(session.now + 2s);
    session.net.faults().loss = 0;
    ASSERT_TRUE(session.finish_tests());
    expect_truth(session, direction);
    const auto told = *session.reported(Side::kClient, direction);
    EXPECT_GT(session.net.truth(direction).lost, 50U);
    EXPECT_GE(told.sender->retransmitted, session.net.truth(direction).lost);
    const std::uint64_t numbers = told.sender->packets - told.sender->retransmitted;
    EXPECT_EQ(told.receiver.unique_bytes, numbers * terms.payload_bytes) << name(direction);
    EXPECT_EQ(told.receiver.retransmitted, told.sender->retransmitted);
  }
}

// 100 times: 30 % of all is lost, both ways.
TEST(PathSession, HeavyLossOnlyDelaysTheProofOfEveryPath) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    PathSession session(
        {.terms = path_terms(Directions::kBoth), .faults = {.loss = 0.3}, .seed = seed});
    ASSERT_TRUE(session.prove(10s)) << "seed " << seed;
  }
}

TEST(PathSession, UnlimitedTestsFillTheLinkAlikeInBothDirections) {
  TestTerms terms = path_terms(Directions::kBoth);
  terms.rate.reset();
  terms.adaptive = true;
  terms.duration = 4s;
  PathSession session({.terms = terms, .faults = {.rate = BitRate{20e6}}});
  ASSERT_TRUE(session.run_tests());
  std::array<double, 2> received{};
  for (std::size_t i = 0; i < received.size(); ++i) {
    const PortKind direction = i == 0 ? PortKind::kUpload : PortKind::kDownload;
    expect_truth(session, direction);
    received[i] = static_cast<double>(session.reported(Side::kClient, direction)->receiver.bytes);
    EXPECT_GT(received[i] * 8 / 4, 0.85 * 20e6) << name(direction);
  }
  EXPECT_NEAR(received[0], received[1], 0.05 * received[0]);
}

// --- one datagram lost ---
bool is_protocol(const Flight& flight) {
  return !flight.is_data();
}

std::uint64_t lose_one(Directions directions, std::uint64_t lost) {
  TestTerms terms = path_terms(directions);
  terms.duration = 150ms;
  terms.rate = BitRate{1e6};
  PathSession session({.terms = terms});
  std::uint64_t seen = 0;
  session.net.lose([&](const Flight& flight) { return is_protocol(flight) && seen++ == lost; });
  EXPECT_TRUE(session.run_tests()) << "without datagram " << lost;
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    if (terms.has(direction)) expect_truth(session, direction);
  }
  EXPECT_EQ(session.count<TestFailed>(Side::kClient), 0U);
  EXPECT_EQ(session.count<TestReported>(Side::kServer), directions == Directions::kBoth ? 2U : 1U);
  return seen;
}

TEST(PathSession, AnyMessageMayBeLostOnce) {
  for (const auto directions : {Directions::kUpload, Directions::kDownload, Directions::kBoth}) {
    const std::uint64_t messages = lose_one(directions, UINT64_MAX);
    ASSERT_GT(messages, 15U);
    for (std::uint64_t i = 0; i < messages; ++i) {
      (void)lose_one(directions, i);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

// --- octets ---
TEST(PathSession, BoundInOctetsEndsTheTestEarlyAndBothEndsAgree) {
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    TestTerms terms =
        path_terms(direction == PortKind::kUpload ? Directions::kUpload : Directions::kDownload);
    terms.streams = 3;
    terms.octets = ByteCount{300'500};
    terms.duration = 20s;
    PathSession session({.terms = terms});
    std::uint64_t stops = 0;
    session.net.lose([&](const Flight& flight) {
      if (flight.type() != wire::PathType::kControl) return false;
      constexpr std::byte kStop{3};
      const bool stop = as_bytes(flight.bytes)[wire::kPathPrefixSize] == kStop;
      return stop && stops++ < 2;  // the first two STOPs
    });
    ASSERT_TRUE(session.prove());
    const Instant begun = session.now;
    session.start_all();
    ASSERT_TRUE(session.finish_tests());
    EXPECT_LT(session.now - begun, 3s) << "nobody waits for the time that was left";
    EXPECT_GE(stops, 3U);
    expect_truth(session, direction);
    const std::uint64_t octets = session.net.truth(direction).octets;
    EXPECT_GE(octets, terms.octets->value);
    EXPECT_LT(octets, terms.octets->value + 3 * terms.payload_bytes)
        << "less than a datagram more on each stream";
    EXPECT_EQ(session.count<TestBroken>(Side::kClient), 0U) << "that is how it was to end";
  }
}

}  // namespace path_session_test
}  // namespace wyndrvr::engine
