#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "runtime/session_claims.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::runtime {
namespace session_claims_test {

using engine::testing::endpoint;
using engine::testing::kStart;
using Verdict = SessionClaims::Verdict;

const Endpoint kOwn = endpoint("192.0.2.7", 4242);
const Endpoint kOther = endpoint("203.0.113.9", 1111);

class SessionClaimsTest : public ::testing::Test {
 protected:
  Verdict say(Frame frame, Instant now = kStart) {
    said = std::move(frame);
    return claims.check(now, said);
  }
  template <class Event>
  [[nodiscard]] const Event& event() const {
    return std::get<Event>(std::get<engine::Report>(said));
  }

  Frame said;
  SessionClaims claims{{.client = kOwn, .original = true, .trace = true, .resend_interval = 1s}};
};

TEST_F(SessionClaimsTest, EveryReportIsOfItsOwnClient) {
  EXPECT_EQ(say(engine::Report{engine::ClientConnected{kOther}}), Verdict::kTake);
  EXPECT_EQ(event<engine::ClientConnected>().client, kOwn);
  EXPECT_EQ(say(engine::Report{engine::ServerLatencySample{kOther, {}, 1ms}}), Verdict::kTake);
  EXPECT_EQ(event<engine::ServerLatencySample>().client, kOwn);
  EXPECT_EQ(say(engine::Report{engine::ServerTestResult{kOther, engine::PortKind::kUpload, {}}}),
            Verdict::kTake);
  EXPECT_EQ(event<engine::ServerTestResult>().client, kOwn);
  EXPECT_EQ(say(engine::Report{engine::PortsStarted{kOther}}), Verdict::kTake);
  EXPECT_EQ(event<engine::PortsStarted>().client, kOwn);
  EXPECT_EQ(say(engine::Report{engine::PortLost{kOther, {}, "gone"}}), Verdict::kTake);
  EXPECT_EQ(event<engine::PortLost>().client, kOwn);
  EXPECT_EQ(say(engine::Report{engine::TraceLine{{}, {5}, "x", kOther}}), Verdict::kTake);
  EXPECT_EQ(event<engine::TraceLine>().client, kOwn);
  EXPECT_EQ(say(engine::Report{engine::ClientGone{kOther, engine::SessionEnd::kIdle, true, {}}}),
            Verdict::kTake);
  EXPECT_EQ(event<engine::ClientGone>().client, kOwn);
}

TEST_F(SessionClaimsTest, NobodyLeavesWhoNeverWasConnected) {
  EXPECT_EQ(say(engine::Report{engine::ClientGone{kOwn, engine::SessionEnd::kIdle, true, {}}}),
            Verdict::kTake);
  EXPECT_FALSE(event<engine::ClientGone>().was_connected);
}

TEST_F(SessionClaimsTest, WhatHappensOnceIsImpossibleTheSecondTime) {
  for (const Frame& frame :
       {Frame(engine::SessionProven{}), Frame(engine::ClientExtended{}),
        Frame(engine::Report{engine::ClientConnected{kOwn}}),
        Frame(engine::Report{engine::PortsStarted{kOwn}}),
        Frame(engine::Report{engine::PortLost{kOwn, {}, "gone"}}),
        Frame(engine::Report{engine::ServerTestResult{kOwn, engine::PortKind::kUpload, {}}}),
        Frame(engine::Report{engine::ClientGone{kOwn, engine::SessionEnd::kIdle, true, {}}})}) {
    EXPECT_EQ(say(frame), Verdict::kTake) << frame.index();
    EXPECT_EQ(say(frame), Verdict::kImpossible) << frame.index();
  }
}

TEST_F(SessionClaimsTest, WhatIsTheSupervisorsToSayIsImpossible) {
  for (const Frame& frame :
       {Frame(Begin{}), Frame(Ping{}), Frame(EndSession{}), Frame(PortSetup{}),
        Frame(ipc::Letter{}), Frame(engine::Report{engine::SessionLost{kOther, "x"}}),
        Frame(engine::Report{engine::LimitReached{"x"}}),
        Frame(engine::Report{engine::PortsExhausted{}}),
        Frame(engine::Report{engine::Refused{"x"}}), Frame(engine::Report{engine::Connecting{}}),
        Frame(engine::Report{engine::ServerTestResult{kOwn, engine::PortKind::kControl, {}}})}) {
    EXPECT_EQ(say(frame), Verdict::kImpossible) << frame.index();
  }
}

TEST_F(SessionClaimsTest, OnlyTheSupervisorEvictsAndStops) {
  const auto gone = [](engine::SessionEnd reason) {
    return engine::Report{engine::ClientGone{kOwn, reason, false, {}}};
  };
  EXPECT_EQ(say(gone(engine::SessionEnd::kShutdown)), Verdict::kImpossible);
  claims.on_told_to_end(engine::SessionEnd::kEvicted);
  claims.on_told_to_end(engine::SessionEnd::kShutdown);
  EXPECT_EQ(say(gone(engine::SessionEnd::kShutdown)), Verdict::kImpossible) << "the first counts";
  EXPECT_EQ(say(gone(engine::SessionEnd::kEvicted)), Verdict::kTake);
}

TEST_F(SessionClaimsTest, AssignmentsAreNotSentAgainAsFastAsAWorkerLikes) {
  std::size_t taken = 0;
  for (Instant now = kStart; now < kStart + 10s; now += 1ms) {
    taken += say(engine::ResendAssignment{}, now) == Verdict::kTake ? 1 : 0;
  }
  EXPECT_EQ(taken, 20U);
  EXPECT_EQ(claims.dropped(), 10'000U - 20U);
  EXPECT_EQ(say(engine::SessionProven{}), Verdict::kTake);
  EXPECT_EQ(say(engine::ResendAssignment{}, kStart + 1h), Verdict::kImpossible);
}

TEST_F(SessionClaimsTest, TheEndIsToldThreeTimes) {
  for (unsigned i = 0; i < engine::ServerSession::kEndedRepeats; ++i) {
    EXPECT_EQ(say(engine::TellEnded{"x"}), Verdict::kTake);
  }
  EXPECT_EQ(say(engine::TellEnded{"x"}), Verdict::kImpossible);
}

TEST_F(SessionClaimsTest, NothingIsTakenAfterTheEnd) {
  EXPECT_EQ(say(engine::SessionOver{}), Verdict::kTake);
  EXPECT_EQ(say(engine::Report{engine::ClientConnected{kOwn}}), Verdict::kDrop);
  EXPECT_EQ(claims.dropped(), 1U);
}

TEST(SessionClaims, OfDialectOneSaysNothingOfTheOriginals) {
  SessionClaims claims({.client = kOwn, .original = false, .trace = false, .resend_interval = 1s});
  for (Frame frame : {Frame(engine::ResendAssignment{}), Frame(engine::ClientExtended{}),
                      Frame(engine::Report{engine::TraceLine{{}, {5}, "x", kOwn}})}) {
    EXPECT_EQ(claims.check(kStart, frame), Verdict::kImpossible) << frame.index();
  }
}

}  // namespace session_claims_test
}  // namespace wyndrvr::runtime
