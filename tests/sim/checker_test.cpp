// The checkers can fail: a world that deceives them is found out.
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/world.hpp"

namespace wyndrvr::sim {
namespace checker_test {

using ::testing::AllOf;
using ::testing::HasSubstr;

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

// --- dialect 1 ---

// A second of data in both directions, with some loss, in the middle of which a sender hears
// nothing for 200 ms.
Scenario dialect_one_lies(Lie lie) {
  Scenario scenario = lossy_scenario(lie);
  scenario.server.config.dialect = engine::DialectChoice::kOne;
  engine::ClientConfig& config = scenario.clients[0].config;
  config.dialect = engine::DialectChoice::kOne;
  config.nonce.fill(std::byte{9});
  config.terms.directions = wire::Directions::kBoth;
  config.terms.duration = 1s;
  config.terms.payload_bytes = 1000;
  scenario.clients[0].down.outage = Outage{true_time(500ms), true_time(700ms)};
  return scenario;
}

// All that the checkers say.
std::string dialect_one_violations(const Scenario& scenario) {
  World world(scenario);
  world.run();
  std::string all;
  for (const std::string& violation : world.violations()) all += violation + '\n';
  return all;
}

std::string dialect_one_violations(Lie lie) {
  return dialect_one_violations(dialect_one_lies(lie));
}

TEST(DialectOneCheckers, FindNothingInAnHonestWorld) {
  EXPECT_EQ(dialect_one_violations(Lie::kNone), "");
}

TEST(DialectOneCheckers, NoticeDataThatNoReportHasGranted) {
  Scenario scenario = dialect_one_lies(Lie::kHalfGrant);
  // So slow that 256 KiB more than what was seen are granted: half of the sum is less than what has
  // left by then.
  scenario.clients[0].config.terms.rate = BitRate{4e6};
  scenario.clients[0].config.terms.adaptive = false;
  EXPECT_THAT(dialect_one_violations(scenario), HasSubstr(", granted are "));
}

TEST(DialectOneCheckers, NoticeDataThatLeavesWhenItsGrantIsOver) {
  EXPECT_THAT(dialect_one_violations(Lie::kHalfValidity), HasSubstr("without a valid grant"));
}

TEST(DialectOneCheckers, NoticeADatagramToAnAddressThatIsNotProven) {
  EXPECT_THAT(dialect_one_violations(Lie::kHiddenProof), HasSubstr("which is not proven"));
}

TEST(DialectOneCheckers, NoticeALossThatNoLinkCaused) {
  EXPECT_THAT(dialect_one_violations(Lie::kHiddenLoss),
              AllOf(HasSubstr("test: lost: "), HasSubstr("vanished without a cause")));
}

TEST(DialectOneCheckers, NoticeADatagramThatTheActorGotBehindTheirBack) {
  EXPECT_THAT(dialect_one_violations(Lie::kExtraDelivery), HasSubstr("test: duplicates: "));
}

TEST(DialectOneCheckers, NoticeADatagramThatTheActorNeverGot) {
  EXPECT_THAT(dialect_one_violations(Lie::kMissingDelivery), HasSubstr("test: unique packets: "));
}

TEST(DialectOneCheckers, NoticeARoundTripThatIsFiftyMicrosecondsOff) {
  EXPECT_THAT(dialect_one_violations(Lie::kLateStamp), HasSubstr("round trip of "));
}

TEST(DialectOneCheckers, NoticeACloseThatIsNotDue) {
  EXPECT_THAT(dialect_one_violations(Lie::kUndueClose), HasSubstr("as if something was lost"));
}

TEST(DialectOneCheckers, NoticeALossAtTheServerThatItsClientIsNotToldOf) {
  Scenario scenario = dialect_one_lies(Lie::kUntoldLoss);
  scenario.server.loss = SessionLoss{true_time(800ms), engine::PortKind::kDownload};
  EXPECT_THAT(dialect_one_violations(scenario), HasSubstr("its client is not told"));
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

}  // namespace checker_test
}  // namespace wyndrvr::sim
