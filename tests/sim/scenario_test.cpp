// Scenarios made by hand, with what must come out of each.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "engine/client_session.hpp"
#include "engine/control_client.hpp"
#include "engine/server_session.hpp"
#include "sim/world.hpp"

namespace wyndrvr::sim {
namespace scenario_test {

using engine::ProblemCode;
using engine::SessionEnd;

// Without a bottleneck the rate doubles every 20 ms: such a test must be short.
Scenario upload_scenario(Duration duration) {
  Scenario scenario = quiet_scenario();
  scenario.clients[0].config.protocol.heartbeat_interval = 100ms;
  scenario.clients[0].config.upload = engine::UploadRequest{duration, 900};
  return scenario;
}

Scenario latency_scenario(std::uint64_t count, Duration interval) {
  Scenario scenario = quiet_scenario();
  scenario.clients[0].config.protocol.heartbeat_interval = interval;
  scenario.clients[0].config.heartbeat_count = count;
  return scenario;
}

// Runs it and expects that no checker found anything.
void run_clean(World& world) {
  world.run();
  for (const std::string& violation : world.violations()) ADD_FAILURE() << violation;
}

bool has_problem(const World& world, ProblemCode code, std::size_t client = 0) {
  return std::ranges::any_of(world.client(client).result().problems,
                             [code](const engine::Problem& one) { return one.code == code; });
}

Duration lasted(const World& world, std::size_t client = 0) {
  return *world.client(client).finished_at() - world.client(client).scenario().start;
}

const SessionTruth& first_session(const World& world) {
  return *world.server().sessions().front();
}

TEST(Scenario, WithoutFaultsEveryDatagramArrivesOnce) {
  Scenario scenario = upload_scenario(120ms);
  scenario.clients[0].up.rate_bps = 0;  // no bottleneck: nothing to overflow
  World world(scenario);
  run_clean(world);
  const engine::SessionResult& result = world.client(0).result();
  EXPECT_TRUE(result.valid);
  EXPECT_TRUE(result.problems.empty()) << result.problems.front().message;
  ASSERT_EQ(result.tests.size(), 1U);
  const engine::TestOutcome& test = result.tests.front();
  ASSERT_TRUE(test.receiver);
  EXPECT_GT(test.sender.packets, 100U);
  EXPECT_EQ(test.receiver->packets, test.sender.packets);
  EXPECT_EQ(test.receiver->unique, test.sender.packets);
  EXPECT_EQ(test.receiver->expected, test.sender.packets);
  EXPECT_EQ(test.receiver->duplicate, 0U);
  EXPECT_EQ(test.receiver->reordered, 0U);
  EXPECT_EQ(test.receiver->retransmitted, 0U);
  EXPECT_EQ(test.receiver->bytes, test.sender.packets * test.payload_bytes);
  EXPECT_EQ(first_session(world).reason, SessionEnd::kResultDelivered);
  EXPECT_EQ(world.coverage().total(Seen::kUploadExact), 1U);
}

TEST(Scenario, AFastPathIsFilledInBatchesWithoutLoss) {
  Scenario scenario = upload_scenario(200ms);
  scenario.clients[0].up.rate_bps = 0;
  World world(scenario);
  run_clean(world);
  const engine::TestOutcome& test = world.client(0).result().tests.front();
  EXPECT_GT(test.sender.target_bps, 100e6);
  EXPECT_EQ(test.receiver->unique, test.sender.packets);
}

TEST(Scenario, HeartbeatsOfACountAreAllAnsweredInTheTimeOfThePath) {
  World world(latency_scenario(20, 50ms));
  run_clean(world);
  const engine::SessionResult& result = world.client(0).result();
  EXPECT_TRUE(result.valid);
  for (const auto& port : result.ports) {
    ASSERT_TRUE(port);
    EXPECT_EQ(port->idle.sent, 20U);
    EXPECT_EQ(port->idle.received, 20U);
    EXPECT_EQ(port->idle.lost, 0U);
    ASSERT_TRUE(port->idle.rtt);
    // 5 ms each way, and well below 1 ms to send a datagram at 10 Mbit/s.
    EXPECT_GE(port->idle.rtt->min, 10ms);
    EXPECT_LE(port->idle.rtt->max, 11ms);
  }
  EXPECT_LT(lasted(world), 1200ms) << "20 heartbeats, 50 ms apart, and no waiting afterwards";
}

TEST(Scenario, AConstantClockOffsetDoesNotShowInAnyNumber) {
  Scenario scenario = latency_scenario(10, 50ms);
  World plain(scenario);
  scenario.server.host.clock.wall_offset += 900'000s;
  scenario.clients[0].host.clock.start += 500'000s;
  World moved(scenario);
  run_clean(plain);
  run_clean(moved);
  const auto& a = plain.client(0).result().ports[0]->idle;
  const auto& b = moved.client(0).result().ports[0]->idle;
  EXPECT_EQ(a.rtt->min, b.rtt->min);
  EXPECT_EQ(a.rtt->max, b.rtt->max);
}

TEST(Scenario, WhenNothingArrivesTheClientGivesUpAfterFiveAttempts) {
  Scenario scenario = latency_scenario(5, 50ms);
  scenario.clients[0].up.loss = 1;
  World world(scenario);
  run_clean(world);
  EXPECT_FALSE(world.client(0).result().valid);
  EXPECT_TRUE(has_problem(world, ProblemCode::kNoAnswer));
  EXPECT_EQ(world.client(0).uplink().dropped(), engine::ClientSession::kConnectAttempts);
  EXPECT_GE(lasted(world), 5s);
  EXPECT_LT(lasted(world), 5100ms);
  EXPECT_FALSE(world.client(0).result().ports[0]) << "what was not measured is absent";
}

TEST(Scenario, AServerThatVanishesInTheMiddleOfATestEndsTheClientWithAProblem) {
  Scenario scenario = upload_scenario(2s);
  scenario.server.vanishes = true_time(1s);
  World world(scenario);
  run_clean(world);
  EXPECT_FALSE(world.client(0).result().valid);
  EXPECT_TRUE(has_problem(world, ProblemCode::kNoResult) ||
              has_problem(world, ProblemCode::kServerSilent));
  EXPECT_LE(lasted(world), 2s + engine::ControlClient::kResultTimeout + 1s);
  ASSERT_EQ(world.client(0).result().tests.size(), 1U);
  EXPECT_FALSE(world.client(0).result().tests.front().has_result);
}

TEST(Scenario, AClientThatVanishesGivesItsPortsBackAfterTheIdleTimeout) {
  Scenario scenario = upload_scenario(2s);
  scenario.server.config.limits.idle_timeout = 6s;
  scenario.clients[0].vanishes = true_time(1s);
  World world(scenario);
  run_clean(world);
  EXPECT_FALSE(world.client(0).finished());
  const SessionTruth& session = first_session(world);
  ASSERT_TRUE(session.ended);
  EXPECT_GE(*session.ended, true_time(7s));
  EXPECT_LE(*session.ended, true_time(8s));
  EXPECT_EQ(world.server().acceptor().free_ports(), 100U);
}

TEST(Scenario, AClientThatIsRefusedForWantOfPortsIsToldSoAndTheServerSaysItOnce) {
  Scenario scenario = latency_scenario(20, 100ms);
  scenario.server.config.port_ranges = {{{7000}, {7004}}};
  for (int i = 0; i < 2; ++i) {
    scenario.clients.push_back(scenario.clients[0]);
    scenario.clients.back().start = true_time(500ms);
  }
  World world(scenario);
  run_clean(world);
  EXPECT_TRUE(world.client(0).result().valid);
  for (const std::size_t late : {1U, 2U}) {
    EXPECT_TRUE(has_problem(world, ProblemCode::kRefused, late));
    EXPECT_NE(world.client(late).result().problems.front().message.find("no free ports"),
              std::string::npos);
    EXPECT_LT(lasted(world, late), 100ms) << "a refusal needs no waiting";
  }
  EXPECT_EQ(world.server().times_limit_was_said(), 1U);
}

TEST(Scenario, ASessionThatNeverProvesItselfLosesItsPortsWithinFiveSeconds) {
  Scenario scenario = latency_scenario(5, 50ms);
  scenario.clients[0].vanishes = true_time(7ms);  // CONNECT is out; the answer will find nobody
  World world(scenario);
  run_clean(world);
  const SessionTruth& session = first_session(world);
  EXPECT_EQ(session.reason, SessionEnd::kUnproven);
  ASSERT_TRUE(session.ended);
  EXPECT_LE(*session.ended - session.created, 5s);
  EXPECT_EQ(world.server().acceptor().free_ports(), 100U);
}

TEST(Scenario, AFloodOfConnectsFromManyAddressesTakesABoundedNumberOfSessions) {
  Scenario scenario = latency_scenario(30, 100ms);
  scenario.server.config.limits.max_unproven_sessions = 20;
  GarbageScenario& garbage = scenario.garbage.emplace();
  garbage.datagrams = 5000;
  garbage.from = true_time(500ms);
  garbage.until = true_time(4s);
  garbage.flood = true;
  World world(scenario);
  run_clean(world);
  EXPECT_TRUE(world.client(0).result().valid) << "who was there before does not notice";
  // Those that are ending have left the count of the unproven already.
  EXPECT_LE(world.server().most_sessions(), 1U + 2 * 20U);
  EXPECT_GE(world.server().most_sessions(), 20U);
  EXPECT_EQ(world.coverage().total(Seen::kProbeServed), 1U);
  EXPECT_EQ(world.server().acceptor().session_count(), 0U);
}

TEST(Scenario, GarbageChangesNothingInAMeasurement) {
  Scenario scenario = upload_scenario(80ms);
  scenario.clients[0].up.rate_bps = 0;
  GarbageScenario& garbage = scenario.garbage.emplace();
  garbage.datagrams = 2000;
  garbage.from = true_time(50ms);
  garbage.until = true_time(500ms);
  garbage.spoof = false;
  World world(scenario);
  run_clean(world);
  ASSERT_EQ(world.client(0).result().tests.size(), 1U);
  const engine::TestOutcome& test = world.client(0).result().tests.front();
  EXPECT_TRUE(world.client(0).result().valid);
  EXPECT_EQ(test.receiver->unique, test.sender.packets);
  EXPECT_EQ(test.receiver->duplicate, 0U);
}

TEST(Scenario, RandomLossIsReportedToTheDatagram) {
  Scenario scenario = upload_scenario(1s);
  scenario.clients[0].up.rate_bps = 0;
  scenario.clients[0].up.loss = 0.3;
  scenario.clients[0].down.loss = 0.3;
  World world(scenario);
  run_clean(world);
  ASSERT_EQ(world.client(0).result().tests.size(), 1U);
  const engine::TestOutcome& test = world.client(0).result().tests.front();
  ASSERT_TRUE(test.receiver);
  const auto sent = static_cast<double>(test.sender.packets);
  EXPECT_NEAR(static_cast<double>(test.sender.packets - test.receiver->unique) / sent, 0.3, 0.05);
  EXPECT_EQ(world.coverage().total(Seen::kUploadLinkDropsExact), 1U);
}

TEST(Scenario, CopiesMadeByTheNetworkAreDuplicatesAndNeverLost) {
  Scenario scenario = upload_scenario(80ms);
  scenario.clients[0].up.rate_bps = 0;
  scenario.clients[0].up.duplication = 1;
  World world(scenario);
  run_clean(world);
  const engine::TestOutcome& test = world.client(0).result().tests.front();
  EXPECT_EQ(test.receiver->unique, test.sender.packets);
  EXPECT_EQ(test.receiver->duplicate, test.sender.packets);
}

TEST(Scenario, AFirstAddressWhereNobodyListensCostsNoSecond) {
  Scenario scenario = latency_scenario(5, 50ms);
  scenario.icmp = true;
  auto& servers = scenario.clients[0].config.servers;
  servers.insert(servers.begin(), {server_address(false), kDeadPort});
  World world(scenario);
  run_clean(world);
  EXPECT_TRUE(world.client(0).result().valid);
  EXPECT_LT(lasted(world), 600ms);
}

TEST(Scenario, CtrlCInTheMiddleOfATestEndsItAtOnceAndSaysSo) {
  Scenario scenario = upload_scenario(3s);
  scenario.clients[0].stop = true_time(1s);
  World world(scenario);
  run_clean(world);
  EXPECT_FALSE(world.client(0).result().valid);
  EXPECT_TRUE(has_problem(world, ProblemCode::kInterrupted));
  EXPECT_LE(*world.client(0).finished_at(), true_time(1s) + 100ms);
}

TEST(Scenario, AShutdownEndsEverySessionAtOnce) {
  Scenario scenario = latency_scenario(100, 100ms);
  scenario.clients.push_back(scenario.clients[0]);
  scenario.server.shutdown = true_time(1s);
  World world(scenario);
  run_clean(world);
  EXPECT_EQ(world.server().sessions().size(), 2U);
  for (const SessionTruth* session : world.server().sessions()) {
    ASSERT_TRUE(session->ended);
    EXPECT_LE(*session->ended, true_time(1s) + engine::ServerSession::kDrainTimeout);
  }
  EXPECT_EQ(world.server().acceptor().free_ports(), 100U);
}

TEST(Scenario, FourClientsAtOnceEachGetTheirOwnNumbers) {
  Scenario scenario = upload_scenario(1s);
  for (std::size_t i = 1; i < kMaxClients; ++i) scenario.clients.push_back(scenario.clients[0]);
  World world(scenario);
  run_clean(world);
  for (std::size_t i = 0; i < kMaxClients; ++i) {
    EXPECT_TRUE(world.client(i).result().valid) << i;
  }
  EXPECT_EQ(world.coverage().total(Seen::kUploadExact), kMaxClients);
}

}  // namespace scenario_test
}  // namespace wyndrvr::sim
