// What a session does, wherever its parts are placed: the real client and the real server, with
// real sockets on loopback, both supervised by one loop. The parameter is the placement of all
// parts.
//
// No test asserts a time or a rate. A run ends on a condition or on a number of octets; kLimit only
// ends a run that hangs.

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "conformance/session_support.hpp"
#include "os/entropy.hpp"
#include "runtime/client_supervisor.hpp"
#include "runtime/server_supervisor.hpp"

namespace wyndrvr::runtime::testing {
namespace {

class Session : public ::testing::TestWithParam<Places> {
 protected:
  static constexpr Duration kLimit = 120s;

  // Until the client has ended and the server has said what the test waits for. `of_ports` tunes
  // the loops, and so the ports; the main sockets drop nothing.
  void run(const LoopTuning& of_ports = {}) {
    auto loop = EventLoop::create(of_ports);
    ASSERT_TRUE(loop);
    server_run.ports = GetParam().server_ports;
    server_run.sessions = GetParam().server_sessions;
    server_run.addresses = {*parse_ip("127.0.0.1")};
    server_run.engine.port_ranges = free_ports();
    // Workers of a busy machine may take long to start.
    server_run.engine.limits.proof_timeout = kLimit;
    ServerSupervisor server(*loop, server_run, server_reports);
    const auto bound = server.start();
    ASSERT_TRUE(bound) << bound.error().message;

    client_run.ports = GetParam().client_ports;
    client_run.engine.servers = *bound;
    ClientSupervisor client(*loop, client_run, client_reports);
    bool stopped = false;
    client_reports.after_each = server_reports.after_each = [&] {
      if (!enough || !enough() || std::exchange(stopped, true)) return;
      loop->defer([&] { client.stop(engine::StopCause::kUser); });
    };
    ASSERT_TRUE(client.start());
    Watchdog watchdog(*loop, kLimit);
    ASSERT_TRUE(loop->run());
    ASSERT_FALSE(watchdog.barked) << "the session did not end";
    outcome = client.outcome();

    // Its parts may be in other processes, and behind.
    server_reports.after_each = [&] { loop->stop(); };
    while (server_said && !server_said()) {
      ASSERT_TRUE(loop->run());
      ASSERT_FALSE(watchdog.barked) << "the server never said what it had to";
    }
    client_reports.after_each = server_reports.after_each = nullptr;
  }

  // A busy machine may hold up a part for as long as a short upload lasts. So the session is run
  // again with an upload of twice the duration until it has shown what its test is about.
  void run_until(const std::function<bool()>& shown, const LoopTuning& of_ports = {}) {
    constexpr int kAttempts = 7;
    for (int attempt = 1;; ++attempt) {
      ASSERT_NO_FATAL_FAILURE(run(of_ports));
      if (attempt == kAttempts || shown()) return;
      client_run.engine.upload->duration *= 2;
      client_reports.reports.clear();
      server_reports.reports.clear();
    }
  }
  // The run's only test, as its client has it; nullptr where there is none.
  [[nodiscard]] const engine::TestOutcome* only_test() const {
    const auto& tests = outcome->result.tests;
    return tests.size() == 1 ? &tests.front() : nullptr;
  }

  ClientRun client_run;
  ServerRun server_run;
  Recorder client_reports;
  Recorder server_reports;
  std::function<bool()> enough;       // where it is, the client is stopped
  std::function<bool()> server_said;  // absent: nothing is waited for
  std::optional<ClientOutcome> outcome;
};

TEST_P(Session, HeartbeatsAreAnsweredOnAllThreePorts) {
  constexpr std::size_t kSamples = 20;
  client_run.engine.protocol.heartbeat_interval = 5ms;
  enough = [&] {
    return std::ranges::all_of(engine::kPortKinds, [&](engine::PortKind port) {
      return client_reports.samples(port) >= kSamples;
    });
  };
  server_said = [&] { return server_reports.count<engine::ClientConnected>() > 0; };
  run();
  EXPECT_TRUE(outcome->result.valid);
  for (const auto& port : outcome->result.ports) {
    ASSERT_TRUE(port);
    EXPECT_GE(port->idle.received, kSamples);
    EXPECT_GE(port->idle.sent, port->idle.received);
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
  // Once both ends have done with the test, the rest would be the client's lingering.
  enough = [&] {
    return client_reports.count<engine::TestResultArrived>() > 0 &&
           server_reports.count<engine::ClientGone>() > 0;
  };
  server_said = [&] { return server_reports.count<engine::ClientGone>() > 0; };
  run_until([&] {
    return only_test() != nullptr && only_test()->receiver && only_test()->receiver->packets > 0 &&
           outcome->result.ports[0]->loaded.received > 0;
  });
  EXPECT_TRUE(outcome->result.valid);
  ASSERT_NE(only_test(), nullptr);
  const engine::TestOutcome& test = *only_test();
  ASSERT_TRUE(test.receiver);
  EXPECT_GT(test.receiver->packets, 0U);
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

// The first exchange is spared, for of five CONNECTs and their answers all are lost once in
// 1 / (1 - 0.9^2)^5 = 4,000 runs. All else is sent until it is answered: BWUP and TEST_RESULT 100
// times (0.19^100), a first heartbeat 500 times in the 10 s for it.
TEST_P(Session, TenPercentDroppedEachWayOnlyDelays) {
  client_run.engine.protocol.heartbeat_interval = 20ms;
  server_run.engine.protocol.heartbeat_interval = 20ms;
  client_run.engine.upload = engine::UploadRequest{.duration = 800ms, .payload_bytes = 200};
  // The loss rule wants a full buffer of reports: here after 200 ms.
  client_run.engine.protocol.adjustment_delay = 200ms;
  server_run.engine.protocol.adjustment_delay = 200ms;
  enough = [&] { return client_reports.count<engine::TestResultArrived>() > 0; };
  LoopTuning of_ports;
  of_ports.drop_probability = 0.1;
  run_until(
      [&] {
        return only_test() != nullptr && only_test()->sender.failed > 0 &&
               only_test()->sender.retransmitted > 0;
      },
      of_ports);
  EXPECT_TRUE(outcome->result.valid);
  ASSERT_NE(only_test(), nullptr);
  const engine::TestOutcome& test = *only_test();
  ASSERT_TRUE(test.has_result);
  ASSERT_TRUE(test.receiver);
  // Nothing else loses datagrams here. A sender that was held up may send its last ones after the
  // receiver has closed the test: then there are more missing than were dropped, and all of those
  // lie above the last one that came.
  const auto missing = [&](std::uint64_t of) {
    return of - test.receiver->unique - test.receiver->socket_drops;
  };
  EXPECT_GE(missing(test.sender.packets), test.sender.failed);
  EXPECT_LE(missing(test.receiver->expected), test.sender.failed);
  EXPECT_GT(test.sender.failed, 0U);
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
  // In each direction. They leave long before the test's time is over.
  static constexpr std::uint64_t kOctets = 300'000;

  void run_both_directions(std::uint8_t streams, bool single_port) {
    client_run.engine.dialect = engine::DialectChoice::kAuto;
    server_run.engine.dialect = engine::DialectChoice::kAuto;
    os::fill_random(client_run.engine.nonce);
    client_run.engine.protocol.heartbeat_interval = 20ms;
    client_run.engine.progress_interval = 50ms;
    engine::TestTerms& terms = client_run.engine.terms;
    terms.directions = wire::Directions::kBoth;
    terms.duration = kLimit;
    terms.octets = ByteCount{kOctets};
    terms.rate = BitRate{20e6};
    terms.adaptive = false;
    terms.streams = streams;
    terms.single_port = single_port;
    server_said = [&] { return server_reports.count<engine::ClientGone>() > 0; };
    run();
  }
  // A test's figures, as both ends have them.
  static void expect_sound(const engine::TestOutcome& test, std::uint8_t streams) {
    EXPECT_EQ(test.dialect, engine::Dialect::kOne);
    EXPECT_EQ(test.streams, streams);
    // Each stream sends less than one datagram beyond its share.
    EXPECT_GE(test.sender.bytes, kOctets);
    EXPECT_LT(test.sender.bytes, kOctets + streams * std::uint64_t{test.payload_bytes} + streams);
    ASSERT_TRUE(test.receiver);
    EXPECT_GT(test.receiver->packets, 0U);
    EXPECT_EQ(test.receiver->packets, test.receiver->unique + test.receiver->duplicate);
    EXPECT_LE(test.receiver->unique, test.sender.packets);
    EXPECT_EQ(test.receiver->bytes, test.receiver->packets * test.payload_bytes);
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

INSTANTIATE_TEST_SUITE_P(Placements, Session, ::testing::ValuesIn(placement_mixes()), mix_name);
INSTANTIATE_TEST_SUITE_P(Placements, DialectOneSession, ::testing::ValuesIn(placement_mixes()),
                         mix_name);

}  // namespace
}  // namespace wyndrvr::runtime::testing
