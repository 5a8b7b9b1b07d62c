// That everything ends, and in time; that verdicts fit what happened; that nothing is left.

#include <algorithm>

#include "engine/client_session.hpp"
#include "engine/control_client.hpp"
#include "engine/heartbeat_client.hpp"
#include "engine/server_session.hpp"
#include "sim/checkers.hpp"

namespace wyndrvr::sim {
namespace {

using engine::ClientSession;
using engine::ControlClient;
using engine::ProblemCode;
using engine::ServerSession;
using engine::SessionEnd;

// Late timers, messages under way, drift.
constexpr Duration kSlack = 200ms;
// Issue and documentation promise this to a client that never proves its ports.
constexpr Duration kUnprovenBound = 5s;

bool has_problem(const engine::SessionResult& result, ProblemCode code) {
  return std::ranges::any_of(result.problems,
                             [code](const engine::Problem& one) { return one.code == code; });
}

// The longest that a run may take by its own time-outs.
Duration longest_run(const ClientScenario& scenario) {
  const engine::ClientConfig& config = scenario.config;
  Duration longest = ClientSession::kConnectInterval * ClientSession::kConnectAttempts +
                     ClientSession::kDrainTimeout + 2 * kSlack;
  if (config.upload) {
    longest += ClientSession::kPortsTimeout + ControlClient::kAcknowledgementTimeout +
               config.upload->duration + ControlClient::kResultTimeout + ClientSession::kLinger;
  } else if (config.latency_duration) {
    longest += *config.latency_duration;
  } else if (config.heartbeat_count) {
    longest += config.protocol.heartbeat_interval * *config.heartbeat_count +
               engine::HeartbeatClient::kAnswerTimeout;
  } else {
    longest += 10min;  // until it is stopped
  }
  if (!scenario.stop) return longest;
  const Duration until_stop = std::max(Duration(0), *scenario.stop - scenario.start);
  return std::min(longest, until_stop + ClientSession::kDrainTimeout + kSlack);
}

bool is_perfect(const LinkConfig& link) {
  return link.loss <= 0 && link.corruption <= 0 && !link.outage && link.mtu >= 1500;
}

// Nothing but what the tests themselves cause (a full queue) goes wrong: the run must succeed.
bool must_succeed(const Scenario& scenario, const ClientScenario& client) {
  const engine::ServerLimits& limits = scenario.server.config.limits;
  const bool room = limits.max_sessions >= kMaxClients &&
                    limits.max_unproven_sessions >= kMaxClients &&
                    scenario.server.config.port_ranges.front().last.value -
                            scenario.server.config.port_ranges.front().first.value >=
                        60;
  return room && is_perfect(client.up) && is_perfect(client.down) && !client.stop &&
         !client.vanishes && !client.ports_fail && client.send_refusal <= 0 &&
         !scenario.server.vanishes && !scenario.server.shutdown && !scenario.garbage;
}

void count_problems(Environment& environment, const engine::SessionResult& result) {
  constexpr std::pair<ProblemCode, Seen> kCounted[] = {
      {ProblemCode::kNoAnswer, Seen::kNoAnswer},
      {ProblemCode::kRefused, Seen::kRefused},
      {ProblemCode::kPortUnproven, Seen::kPortUnproven},
      {ProblemCode::kNoAcknowledgement, Seen::kNoAcknowledgement},
      {ProblemCode::kNoResult, Seen::kNoResult},
      {ProblemCode::kServerSilent, Seen::kServerSilent},
      {ProblemCode::kLocalFailure, Seen::kLocalFailure},
  };
  for (const auto& [code, seen] : kCounted) {
    if (has_problem(result, code)) environment.coverage.count(seen);
  }
  if (result.valid) environment.coverage.count(Seen::kValidRun);
}

void check_verdict(Environment& environment, const ClientHost& client) {
  const engine::SessionResult& result = client.result();
  Findings& findings = environment.findings;
  const TrueTime now = environment.queue.now();
  if (has_problem(result, ProblemCode::kNoAnswer) && client.was_answered()) {
    findings.add(now, "{}: says that no answer came, but one did", client.name());
  }
  if (result.valid && client.scenario().config.upload) {
    const bool has_result = !result.tests.empty() && result.tests.front().has_result;
    if (!has_result) findings.add(now, "{}: a valid run without a result", client.name());
  }
  if (must_succeed(environment.scenario, client.scenario()) && !result.valid) {
    findings.add(now, "{}: failed on a path without faults: {}", client.name(),
                 result.problems.empty() ? "no reason given" : result.problems.front().message);
  }
}

}  // namespace

void check_session_end(Environment& environment, const HostClock& clock,
                       const SessionTruth& session) {
  const engine::ServerLimits& limits = environment.scenario.server.config.limits;
  const Duration lived = clock.stretch(*session.ended - session.created);
  const Duration quiet = clock.stretch(*session.ended - session.last_accepted);
  const Duration mail = 4 * environment.scenario.max_mail_delay +
                        2 * environment.scenario.server.host.max_timer_lateness;
  const TrueTime now = environment.queue.now();
  // Once its test has begun, the idle time-out is its bound.
  if (session.proven_ports < engine::kPortCount && !session.received.prepared &&
      lived > kUnprovenBound + mail) {
    environment.findings.add(now, "session {}: held unproven ports for {:.3f} s", session.id.value,
                             to_seconds(lived));
  }
  if (quiet > limits.idle_timeout + ServerSession::kDrainTimeout + kSlack) {
    environment.findings.add(now, "session {}: ended {:.3f} s after its last datagram",
                             session.id.value, to_seconds(quiet));
  }
}

void check_client(Environment& environment, const ClientHost& client) {
  if (client.dark() || !client.session()) return;
  const TrueTime now = environment.queue.now();
  if (client.scenario().config.upload) environment.coverage.count(Seen::kUploadWanted);
  if (!client.finished()) {
    environment.findings.add(now, "{}: never finishes", client.name());
    return;
  }
  const Duration lasted = *client.finished_at() - client.scenario().start;
  const Duration bound = longest_run(client.scenario());
  if (lasted > bound) {
    environment.findings.add(now, "{}: finished after {:.3f} s; by its time-outs {:.3f} s would do",
                             client.name(), to_seconds(lasted), to_seconds(bound));
  }
  count_problems(environment, client.result());
  check_verdict(environment, client);
}

void check_server(Environment& environment, const ServerHost& server, std::size_t ports) {
  if (server.dark()) return;
  const TrueTime now = environment.queue.now();
  for (const SessionTruth* session : server.sessions()) {
    if (!session->ended) {
      environment.findings.add(now, "session {} of {}: never ends", session->id.value,
                               to_string(session->client));
    }
  }
  const engine::Acceptor& acceptor = server.acceptor();
  // Ports that were in use elsewhere come back when there is a next client: after a shutdown,
  // never.
  const bool all_free = acceptor.free_ports() == ports || server.is_shut_down();
  if (acceptor.session_count() != 0 || !all_free || !server.bound_ports().empty()) {
    environment.findings.add(now, "server: {} sessions left, {} of {} ports free, {} still bound",
                             acceptor.session_count(), acceptor.free_ports(), ports,
                             server.bound_ports().size());
  }
}

}  // namespace wyndrvr::sim
