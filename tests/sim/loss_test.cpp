// Loops that end in the middle, by hand: who ends, who goes on, and who is told what.
#include <algorithm>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "engine/client_session.hpp"
#include "engine/server_session.hpp"
#include "sim/world.hpp"

namespace wyndrvr::sim {
namespace loss_test {

using engine::PortKind;
using engine::ProblemCode;
using engine::SessionEnd;

constexpr TrueTime kMiddle = true_time(500ms);

// Every topology must come to the same.
class Loss : public ::testing::TestWithParam<Topology> {
 protected:
  static Scenario upload() {
    Scenario scenario = latency();
    scenario.clients[0].config.upload = engine::UploadRequest{1s, 900};
    scenario.clients[0].config.heartbeat_count.reset();
    return scenario;
  }
  static Scenario latency() {
    Scenario scenario = quiet_scenario();
    scenario.max_mail_delay = 100us;
    scenario.max_loss_delay = 5ms;
    scenario.clients[0].config.protocol.heartbeat_interval = 50ms;
    scenario.clients[0].config.heartbeat_count = 20;
    return scenario;
  }
  void run(const Scenario& scenario) {
    world_.emplace(scenario, GetParam());
    world_->run();
    for (const std::string& violation : world_->violations()) ADD_FAILURE() << violation;
  }
  [[nodiscard]] const engine::SessionResult& result() const { return world_->client(0).result(); }
  [[nodiscard]] TrueTime finished() const { return *world_->client(0).finished_at(); }
  // The message of that problem; empty where there is none.
  [[nodiscard]] std::string problem(ProblemCode code) const {
    const auto found = std::ranges::find(result().problems, code, &engine::Problem::code);
    return found == result().problems.end() ? "" : found->message;
  }
  [[nodiscard]] const SessionTruth& session() const { return *world_->server().sessions().front(); }

  std::optional<World> world_;
};

TEST_P(Loss, OfTheClientsUploadPortEndsTheTestAtOnceAndNamesTheCause) {
  Scenario scenario = upload();
  scenario.clients[0].loss = PortLoss{kMiddle, PortKind::kUpload};
  run(scenario);
  EXPECT_FALSE(result().valid);
  EXPECT_NE(problem(ProblemCode::kWorkerLost).find("upload loop ended"), std::string::npos);
  EXPECT_LE(finished(), kMiddle + 100ms) << "the other two answer at once";
  EXPECT_FALSE(result().ports[1]);
  EXPECT_TRUE(result().ports[0]);
  EXPECT_TRUE(result().ports[2]);
}

TEST_P(Loss, OfAPortInALatencyRunLeavesTheNumbersOfTheOthersComplete) {
  Scenario scenario = latency();
  scenario.clients[0].loss = PortLoss{kMiddle, PortKind::kDownload};
  run(scenario);
  EXPECT_FALSE(result().valid);
  EXPECT_FALSE(result().ports[2]);
  for (const std::size_t other : {0U, 1U}) {
    ASSERT_TRUE(result().ports[other]);
    EXPECT_EQ(result().ports[other]->idle.sent, 20U);
    EXPECT_EQ(result().ports[other]->idle.lost, 0U);
  }
  EXPECT_GE(finished(), true_time(950ms)) << "the others go on to their end";
}

TEST_P(Loss, OfTheServersUploadPortIsToldToAClientOfOurs) {
  Scenario scenario = upload();
  scenario.server.loss = SessionLoss{kMiddle, PortKind::kUpload};
  run(scenario);
  EXPECT_FALSE(result().valid);
  EXPECT_NE(problem(ProblemCode::kServerFailed).find("upload loop ended"), std::string::npos);
  EXPECT_LE(finished(), kMiddle + 100ms);
  EXPECT_EQ(session().reason, SessionEnd::kFailed);
  EXPECT_EQ(session().ended_sent, engine::ServerSession::kEndedRepeats);
  EXPECT_EQ(world_->server().acceptor().free_ports(), 100U);
}

TEST_P(Loss, OfTheServersDownloadPortLeavesTheHeartbeatsOfTheOthersAlone) {
  Scenario scenario = latency();
  scenario.server.loss = SessionLoss{kMiddle, PortKind::kDownload};
  run(scenario);
  EXPECT_EQ(session().ended_sent, 0U) << "no test runs";
  for (const std::size_t other : {0U, 1U}) {
    ASSERT_TRUE(result().ports[other]);
    EXPECT_EQ(result().ports[other]->idle.received, 20U);
  }
  ASSERT_TRUE(result().ports[2]);
  EXPECT_GT(result().ports[2]->idle.lost, 0U);
  EXPECT_EQ(session().reason, SessionEnd::kIdle);
}

TEST_P(Loss, OfAWholeSessionIsToldToItsClientAndToNoOther) {
  Scenario scenario = upload();
  scenario.clients.push_back(latency().clients[0]);
  scenario.clients[1].start = true_time(600ms);  // the first client's session is the only one yet
  scenario.server.loss = SessionLoss{kMiddle, std::nullopt};
  run(scenario);
  EXPECT_FALSE(result().valid);
  EXPECT_NE(problem(ProblemCode::kServerFailed).find("session loop ended"), std::string::npos);
  EXPECT_EQ(session().reason, SessionEnd::kFailed);
  EXPECT_TRUE(world_->client(1).result().valid);
  EXPECT_EQ(world_->server().acceptor().free_ports(), 100U);
}

TEST_P(Loss, OfASessionThatCannotBeLaunchedIsARefusal) {
  Scenario scenario = latency();
  scenario.server.launch_failure = 1;
  run(scenario);
  EXPECT_NE(problem(ProblemCode::kRefused).find("cannot start workers"), std::string::npos);
  EXPECT_EQ(session().reason, SessionEnd::kFailed);
  EXPECT_EQ(world_->server().acceptor().free_ports(), 100U);
}

INSTANTIATE_TEST_SUITE_P(Everywhere, Loss, ::testing::ValuesIn(kTopologies), [](const auto& one) {
  std::string text(name(one.param));
  std::erase(text, '-');
  return text;
});

// --- lazy launch ---

TEST(Launch, WaitsForTheFirstDatagramAndKeepsItsArrivalStamp) {
  Scenario scenario = quiet_scenario();
  scenario.clients[0].config.protocol.heartbeat_interval = 50ms;
  scenario.clients[0].config.heartbeat_count = 5;
  Scenario slow = scenario;
  slow.max_launch_time = 40ms;
  World prompt(scenario);
  World late(slow);
  prompt.run();
  late.run();
  EXPECT_TRUE(prompt.violations().empty());
  EXPECT_TRUE(late.violations().empty());
  // The server's wait shows in its turnaround, and so in the plain round trip alone.
  const auto& at_once = prompt.client(0).result().ports[0]->idle;
  const auto& waited = late.client(0).result().ports[0]->idle;
  EXPECT_GT(waited.rtt->max, at_once.rtt->max + 1ms);
  EXPECT_LT(waited.network_rtt->max, at_once.network_rtt->max + 1ms);
}

TEST(Launch, ASessionThatNobodyWritesToIsGivenUpWithoutEverHavingBeen) {
  Scenario scenario = quiet_scenario();
  scenario.clients[0].config.heartbeat_count = 5;
  scenario.clients[0].vanishes = true_time(7ms);  // CONNECT is out; the answer will find nobody
  World world(scenario);
  world.run();
  EXPECT_TRUE(world.violations().empty());
  const SessionTruth& session = *world.server().sessions().front();
  EXPECT_FALSE(session.launched);
  EXPECT_EQ(session.reason, SessionEnd::kUnproven);
  EXPECT_EQ(*session.ended - session.created, engine::ServerLimits{}.proof_timeout);
}

}  // namespace loss_test
}  // namespace wyndrvr::sim
