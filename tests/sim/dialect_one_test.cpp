// Worlds of dialect 1 made by hand, with what must come out of each.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "engine/client_session.hpp"
#include "engine/server_session.hpp"
#include "sim/world.hpp"

namespace wyndrvr::sim {
namespace dialect_one_test {

using engine::Dialect;
using engine::DialectChoice;
using engine::PortKind;
using engine::ProblemCode;
using engine::SessionEnd;

Scenario dialect_one_scenario(wire::Directions directions) {
  Scenario scenario = quiet_scenario();
  scenario.server.config.dialect = DialectChoice::kAuto;
  engine::ClientConfig& config = scenario.clients[0].config;
  config.dialect = DialectChoice::kAuto;
  config.nonce.fill(std::byte{7});
  config.protocol.heartbeat_interval = 100ms;
  config.terms.directions = directions;
  config.terms.duration = 600ms;
  config.terms.payload_bytes = 1000;
  if (directions == wire::Directions::kLatencyOnly) {
    config.heartbeat_count = 20;
  } else {
    config.upload = engine::UploadRequest{600ms, 900, BitRate{50e6}};
  }
  scenario.clients[0].up.rate_bps = 0;  // no bottleneck: nothing to overflow
  scenario.clients[0].down.rate_bps = 0;
  config.terms.rate = BitRate{50e6};  // or each round trip doubles it
  return scenario;
}

// Neither more nor less: without a search for the rate of the path.
void keep_rate(Scenario& scenario, BitRate rate) {
  scenario.clients[0].config.terms.rate = rate;
  scenario.clients[0].config.terms.adaptive = false;
}

crypto::Key some_key(std::uint32_t id) {
  crypto::Key key;
  key.id = id;
  std::ranges::fill(key.octets.writable(), static_cast<std::byte>(id));
  return key;
}

void give_keys(Scenario& scenario) {
  scenario.server.config.keys = {some_key(3)};
  scenario.clients[0].config.key = some_key(3);
}

class DialectOne : public ::testing::TestWithParam<Topology> {
 protected:
  void run(const Scenario& scenario) {
    world_.emplace(scenario, GetParam());
    world_->run();
    for (const std::string& violation : world_->violations()) ADD_FAILURE() << violation;
  }
  [[nodiscard]] const engine::SessionResult& result() const { return world_->client(0).result(); }
  [[nodiscard]] bool has_problem(ProblemCode code) const {
    return std::ranges::any_of(result().problems,
                               [code](const engine::Problem& one) { return one.code == code; });
  }
  // Of dialect 1; the last client of a world asks in 0.14.
  [[nodiscard]] std::ptrdiff_t session_count() const {
    return std::ranges::count_if(world_->server().sessions(), &SessionTruth::speaks_one);
  }
  [[nodiscard]] const SessionTruth& session() const { return *world_->server().sessions().front(); }

  std::optional<World> world_;
};

TEST_P(DialectOne, WithoutFaultsEveryDatagramOfBothDirectionsArrivesOnce) {
  run(dialect_one_scenario(wire::Directions::kBoth));
  EXPECT_TRUE(result().valid);
  EXPECT_EQ(result().dialect, Dialect::kOne);
  ASSERT_EQ(result().tests.size(), 2U);
  for (const engine::TestOutcome& test : result().tests) {
    ASSERT_TRUE(test.receiver);
    EXPECT_GT(test.sender.packets, 100U);
    EXPECT_EQ(test.receiver->unique, test.sender.packets);
    EXPECT_EQ(test.receiver->duplicate, 0U);
  }
  EXPECT_EQ(world_->coverage().total(Seen::kTestOneCauses), 2U);
  EXPECT_EQ(session().reason, SessionEnd::kClosed);
  EXPECT_LE(*session().ended, *world_->client(0).finished_at() + 10ms);
}

TEST_P(DialectOne, RandomLossIsReportedToTheDatagramOverAllStreams) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kBoth);
  scenario.clients[0].config.terms.streams = 4;
  scenario.clients[0].config.terms.reliable = true;
  keep_rate(scenario, BitRate{4e6});
  scenario.clients[0].up.loss = 0.1;
  scenario.clients[0].down.loss = 0.1;
  run(scenario);
  ASSERT_EQ(result().tests.size(), 2U);
  EXPECT_EQ(world_->coverage().total(Seen::kTestOneLoss), 2U);
  EXPECT_EQ(world_->coverage().total(Seen::kTestOneCauses), 2U);
}

TEST_P(DialectOne, ASinglePortCarriesAllThree) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kBoth);
  scenario.clients[0].config.terms.single_port = true;
  scenario.clients[0].config.terms.streams = 3;
  run(scenario);
  EXPECT_TRUE(result().valid);
  EXPECT_EQ(world_->coverage().total(Seen::kTestOneExact), 2U);
  EXPECT_EQ(world_->server().acceptor().free_ports(), 100U);
  for (const auto& port : result().ports) EXPECT_TRUE(port);
}

TEST_P(DialectOne, HeartbeatsOfACountAreAllAnsweredInTheTimeOfThePath) {
  run(dialect_one_scenario(wire::Directions::kLatencyOnly));
  EXPECT_TRUE(result().valid);
  for (const auto& port : result().ports) {
    ASSERT_TRUE(port && port->idle.rtt);
    EXPECT_EQ(port->idle.received, 20U);
    EXPECT_GE(port->idle.rtt->min, 10ms);
    EXPECT_LE(port->idle.rtt->max, 11ms);
  }
}

TEST_P(DialectOne, AnAutomaticClientFallsBackWithAServerOfTheOtherDialect) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kUpload);
  scenario.server.config.dialect = DialectChoice::kOriginal;
  run(scenario);
  EXPECT_TRUE(result().valid);
  EXPECT_EQ(result().dialect, Dialect::kOriginal);
  EXPECT_EQ(world_->coverage().total(Seen::kUploadExact), 1U);
}

TEST_P(DialectOne, AnotherKeyIsRefusedAndLeavesNothing) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kUpload);
  give_keys(scenario);
  scenario.clients[0].config.key = some_key(4);
  run(scenario);
  EXPECT_TRUE(has_problem(ProblemCode::kRefused));
  EXPECT_EQ(session_count(), 0);
}

TEST_P(DialectOne, AServerThatStopsSaysSoToItsClients) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kUpload);
  scenario.server.shutdown = true_time(400ms);
  run(scenario);
  EXPECT_TRUE(has_problem(ProblemCode::kServerFailed));
  EXPECT_LE(*world_->client(0).finished_at(), true_time(400ms) + 200ms);
  EXPECT_EQ(session().reason, SessionEnd::kShutdown);
}

TEST_P(DialectOne, TheLossOfAPortAtTheServerIsToldToTheClient) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kDownload);
  scenario.server.loss = SessionLoss{true_time(400ms), PortKind::kDownload};
  run(scenario);
  EXPECT_TRUE(has_problem(ProblemCode::kServerFailed));
  EXPECT_GT(session().ended_sent, 0U);
}

// A grant lasts 250 ms: so long, and no longer, does the server send to one who has gone.
TEST_P(DialectOne, AServerSendsNothingToAVanishedReceiverOnceItsGrantIsOver) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kDownload);
  scenario.clients[0].config.terms.duration = 3s;
  keep_rate(scenario, BitRate{4e6});
  scenario.clients[0].vanishes = true_time(1s);
  scenario.server.config.limits.idle_timeout = 5s;
  run(scenario);
  const auto& stream = world_->client(0).truth().of(PortKind::kDownload)[0];
  ASSERT_GT(stream.received.order.size(), 200U);
  // 500 datagrams a second; what was under way, the grant and its report's way come to 260 ms.
  const std::size_t unheard = stream.sent.sent.size() - stream.received.order.size();
  EXPECT_GT(unheard, 100U) << "nobody has told the server to stop";
  EXPECT_LE(unheard, 135U);
  ASSERT_TRUE(session().ended);
  EXPECT_LE(*session().ended, true_time(7s));
}

TEST_P(DialectOne, ANatThatRebindsInTheMiddleOfAnUploadDoesNotEndIt) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kUpload);
  scenario.clients[0].config.terms.duration = 3s;
  keep_rate(scenario, BitRate{1e6});
  scenario.clients[0].rebind = Rebind{true_time(1s), PortKind::kUpload};
  run(scenario);
  EXPECT_TRUE(result().valid);
  EXPECT_EQ(world_->coverage().total(Seen::kRebound), 1U);
  ASSERT_EQ(result().tests.size(), 1U);
  const auto& stream = world_->client(0).truth().of(PortKind::kUpload)[0];
  EXPECT_GT(stream.received.last, true_time(2500ms)) << "the path has moved";
}

TEST_P(DialectOne, ForgersOffThePathChangeNoFigureAndGetNothing) {
  Scenario plain = dialect_one_scenario(wire::Directions::kBoth);
  keep_rate(plain, BitRate{2e6});
  run(plain);
  const engine::SessionResult before = result();
  Scenario attacked = plain;
  attacked.attack = AttackScenario{
      .datagrams = 2000, .from = true_time(1ms), .until = true_time(900ms), .replays = 0};
  run(attacked);
  EXPECT_EQ(world_->coverage().total(Seen::kForged), 2000U);
  EXPECT_TRUE(result().valid);
  ASSERT_EQ(result().tests.size(), before.tests.size());
  for (std::size_t i = 0; i < before.tests.size(); ++i) {
    EXPECT_EQ(result().tests[i].receiver->unique, before.tests[i].receiver->unique);
    EXPECT_EQ(result().tests[i].sender.packets, before.tests[i].sender.packets);
  }
  EXPECT_EQ(session_count(), 1);
}

TEST_P(DialectOne, WithKeysReplaysOnThePathChangeNothingButCountedDrops) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kBoth);
  give_keys(scenario);
  scenario.clients[0].config.terms.data_tags = true;
  keep_rate(scenario, BitRate{2e6});
  scenario.attack = AttackScenario{
      .datagrams = 10, .from = true_time(0ms), .until = true_time(900ms), .replays = 0.3};
  run(scenario);
  EXPECT_TRUE(result().valid);
  EXPECT_GT(world_->coverage().total(Seen::kReplayed), 50U);
  EXPECT_EQ(world_->coverage().total(Seen::kTestOneCauses), 2U);
  constexpr auto kReplayed = static_cast<std::size_t>(wire::DropReason::kReplayed);
  EXPECT_GT(result().ports[0]->drops[kReplayed], 0U);
}

TEST_P(DialectOne, AClientThatIsToldBusyComesAgainAndIsServed) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kUpload);
  keep_rate(scenario, BitRate{2e6});
  scenario.server.config.limits.max_total_rate = BitRate{3e6};
  scenario.clients.push_back(scenario.clients[0]);
  scenario.clients[1].config.nonce.fill(std::byte{8});
  scenario.clients[1].start = true_time(100ms);
  run(scenario);
  EXPECT_GE(world_->coverage().total(Seen::kToldBusy), 1U);
  EXPECT_EQ(world_->coverage().total(Seen::kTestOneExact), 2U);
  ASSERT_EQ(session_count(), 2);
  EXPECT_EQ(session().client, world_->client(0).main_endpoint());
  EXPECT_GE(world_->server().sessions()[1]->created, *session().ended) << "not both at once";
  for (const std::size_t client : {0, 1}) EXPECT_TRUE(world_->client(client).result().valid);
}

class DialectOneBreaker : public DialectOne {
 protected:
  // 8 s at 1 Mbit/s, of which 60 % are lost.
  void run_lossy(PortKind direction) {
    const bool up = direction == PortKind::kUpload;
    Scenario scenario =
        dialect_one_scenario(up ? wire::Directions::kUpload : wire::Directions::kDownload);
    scenario.clients[0].config.terms.duration = 8s;
    keep_rate(scenario, BitRate{1e6});
    (up ? scenario.clients[0].up : scenario.clients[0].down).loss = 0.6;
    run(scenario);
    EXPECT_TRUE(has_problem(ProblemCode::kSustainedLoss));
    EXPECT_FALSE(result().valid);
    ASSERT_EQ(result().tests.size(), 1U) << "what there was is told all the same";
    EXPECT_EQ(world_->coverage().total(Seen::kTestOneCauses), 1U);
    const StreamTruth& stream = world_->client(0).truth().of(direction)[0];
    const Duration lasted = stream.received.last - stream.received.first;
    EXPECT_GT(lasted, 4500ms) << "five seconds in a row";
    EXPECT_LT(lasted, 6s);
  }
};

TEST_P(DialectOneBreaker, EndsAnUploadWhosePathLosesMoreThanHalfForFiveSeconds) {
  run_lossy(PortKind::kUpload);
}

TEST_P(DialectOneBreaker, EndsADownloadWhosePathLosesMoreThanHalfForFiveSeconds) {
  run_lossy(PortKind::kDownload);
}

// Both are asked for together; what begins one of them may be lost for longer than the other takes.
TEST_P(DialectOne, ATestWhoseSiblingIsOverWhenItBeginsComesToItsEndAsWell) {
  Scenario scenario = dialect_one_scenario(wire::Directions::kBoth);
  scenario.clients[0].config.terms.duration = 100ms;
  scenario.clients[0].config.protocol.control_resend_interval = 1s;
  scenario.clients[0].up.loss = 0.3;
  scenario.clients[0].down.loss = 0.3;
  // In some seeds so many HELLOs are lost that it would speak 0.14, which has no downloads.
  scenario.clients[0].config.dialect = engine::DialectChoice::kOne;
  for (scenario.seed = 1; scenario.seed <= 20; ++scenario.seed) {
    run(scenario);
    EXPECT_EQ(result().tests.size(), 2U)
        << "seed " << scenario.seed << ": "
        << (result().problems.empty() ? "" : result().problems.front().message);
  }
}

INSTANTIATE_TEST_SUITE_P(Everywhere, DialectOneBreaker, ::testing::ValuesIn(kTopologies),
                         [](const auto& one) {
                           std::string text(name(one.param));
                           std::erase(text, '-');
                           return text;
                         });
INSTANTIATE_TEST_SUITE_P(Everywhere, DialectOne, ::testing::ValuesIn(kTopologies),
                         [](const auto& one) {
                           std::string text(name(one.param));
                           std::erase(text, '-');
                           return text;
                         });

}  // namespace dialect_one_test
}  // namespace wyndrvr::sim
