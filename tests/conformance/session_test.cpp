// What a session does, wherever its parts are placed: the real client and the real server, with
// real sockets on loopback, both supervised by one loop. The parameter is the placement of all
// parts.

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/report.hpp"
#include "os/clock.hpp"
#include "os/entropy.hpp"
#include "runtime/client_supervisor.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/server_supervisor.hpp"

namespace wyndrvr::runtime {
namespace session_test {

class Recorder final : public ReportSink {
 public:
  void on_report(const engine::Report& report) override {
    reports.push_back(report);
    if (after_each) after_each();
  }
  template <class Event>
  [[nodiscard]] std::size_t count() const {
    std::size_t found = 0;
    for (const engine::Report& report : reports) found += std::holds_alternative<Event>(report);
    return found;
  }
  std::vector<engine::Report> reports;
  std::function<void()> after_each;
};

// Ends a run that hangs.
class Watchdog final : public EventSource {
 public:
  Watchdog(EventLoop& loop, Duration limit) : loop_(loop), id_(*loop.add(-1, *this)) {
    loop_.set_deadline(id_, os::monotonic_now() + limit);
  }
  ~Watchdog() override { loop_.remove(id_); }
  void on_ready(const Readiness&) override {}
  void on_wake(Instant) override {
    barked = true;
    loop_.stop();
  }
  bool barked = false;

 private:
  EventLoop& loop_;
  EventLoop::Id id_;
};

// Where everything is: the client's ports, the server's ports, the server's sessions.
struct Places {
  PlacementMode client_ports;
  PlacementMode server_ports;
  PlacementMode server_sessions;
};

class Session : public ::testing::TestWithParam<Places> {
 protected:
  static constexpr Duration kLimit = 25s;

  void run(LoopTuning tuning = {}) {
    auto loop = EventLoop::create(tuning);
    ASSERT_TRUE(loop);
    server_run.tuning = tuning;
    server_run.ports = GetParam().server_ports;
    server_run.sessions = GetParam().server_sessions;
    server_run.bind = {*parse_ip("127.0.0.1"), Port{0}};
    server_run.engine.port_ranges = {{Port{23000}, Port{23299}}};
    ServerSupervisor server(*loop, server_run, server_reports);
    const auto bound = server.start();
    ASSERT_TRUE(bound) << bound.error().message;

    client_run.tuning = tuning;
    client_run.ports = GetParam().client_ports;
    client_run.engine.servers = {*bound};
    ClientSupervisor client(*loop, client_run, client_reports);
    // Once both ends have done with a test, the rest would be the client's lingering.
    client_reports.after_each = server_reports.after_each = [&] {
      if (client_reports.count<engine::TestResultArrived>() == 0) return;
      if (server_reports.count<engine::ClientGone>() == 0) return;
      loop->defer([&] { client.stop(); });
    };
    ASSERT_TRUE(client.start());
    Watchdog watchdog(*loop, kLimit);
    ASSERT_TRUE(loop->run());
    ASSERT_FALSE(watchdog.barked) << "the session did not end";
    outcome = client.outcome();
  }

  ClientRun client_run;
  ServerRun server_run;
  Recorder client_reports;
  Recorder server_reports;
  std::optional<ClientOutcome> outcome;
};

TEST_P(Session, ACountOfHeartbeatsIsAnsweredOnAllThreePorts) {
  client_run.engine.protocol.heartbeat_interval = 5ms;
  client_run.engine.heartbeat_count = 20;
  run();
  EXPECT_TRUE(outcome->result.valid);
  for (const auto& port : outcome->result.ports) {
    ASSERT_TRUE(port);
    EXPECT_EQ(port->idle.sent, 20U);
    EXPECT_EQ(port->idle.received, 20U);
    ASSERT_TRUE(port->idle.rtt);
    EXPECT_GT(port->idle.rtt->min, Duration(0));
    EXPECT_GE(port->idle.application_rtt->min, port->idle.rtt->min);
  }
  EXPECT_EQ(server_reports.count<engine::ClientConnected>(), 1U);
}

TEST_P(Session, AnUploadEndsWithAResultThatAddsUp) {
  client_run.engine.protocol.heartbeat_interval = 20ms;
  client_run.engine.upload = engine::UploadRequest{.duration = 400ms, .payload_bytes = 900};
  client_run.engine.progress_interval = 100ms;
  run();
  EXPECT_TRUE(outcome->result.valid);
  ASSERT_EQ(outcome->result.tests.size(), 1U);
  const engine::TestOutcome& test = outcome->result.tests.front();
  ASSERT_TRUE(test.receiver);
  EXPECT_GT(test.receiver->packets, 100U);
  EXPECT_EQ(test.receiver->packets, test.receiver->unique + test.receiver->duplicate);
  EXPECT_LE(test.receiver->unique, test.sender.packets);
  EXPECT_EQ(test.receiver->bytes, test.receiver->packets * test.payload_bytes);
  std::uint64_t bytes = 0;
  for (const engine::Interval& interval : test.intervals) bytes += interval.bytes;
  EXPECT_EQ(bytes, test.bytes_received);
  EXPECT_GT(outcome->result.ports[0]->loaded.received, 0U);
  EXPECT_EQ(server_reports.count<engine::ServerTestResult>(), 1U);
  EXPECT_EQ(server_reports.count<engine::ClientGone>(), 1U);
}

TEST_P(Session, TenPercentDroppedEachWayOnlyDelays) {
  client_run.engine.protocol.heartbeat_interval = 20ms;
  server_run.engine.protocol.heartbeat_interval = 20ms;
  client_run.engine.upload = engine::UploadRequest{.duration = 600ms, .payload_bytes = 200};
  // The loss rule wants a full buffer of reports: here after 200 ms.
  client_run.engine.protocol.adjustment_delay = 200ms;
  server_run.engine.protocol.adjustment_delay = 200ms;
  LoopTuning tuning;
  // Five CONNECTs, the dialect's all, then fail once in some thousands of runs.
  tuning.drop_probability = 0.1;
  run(tuning);
  EXPECT_TRUE(outcome->result.valid);
  ASSERT_EQ(outcome->result.tests.size(), 1U);
  const engine::TestOutcome& test = outcome->result.tests.front();
  ASSERT_TRUE(test.has_result);
  ASSERT_TRUE(test.receiver);
  // Nothing else loses datagrams here: what did not arrive is what was dropped on purpose.
  EXPECT_EQ(test.sender.packets - test.receiver->unique - test.receiver->socket_drops,
            test.sender.failed);
  EXPECT_GT(test.sender.retransmitted, 0U);
}

TEST_P(Session, ADelayedTurnShowsInTheRoundTrip) {
  client_run.engine.protocol.heartbeat_interval = 50ms;
  client_run.engine.heartbeat_count = 3;
  LoopTuning tuning;
  tuning.test_delay = 10ms;
  run(tuning);
  ASSERT_TRUE(outcome->result.ports[0]);
  ASSERT_TRUE(outcome->result.ports[0]->idle.application_rtt);
  EXPECT_GE(outcome->result.ports[0]->idle.application_rtt->p50, 10ms);
}

TEST_P(Session, ARefusalEndsTheRunWithItsReason) {
  server_run.engine.limits.max_sessions = 0;
  run();
  EXPECT_FALSE(outcome->result.valid);
  ASSERT_EQ(outcome->result.problems.size(), 1U);
  EXPECT_EQ(outcome->result.problems[0].code, engine::ProblemCode::kRefused);
  EXPECT_EQ(client_reports.count<engine::Refused>(), 1U);
}

// Dialect 1: what is measured must add up wherever the parts of it run.
class DialectOneSession : public Session {
 protected:
  void run_both_directions(std::uint8_t streams, bool single_port) {
    client_run.engine.dialect = engine::DialectChoice::kAuto;
    server_run.engine.dialect = engine::DialectChoice::kAuto;
    os::fill_random(client_run.engine.nonce);
    client_run.engine.protocol.heartbeat_interval = 20ms;
    client_run.engine.progress_interval = 100ms;
    engine::TestTerms& terms = client_run.engine.terms;
    terms.directions = wire::Directions::kBoth;
    terms.duration = 400ms;
    terms.rate = BitRate{20e6};
    terms.adaptive = false;
    terms.streams = streams;
    terms.single_port = single_port;
    run();
  }
  // A test's figures, as both ends have them.
  static void expect_sound(const engine::TestOutcome& test, std::uint8_t streams) {
    EXPECT_EQ(test.dialect, engine::Dialect::kOne);
    EXPECT_EQ(test.streams, streams);
    ASSERT_TRUE(test.receiver);
    EXPECT_EQ(test.receiver->packets, test.receiver->unique + test.receiver->duplicate);
    EXPECT_LE(test.receiver->unique, test.sender.packets);
    EXPECT_EQ(test.receiver->bytes, test.receiver->packets * test.payload_bytes);
    // 20 Mbit/s for 0.4 s are 1 MB; a busy machine may send less, and nobody more.
    EXPECT_GT(test.receiver->bytes, 300'000U);
    EXPECT_LT(test.sender.bytes, 1'100'000U);
  }
  void expect_both_directions(std::uint8_t streams) {
    EXPECT_TRUE(outcome->result.valid);
    EXPECT_EQ(outcome->result.dialect, engine::Dialect::kOne);
    ASSERT_EQ(outcome->result.tests.size(), 2U);
    for (const engine::TestOutcome& test : outcome->result.tests) expect_sound(test, streams);
    EXPECT_NE(outcome->result.tests[0].direction, outcome->result.tests[1].direction);
    EXPECT_EQ(server_reports.count<engine::ClientConnected>(), 1U);
    EXPECT_EQ(server_reports.count<engine::ClientGone>(), 1U);
  }
};

TEST_P(DialectOneSession, BothDirectionsAddUpOnSeveralStreams) {
  run_both_directions(3, false);
  expect_both_directions(3);
}

TEST_P(DialectOneSession, BothDirectionsAddUpOnASinglePort) {
  run_both_directions(2, true);
  expect_both_directions(2);
}

std::vector<Places> every_mix() {
  const std::vector<PlacementMode> modes = {PlacementMode::kSingle, PlacementMode::kThread,
                                            PlacementMode::kProcess};
  std::vector<Places> mixes;
  for (const PlacementMode client : modes) {
    for (const PlacementMode ports : modes) {
      for (const PlacementMode sessions : modes) mixes.push_back({client, ports, sessions});
    }
  }
  return mixes;
}

std::string name_of(const ::testing::TestParamInfo<Places>& info) {
  return fmt::format("Client{}Ports{}Sessions{}", name(info.param.client_ports),
                     name(info.param.server_ports), name(info.param.server_sessions));
}

INSTANTIATE_TEST_SUITE_P(Placements, Session, ::testing::ValuesIn(every_mix()), name_of);
INSTANTIATE_TEST_SUITE_P(Placements, DialectOneSession, ::testing::ValuesIn(every_mix()), name_of);

}  // namespace session_test
}  // namespace wyndrvr::runtime
