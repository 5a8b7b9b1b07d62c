// The checkers can fail: a world that deceives them is found out.
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "sim/world.hpp"

namespace wyndrvr::sim {
namespace {

// A second of upload with some loss, and enough heartbeats for every lie to find its moment.
Scenario lossy_scenario(Lie lie) {
  Scenario scenario = quiet_scenario();
  scenario.clients[0].config.protocol.heartbeat_interval = 50ms;
  scenario.clients[0].config.upload = engine::UploadRequest{1s, 900};
  scenario.clients[0].up.loss = 0.02;
  scenario.lie = lie;
  return scenario;
}

std::string first_violation(const Scenario& scenario) {
  World world(scenario);
  world.run();
  return world.violations().empty() ? "" : world.violations().front();
}
std::string first_violation(Lie lie) {
  return first_violation(lossy_scenario(lie));
}

TEST(Checkers, FindNothingInAnHonestWorld) {
  EXPECT_EQ(first_violation(Lie::kNone), "");
}

TEST(Checkers, NoticeADatagramThatTheActorGotBehindTheirBack) {
  EXPECT_NE(first_violation(Lie::kExtraDelivery).find("packets received"), std::string::npos);
}

TEST(Checkers, NoticeADatagramThatTheActorNeverGot) {
  EXPECT_NE(first_violation(Lie::kMissingDelivery).find("packets received"), std::string::npos);
}

TEST(Checkers, NoticeARoundTripThatIsFiftyMicrosecondsOff) {
  EXPECT_NE(first_violation(Lie::kLateStamp).find("round trip"), std::string::npos);
}

TEST(Checkers, NoticeALossThatNoLinkCaused) {
  EXPECT_NE(first_violation(Lie::kHiddenLoss).find(": lost: "), std::string::npos);
}

TEST(Checkers, NoticeASessionThatKeepsItsPorts) {
  EXPECT_NE(first_violation(Lie::kLeakedSession).find("sessions left"), std::string::npos);
}

TEST(Checkers, NoticeOneReplyTooManyToAnUnprovenAddress) {
  EXPECT_NE(first_violation(Lie::kExtraReply).find("unproven address"), std::string::npos);
}

TEST(Checkers, NoticeALossAtTheClientThatItsCoordinatorNeverHearsOf) {
  Scenario scenario = lossy_scenario(Lie::kUntoldLoss);
  scenario.clients[0].loss = PortLoss{true_time(500ms), engine::PortKind::kUpload};
  EXPECT_NE(first_violation(scenario).find("lost its upload port"), std::string::npos);
}

TEST(Checkers, NoticeALossAtTheServerThatItsCoordinatorNeverHearsOf) {
  Scenario scenario = lossy_scenario(Lie::kUntoldLoss);
  scenario.server.loss = SessionLoss{true_time(500ms), engine::PortKind::kUpload};
  EXPECT_NE(first_violation(scenario).find("its client is not told"), std::string::npos);
}

TEST(Checkers, NoticeALostSessionThatTheAcceptorNeverHearsOf) {
  Scenario scenario = lossy_scenario(Lie::kUntoldLoss);
  scenario.server.loss = SessionLoss{true_time(500ms), std::nullopt};
  EXPECT_NE(first_violation(scenario).find("its client is not told"), std::string::npos);
}

// An alarm whose owner never moves its deadline.
TEST(Checkers, NoticeALoopThatSpins) {
  Environment environment(quiet_scenario());
  Host host(environment, "host", server_address(false), HostConfig{});
  Alarm* self = nullptr;
  const engine::Deadline past{Instant(1s), engine::DeadlineReason::kReport};
  Alarm alarm(host, "spinner", [&] { self->set(past); });
  self = &alarm;
  alarm.set(past);
  while (environment.queue.run_one(true_time(10s))) {
  }
  ASSERT_EQ(environment.findings.texts().size(), 1U);
  EXPECT_NE(environment.findings.texts().front().find("spin"), std::string::npos);
}

}  // namespace
}  // namespace wyndrvr::sim
