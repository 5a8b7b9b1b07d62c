// Tests of dialect 1 whose path changes or fails while they run.
#include <algorithm>
#include <cstdint>

#include <gtest/gtest.h>

#include "unit/engine_path_support.hpp"

namespace wyndrvr::engine {
namespace path_trouble_test {

using namespace testing;
using wire::Directions;
using wire::PathType;

Directions one_way(PortKind direction) {
  return direction == PortKind::kUpload ? Directions::kUpload : Directions::kDownload;
}
Side sender_of(PortKind direction) {
  return direction == PortKind::kUpload ? Side::kClient : Side::kServer;
}
Side receiver_of(PortKind direction) {
  return direction == PortKind::kUpload ? Side::kServer : Side::kClient;
}

class PathTroubleTest : public ::testing::TestWithParam<PortKind> {
 protected:
  static PathSession::Options options(Duration duration = 4s) {
    PathSession::Options options{.terms = path_terms(one_way(GetParam()))};
    options.terms.duration = duration;
    return options;
  }
  static void begin(PathSession& session) {
    ASSERT_TRUE(session.prove());
    session.start_all();
    session.run_until(session.now + 1s);
    ASSERT_GT(session.net.truth(GetParam()).sent, 100U);
  }
  static std::optional<Instant> last_report(const PathSession& session) {
    std::optional<Instant> last;
    for (const Flight& flight : session.net.sent()) {
      if (flight.type() == PathType::kReport) last = flight.sent;
    }
    return last;
  }
};

TEST_P(PathTroubleTest, DataEndsAQuarterOfASecondAfterTheLastReportOfAReceiverThatIsGone) {
  const PortKind direction = GetParam();
  PathSession session(options());
  begin(session);
  const Instant last = *last_report(session) + session.net.faults().delay;
  session.net.lose([&](const Flight& flight) { return flight.from == receiver_of(direction); });
  session.run_until(session.now + 20s);
  const Instant quiet = *session.net.truth(direction).last_sent;
  EXPECT_GT(quiet, last);
  EXPECT_LE(quiet, last + 250ms);
}

TEST_P(PathTroubleTest, SustainedLossTripsTheBreaker) {
  const PortKind direction = GetParam();
  PathSession::Options lossy = options(20s);
  PathSession session(lossy);
  ASSERT_TRUE(session.prove());
  std::uint64_t data = 0;
  session.net.lose([&](const Flight& flight) { return flight.is_data() && data++ % 10 < 6; });
  session.start_all();
  const Instant begun = session.now;
  ASSERT_TRUE(session.finish_tests());
  for (const Side side : {Side::kClient, Side::kServer}) {
    const auto broken = session.first<TestBroken>(side);
    ASSERT_TRUE(broken);
    EXPECT_EQ(std::get<TestBroken>(broken->message).reason, wire::StopReason::kSustainedLoss);
    EXPECT_EQ(broken->from, PortKind::kControl);
    EXPECT_EQ(std::get<TestBroken>(broken->message).from_peer, side == receiver_of(direction));
    EXPECT_GE(broken->at - begun, 5s);
    EXPECT_LE(broken->at - begun, 6s);
    EXPECT_EQ(session.count<TestBroken>(side), 1U);
  }
  expect_truth(session, direction);
}

TEST_P(PathTroubleTest, HalfLostIsNoReasonToStop) {
  PathSession session(options(8s));
  ASSERT_TRUE(session.prove());
  std::uint64_t data = 0;
  session.net.lose([&](const Flight& flight) { return flight.is_data() && data++ % 10 < 4; });
  session.start_all();
  ASSERT_TRUE(session.finish_tests());
  EXPECT_EQ(session.count<TestBroken>(Side::kClient), 0U);
  EXPECT_EQ(session.count<TestBroken>(Side::kServer), 0U);
  expect_truth(session, GetParam());
}

// When something of `type` was first sent from, or to, an endpoint after `from`.
std::optional<Instant> first_sent(const PathSession& session, PathType type, Instant from,
                                  const Endpoint& client) {
  for (const Flight& flight : session.net.sent()) {
    const Endpoint& end = flight.from == Side::kClient ? flight.source : flight.to;
    if (flight.sent >= from && flight.type() == type && end == client) return flight.sent;
  }
  return std::nullopt;
}

TEST_P(PathTroubleTest, DataGoesOnWithinASecondOfARebind) {
  const PortKind direction = GetParam();
  for (const bool keys : {false, true}) {
    PathSession::Options many = options();
    many.terms.streams = 2;
    many.keys = keys;
    PathSession session(many);
    begin(session);
    const Endpoint before = session.net.client_end(direction, 1);
    session.net.rebind(direction, 1);
    const Endpoint after = session.net.client_end(direction, 1);
    ASSERT_NE(before, after);
    const Instant rebound = session.now;
    ASSERT_TRUE(session.finish_tests());

    // One that was sent before the server's nonce for the new endpoint was there proves nothing.
    const auto nonce = first_sent(session, PathType::kHeartbeat1, rebound, after);
    ASSERT_TRUE(nonce);
    const auto proof =
        first_sent(session, PathType::kHeartbeat2, *nonce + session.net.faults().delay, after);
    ASSERT_TRUE(proof);
    EXPECT_LE(*proof, rebound + 1s);
    // The reports go the other way, so both kinds show that the path carries again.
    const auto data = first_sent(session, PathType::kData, *proof + 1ns, after);
    const auto report = first_sent(session, PathType::kReport, *proof + 1ns, after);
    ASSERT_TRUE(data && report);
    EXPECT_LE(*data, rebound + 1s);
    const Instant heard = *proof + session.net.faults().delay;
    for (const Flight& flight : session.net.sent()) {
      if (flight.from != Side::kServer || flight.to != before) continue;
      EXPECT_LE(flight.sent, heard) << "to where the path was before";
    }
    const auto told = *session.reported(Side::kClient, direction);
    // At most what both streams' share of the pause would have been is missing.
    const double wanted = to_seconds(many.terms.duration) * many.terms.rate->bps / 8;
    EXPECT_GT(static_cast<double>(told.receiver.bytes), wanted * (1 - 0.5 / 4));
    EXPECT_EQ(session.reported(Side::kServer, direction)->receiver.unique, told.receiver.unique);
  }
}

// A control path that has moved before the result: the result still arrives.
TEST_P(PathTroubleTest, ResultFindsAControlPathThatHasMoved) {
  const PortKind direction = GetParam();
  PathSession session(options(2s));
  begin(session);
  session.net.rebind(PortKind::kControl, 0);
  ASSERT_TRUE(session.finish_tests());
  expect_truth(session, direction);
}

TEST_P(PathTroubleTest, TestsWhoseDataAllVanishesEndWithAResultOfNothing) {
  const PortKind direction = GetParam();
  PathSession session(options(1s));
  ASSERT_TRUE(session.prove());
  session.net.lose([](const Flight& flight) { return flight.is_data(); });
  session.start_all();
  ASSERT_TRUE(session.finish_tests());
  expect_truth(session, direction);
  EXPECT_EQ(session.reported(Side::kClient, direction)->receiver.packets, 0U);
}

TEST_P(PathTroubleTest, ServerThatVanishesBeforeTheTestFailsItOnce) {
  PathSession session(options(1s));
  ASSERT_TRUE(session.prove());
  session.net.lose([](const Flight& flight) { return flight.from == Side::kServer; });
  session.start_all();
  session.run_until(session.now + 30s);
  EXPECT_EQ(session.count<TestFailed>(Side::kClient), 1U);
  EXPECT_EQ(session.net.truth(GetParam()).sent, 0U);
}

// The host of the sender answers Drain: nothing of the test leaves afterwards.
TEST_P(PathTroubleTest, NothingLeavesAfterTheLastWord) {
  const PortKind direction = GetParam();
  PathSession session(options());
  begin(session);
  session.tell(sender_of(direction), direction, Drain{});
  const auto last_word = session.first<PortReport>(sender_of(direction));
  ASSERT_TRUE(last_word);
  const auto& report = std::get<PortReport>(last_word->message);
  ASSERT_TRUE(report.sender);
  session.run_until(session.now + 2s);
  EXPECT_EQ(report.sender->packets, session.net.truth(direction).sent);
}

INSTANTIATE_TEST_SUITE_P(Both, PathTroubleTest,
                         ::testing::Values(PortKind::kUpload, PortKind::kDownload),
                         [](const auto& way) { return std::string(name(way.param)); });

}  // namespace path_trouble_test
}  // namespace wyndrvr::engine
