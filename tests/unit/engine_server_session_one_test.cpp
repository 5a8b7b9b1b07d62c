// The server's coordinator of a client of dialect 1.
#include <string>

#include <gtest/gtest.h>

#include "unit/engine_server_session_support.hpp"

namespace wyndrvr::engine {
namespace server_session_one_test {

using namespace testing;

class ServerSessionOneTest : public ServerSessionTest {
 protected:
  ServerSessionOneTest() : one(config, setup_with_path(), kStart) {}

  static SessionSetup setup_with_path() {
    SessionSetup setup = ServerSessionTest::setup();
    setup.path.emplace().handshake.session = 77;
    setup.path->terms.streams = 5;
    setup.path->terms.directions = wire::Directions::kDownload;
    return setup;
  }
  Effects take() {
    Effects all;
    while (auto effect = one.poll_effect()) all.push_back(std::move(*effect));
    return all;
  }
  Effects hear(PortKind from, const Message& message, Instant now = kStart) {
    one.on_message(now, from, message);
    return take();
  }
  void prove() {
    for (const PortKind port : kPortKinds) (void)hear(port, PortProven{});
  }
  Effects lose(PortKind port, Instant now = kStart) {
    one.on_port_lost(now, port, std::string(name(port)) + " is gone");
    return take();
  }
  Effects wait_until(Instant now) {
    one.on_timer(now);
    return take();
  }

  ServerSession one;
};

TEST_F(ServerSessionOneTest, PortsAreMadeOfTheHandshake) {
  const PortConfig port = one.port_config(PortKind::kDownload, kStart, 0s, 42);
  ASSERT_TRUE(port.path);
  EXPECT_EQ(port.path->handshake.session, 77U);
  EXPECT_EQ(port.path->terms.streams, 5);
  EXPECT_EQ(port.server_port, Port{7002});
  EXPECT_EQ(one.port_config(PortKind::kControl, kStart, 0s, 42).server_port, Port{7000});
}

TEST_F(ServerSessionOneTest, GrantedTestThatHasNotBegunIsNotCutEither) {
  config.limits.max_session_duration = 1s;
  SessionSetup setup = setup_with_path();
  setup.path->terms.duration = 600s;
  const Instant over = kStart + config.limits.proof_timeout + 600s + ServerSession::kTestMargin;
  ServerSession granted(config, setup, kStart);
  for (const PortKind port : kPortKinds) granted.on_message(kStart, port, PortProven{});
  EXPECT_EQ(granted.poll_deadline()->at, over);
  setup.path->terms.directions = wire::Directions::kLatencyOnly;
  ServerSession latency(config, setup, kStart);
  for (const PortKind port : kPortKinds) latency.on_message(kStart, port, PortProven{});
  EXPECT_EQ(latency.poll_deadline()->at, kStart + 1s);
}

TEST_F(ServerSessionOneTest, NothingIsResentWhileItIsPartlyProven) {
  (void)hear(PortKind::kControl, PortProven{});
  for (Instant now = kStart; now < kStart + config.limits.proof_timeout; now += 100ms) {
    ASSERT_TRUE(wait_until(now).empty());
  }
  const Effects all = wait_until(kStart + config.limits.proof_timeout);
  EXPECT_EQ(count_drains(all), 0U) << "the ports that it reaches are measured";
  EXPECT_TRUE(find<SessionProven>(all));
}

TEST_F(ServerSessionOneTest, ResultIsReportedAndTheSessionGoesOn) {
  prove();
  ReceiverTotals totals;
  totals.packets = 12;
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    const Effects all =
        hear(PortKind::kControl, TestReported{{1}, direction, totals, SenderTotals{}});
    ASSERT_EQ(all.size(), 1U);
    const auto result = find_report<ServerTestResult>(all);
    EXPECT_EQ(result->client, kClientEnd);
    EXPECT_EQ(result->direction, direction);
    EXPECT_EQ(result->totals, totals);
  }
}

TEST_F(ServerSessionOneTest, TestThatFailsOrBreaksDoesNotEndTheSession) {
  prove();
  EXPECT_TRUE(hear(PortKind::kControl, TestFailed{}).empty());
  EXPECT_TRUE(hear(PortKind::kControl, TestBroken{{1}, wire::StopReason::kNoData}).empty());
}

TEST_F(ServerSessionOneTest, SilenceEndsIt) {
  prove();
  for (const PortKind port : kPortKinds) (void)hear(port, PortSilent{});
  for (const PortKind port : kPortKinds) one.on_message(kStart, port, PortReport{});
  EXPECT_EQ(find<SessionOver>(take())->reason, SessionEnd::kIdle);
}

TEST_F(ServerSessionOneTest, CloseEndsIt) {
  prove();
  one.end(kStart, SessionEnd::kClosed);
  EXPECT_EQ(count_drains(take()), 3U);
  for (const PortKind port : kPortKinds) one.on_message(kStart, port, PortReport{});
  EXPECT_EQ(find<SessionOver>(take())->reason, SessionEnd::kClosed);
}

TEST_F(ServerSessionOneTest, LossOfAPortIsToldAtOnceWithOrWithoutATest) {
  prove();
  const Effects first = lose(PortKind::kUpload);
  EXPECT_EQ(find<TellEnded>(first)->cause, "upload is gone");
  EXPECT_FALSE(find<ClientExtended>(first));
  EXPECT_FALSE(find<TellEnded>(lose(PortKind::kControl))) << "the first cause is the one to tell";
  EXPECT_EQ(find<TellEnded>(wait_until(kStart + 200ms))->cause, "upload is gone");
  const Effects last = wait_until(kStart + 400ms);
  EXPECT_TRUE(find<TellEnded>(last));
  EXPECT_EQ(count_drains(last), 1U) << "two of three are gone";
}

TEST_F(ServerSessionOneTest, WithoutATestTheOtherPortsGoOn) {
  SessionSetup setup = setup_with_path();
  setup.path->terms.directions = wire::Directions::kLatencyOnly;
  ServerSession latency(config, setup, kStart);
  for (const PortKind port : kPortKinds) latency.on_message(kStart, port, PortProven{});
  latency.on_port_lost(kStart, PortKind::kUpload, "upload is gone");
  while (const auto effect = latency.poll_effect()) {
    EXPECT_FALSE(std::holds_alternative<TellEnded>(*effect));
    EXPECT_FALSE(std::holds_alternative<SessionOver>(*effect));
  }
}

TEST_F(ServerSessionOneTest, LossBeforeAnyProofIsToldWithTheFirst) {
  EXPECT_FALSE(find<TellEnded>(lose(PortKind::kUpload)));
  EXPECT_EQ(find<TellEnded>(hear(PortKind::kControl, PortProven{}))->cause, "upload is gone");
  EXPECT_FALSE(find<TellEnded>(hear(PortKind::kDownload, PortProven{})));
}

TEST_F(ServerSessionOneTest, SinglePortThatIsLostEndsTheSession) {
  prove();
  EXPECT_TRUE(find<TellEnded>(lose(PortKind::kControl)));
  (void)lose(PortKind::kUpload);
  (void)lose(PortKind::kDownload);
  (void)wait_until(kStart + 200ms);
  EXPECT_EQ(find<SessionOver>(wait_until(kStart + 400ms))->reason, SessionEnd::kFailed);
}

TEST_F(ServerSessionOneTest, StartOfATestIsNoReasonToAskWhetherItsClientUnderstands) {
  prove();
  EXPECT_FALSE(find<ClientExtended>(hear(PortKind::kControl, TestStarted{{1}, kStart, 10s, true})));
}

}  // namespace server_session_one_test
}  // namespace wyndrvr::engine
