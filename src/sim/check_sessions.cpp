// That everything ends, and in time; that verdicts fit what happened; that nothing is left.

#include <algorithm>
#include <string>

#include "engine/client_session.hpp"
#include "engine/control_client.hpp"
#include "engine/handshake_client.hpp"
#include "engine/heartbeat_client.hpp"
#include "engine/server_session.hpp"
#include "engine/test_control.hpp"
#include "sim/checkers.hpp"

namespace wyndrvr::sim {
namespace {

using engine::ClientSession;
using engine::ControlClient;
using engine::ProblemCode;
using engine::ServerSession;

// Late timers, messages under way, drift.
constexpr Duration kSlack = 200ms;
// Of another client, as its server reckons with it.
constexpr Duration kTurn = 60s;
// Issue and documentation promise this to a client that never proves its ports.
constexpr Duration kUnprovenBound = 5s;

using engine::DialectChoice;

bool has_problem(const engine::SessionResult& result, ProblemCode code) {
  return std::ranges::any_of(result.problems,
                             [code](const engine::Problem& one) { return one.code == code; });
}

bool wants_one(const ClientScenario& scenario) {
  return scenario.config.dialect != DialectChoice::kOriginal;
}

// A test was wanted, in the dialect that was spoken in the end.
std::size_t tests_wanted(const ClientHost& client) {
  const engine::ClientConfig& config = client.scenario().config;
  if (client.result().dialect != engine::Dialect::kOne) return config.upload ? 1 : 0;
  return (config.terms.has(engine::PortKind::kUpload) ? 1U : 0U) +
         (config.terms.has(engine::PortKind::kDownload) ? 1U : 0U);
}

// The longest that a run may take by its own time-outs. Where not all can be served at once, each
// of the others has its turn first.
Duration longest_run(const Scenario& world, const ClientScenario& scenario) {
  const engine::ClientConfig& config = scenario.config;
  Duration longest = engine::HandshakeClient::kConnectInterval * ClientSession::kConnectAttempts +
                     ClientSession::kDrainTimeout + 2 * kSlack;
  if (wants_one(scenario)) {
    longest += 2 * engine::HandshakeClient::kLongestWait * engine::HandshakeClient::kMostSendings;
    longest += engine::TestControl::kStartTimeout + 2 * engine::TestControl::kResultTimeout;
    if (world.server.config.limits.max_total_rate) longest += kTurn * world.clients.size();
  }
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

// The two ends have a dialect, and a key where one is asked for, in common.
bool understand_each_other(const engine::ServerConfig& server, const engine::ClientConfig& client) {
  const bool same_key =
      client.key && !server.keys.empty() && client.key->id == server.keys.front().id &&
      std::ranges::equal(client.key->octets.view(), server.keys.front().octets.view());
  if (client.key && !same_key) return false;
  if (server.key_required && !client.key) return false;
  switch (server.dialect) {
    case DialectChoice::kAuto:
      return true;
    case DialectChoice::kOne:
      return client.dialect != DialectChoice::kOriginal;
    case DialectChoice::kOriginal:
      break;
  }
  return client.dialect != DialectChoice::kOne && !client.key && client.not_in_original.empty();
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
         !client.vanishes && !client.ports_fail && !client.loss && client.send_refusal <= 0 &&
         !scenario.server.vanishes && !scenario.server.shutdown && !scenario.server.loss &&
         scenario.server.launch_failure <= 0 && !scenario.garbage && !client.rebind &&
         understand_each_other(scenario.server.config, client.config);
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
      {ProblemCode::kSustainedLoss, Seen::kSustainedLoss},
  };
  for (const auto& [code, seen] : kCounted) {
    if (has_problem(result, code)) environment.coverage.count(seen);
  }
  if (result.valid) environment.coverage.count(Seen::kValidRun);
  if (!result.dialect) return;
  const bool one = *result.dialect == engine::Dialect::kOne;
  environment.coverage.count(one ? Seen::kSpokeOne : Seen::kSpokeOriginal);
}

void check_verdict(Environment& environment, const ClientHost& client) {
  const engine::SessionResult& result = client.result();
  Findings& findings = environment.findings;
  const TrueTime now = environment.queue.now();
  // In dialect 1 there are two steps, and the second may fail as well.
  if (has_problem(result, ProblemCode::kNoAnswer) && client.was_answered() &&
      !wants_one(client.scenario())) {
    findings.add(now, "{}: says that no answer came, but one did", client.name());
  }
  const auto with_result = std::ranges::count_if(result.tests, &engine::TestOutcome::has_result);
  if (result.valid && static_cast<std::size_t>(with_result) < tests_wanted(client)) {
    findings.add(now, "{}: a valid run without a result", client.name());
  }
  if (!result.valid && result.problems.empty()) {
    findings.add(now, "{}: not valid, and does not say why", client.name());
  }
  if (has_problem(result, ProblemCode::kServerFailed) && !client.heard_ended()) {
    findings.add(now, "{}: says that the server failed, but was not told so", client.name());
  }
  if (must_succeed(environment.scenario, client.scenario()) && !result.valid) {
    findings.add(now, "{}: failed on a path without faults: {}", client.name(),
                 result.problems.empty() ? "no reason given" : result.problems.front().message);
  }
}

// What the result says of a port whose loop was lost.
class PortLossCheck {
 public:
  PortLossCheck(Environment& environment, const ClientHost& client, const PortLossTruth& loss)
      : environment_(environment), client_(client), result_(client.result()), loss_(loss) {}

  void run() {
    check_totals();
    check_problem();
    check_time();
    count();
  }

 private:
  void check_totals() {
    for (const engine::PortKind port : engine::kPortKinds) {
      const bool present = result_.ports[engine::index_of(port)].has_value();
      if (port != loss_.port && !present) {
        found(fmt::format("has no totals of the {} port, which goes on", engine::name(port)));
      }
      if (port == loss_.port && present != loss_.said_all) {
        found(fmt::format("totals of the lost {} port: {}", engine::name(port), present));
      }
    }
  }

  void check_problem() {
    const std::string cause = ClientHost::cause_of_loss(loss_.port);
    const bool said = std::ranges::any_of(result_.problems, [&](const engine::Problem& one) {
      return one.code == ProblemCode::kWorkerLost && one.message.find(cause) != std::string::npos;
    });
    if (!said && !loss_.said_all) found("does not say which port was lost, and why");
    if (loss_.in_time && result_.valid) found("is valid, though a port was lost in the middle");
  }

  // A test ends at once. What ends already does so, without waiting for the lost one.
  void check_time() {
    if (loss_.in_time && tests_wanted(client_) == 0) return;
    if (loss_.lingering) return;
    const Duration after = *client_.finished_at() - loss_.told;
    if (after > ClientSession::kDrainTimeout + kSlack) {
      found(fmt::format("ends {:.3f} s after the loss", to_seconds(after)));
    }
  }

  void count() {
    if (!loss_.in_time) return;
    const bool upload = tests_wanted(client_) > 0;
    environment_.coverage.count(upload ? Seen::kUploadPortLost : Seen::kLatencyPortLost);
  }

  void found(const std::string& what) {
    environment_.findings.add(environment_.queue.now(), "{}: lost its {} port: {}", client_.name(),
                              engine::name(loss_.port), what);
  }

  Environment& environment_;
  const ClientHost& client_;
  const engine::SessionResult& result_;
  const PortLossTruth& loss_;
};

}  // namespace

void check_session_loss(Environment& environment, const SessionTruth& session) {
  if (!session.loss->ended_due || session.tainted) return;
  environment.coverage.count(Seen::kEndedDue);
  if (session.ended_sent > 0) return;
  environment.findings.add(environment.queue.now(),
                           "session {}: a port is lost in a test, and its client is not told",
                           session.id.value);
}

void check_session_end(Environment& environment, const HostClock& clock,
                       const SessionTruth& session) {
  const engine::ServerLimits& limits = environment.scenario.server.config.limits;
  const Duration lived = clock.stretch(*session.ended - session.created);
  const Duration quiet = clock.stretch(*session.ended - session.last_accepted);
  const Duration mail = 4 * environment.scenario.max_mail_delay +
                        2 * environment.scenario.server.host.max_timer_lateness;
  const TrueTime now = environment.queue.now();
  // One proven port proves the address; from then on the idle time-out is its bound.
  const bool settled = session.proven_ports > 0 || session.excused_ports == engine::kPortCount;
  if (!settled && lived > kUnprovenBound + mail) {
    environment.findings.add(now, "session {}: held unproven ports for {:.3f} s", session.id.value,
                             to_seconds(lived));
  }
  // Of one that was never launched, the proof time-out alone is the bound.
  if (session.launched && quiet > limits.idle_timeout + ServerSession::kDrainTimeout + kSlack) {
    environment.findings.add(now, "session {}: ended {:.3f} s after its last datagram",
                             session.id.value, to_seconds(quiet));
  }
  if (!session.loss || !session.loss->ended_due) return;
  const Duration after = clock.stretch(*session.ended - session.loss->told);
  const Duration repeats = ServerSession::kEndedInterval * ServerSession::kEndedRepeats;
  if (after > repeats + ServerSession::kDrainTimeout + kSlack) {
    environment.findings.add(now, "session {}: ended {:.3f} s after the loss of a port",
                             session.id.value, to_seconds(after));
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
  const Duration bound = longest_run(environment.scenario, client.scenario());
  if (lasted > bound) {
    environment.findings.add(now, "{}: finished after {:.3f} s; by its time-outs {:.3f} s would do",
                             client.name(), to_seconds(lasted), to_seconds(bound));
  }
  count_problems(environment, client.result());
  check_verdict(environment, client);
  if (client.loss() != nullptr) PortLossCheck(environment, client, *client.loss()).run();
}

void check_server(Environment& environment, const ServerHost& server, std::size_t ports) {
  if (server.dark()) return;
  const TrueTime now = environment.queue.now();
  for (const SessionTruth* session : server.sessions()) {
    // Behind a cookie, and a proof, there is always one of the clients.
    if (session->speaks_one && !session->of_client) {
      environment.findings.add(now, "session {} of {}: a stranger has it", session->id.value,
                               to_string(session->client));
    }
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
