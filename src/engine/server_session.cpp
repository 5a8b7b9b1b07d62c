#include "engine/server_session.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "engine/message_rules.hpp"
#include "engine/overloaded.hpp"

namespace wyndrvr::engine {
namespace {

// In dialect 1 a test is granted before it begins.
Instant granted_until(const SessionSetup& setup, const ServerLimits& limits, Instant now) {
  if (!setup.path || setup.path->terms.directions == wire::Directions::kLatencyOnly) return now;
  return now + limits.proof_timeout + setup.path->terms.duration + ServerSession::kTestMargin;
}

}  // namespace

ServerSession::ServerSession(const ServerConfig& config, const SessionSetup& setup, Instant now)
    : protocol_(config.protocol),
      proof_timeout_(config.limits.proof_timeout),
      idle_timeout_(config.limits.idle_timeout),
      max_test_duration_(config.limits.max_test_duration),
      max_session_duration_(config.limits.max_session_duration),
      setup_(setup),
      created_(now),
      tests_until_(granted_until(setup, config.limits, now)) {}

PortConfig ServerSession::port_config(PortKind kind, Instant now, Duration clock_offset,
                                      std::uint64_t seed) const {
  PortConfig port;
  port.side = Side::kServer;
  port.kind = kind;
  port.protocol = protocol_;
  port.heartbeat_key = setup_.heartbeat_key;
  port.peer = setup_.client;
  port.server_port = setup_.ports[index_of(kind)];
  port.path = setup_.path;
  port.max_gaps = setup_.max_gaps;
  port.clients = setup_.clients;
  port.idle_timeout = idle_timeout_;
  port.max_test_duration = max_test_duration_;
  port.clock_offset = clock_offset;
  port.start = now;
  port.seed = seed;
  return port;
}

std::optional<ServerSessionEffect> ServerSession::poll_effect() {
  return effects_.pop();
}

void ServerSession::emit(ServerSessionEffect effect) {
  WYNDRVR_CHECK(effects_.push(std::move(effect)));
}

bool ServerSession::any_proven() const {
  return std::ranges::any_of(proven_, std::identity{});
}

// Beside what no port says: its last word without being asked for it, and what comes after it.
bool ServerSession::takes(PortKind from, const Message& message) const {
  if (over_ || drained_[index_of(from)]) return false;
  if (!may_send({Side::kServer, mailbox_of(from), Mailbox::kCoordinator}, message)) return false;
  return !std::holds_alternative<PortReport>(message) || ending_.has_value();
}

void ServerSession::on_message(Instant now, PortKind from, const Message& message) {
  if (lost_[index_of(from)]) return;  // was on its way when the port's loop died
  if (!takes(from, message)) {
    ++ignored_messages_;
    return;
  }
  std::visit(Overloaded{
                 [&](const PortProven&) { on_port_proven(now, from); },
                 [&](const PortSilent&) {
                   silent_[index_of(from)] = true;
                   end_when_silent(now);
                 },
                 [&](const PortHeard&) { silent_[index_of(from)] = false; },
                 [&](const HeartbeatSample& sample) {
                   emit(Report{ServerLatencySample{setup_.client, from, sample.rtt}});
                 },
                 [&](const TestStarted& started) { on_test_started(now, started); },
                 [&](const ResultDelivered& delivered) {
                   if (setup_.path) return;
                   report_result(PortKind::kUpload, delivered.totals);
                   end(now, SessionEnd::kResultDelivered);
                 },
                 [&](const TestReported& reported) {
                   if (setup_.path) report_result(reported.direction, reported.receiver);
                 },
                 [&](const TestFailed&) { end_original(now, SessionEnd::kResultUndelivered); },
                 [&](const PortReport& report) {
                   drained_[index_of(from)] = true;
                   if (report.totals.idle.rtt)
                     mean_rtt_[index_of(from)] = report.totals.idle.rtt->mean;
                   finish_when_drained();
                 },
                 [&](const Trace& trace) {
                   if (!protocol_.trace) return;
                   emit(Report{TraceLine{trace.kind, trace.channel,
                                         std::string(trace.detail.view()), setup_.client}});
                 },
                 [](const auto&) {},  // between actors only
             },
             message);
}

void ServerSession::on_port_proven(Instant now, PortKind port) {
  if (std::exchange(proven_[index_of(port)], true)) return;
  announce_extended();
  check_connected();
  // Not in dialect 1: without its GRANT the client could not have proven this port.
  const bool resends = !connected_ && !next_resend_ && !setup_.path;
  if (resends) next_resend_ = now + protocol_.adjustment_delay;
  if (setup_.path && std::ranges::any_of(lost_, std::identity{})) give_up(now);
}

void ServerSession::report_result(PortKind direction, const ReceiverTotals& totals) {
  if (direction == PortKind::kControl) return;
  if (std::exchange(has_result_[index_of(direction)], true)) return;
  emit(Report{ServerTestResult{setup_.client, direction, totals}});
}

// A client of dialect 1 may have further tests, and says when it is done.
void ServerSession::end_original(Instant now, SessionEnd reason) {
  if (!setup_.path) end(now, reason);
}

void ServerSession::check_connected() {
  if (connected_ || !any_proven()) return;
  for (const PortKind port : kPortKinds) {
    if (!proven_[index_of(port)] && !lost_[index_of(port)]) return;
  }
  connect();
}

void ServerSession::connect() {
  connected_ = true;
  next_resend_.reset();
  emit(SessionProven{});
  emit(Report{ClientConnected{setup_.client}});
}

void ServerSession::on_test_started(Instant now, const TestStarted& started) {
  testing_ = true;
  const Duration duration = std::min(started.duration, max_test_duration_);
  // Both directions of a test begin at once, and a part that was taken over may say so for ever.
  if (const Instant until = now + duration + kTestMargin; until > tests_until_ + kTestMargin) {
    tests_until_ = until;
    emit(TestUnderWay{duration});
  }
  if (setup_.path) return;  // its client understands CLOSE without being asked
  extended_client_ = started.extended;
  announce_extended();
}

// Before a port is proven the client's address may be forged, and gets nothing unasked for.
void ServerSession::announce_extended() {
  if (!extended_client_ || announced_ || !any_proven()) return;
  announced_ = true;
  emit(ClientExtended{});
}

void ServerSession::on_port_lost(Instant now, PortKind port, const std::string& cause,
                                 const std::string& log) {
  if (over_ || std::exchange(lost_[index_of(port)], true)) return;
  silent_[index_of(port)] = true;
  emit(Report{PortLost{setup_.client, port, log.empty() ? cause : log}});
  if (ending_) {
    finish_when_drained();
    return;
  }
  if (ended_left_ > 0) return;  // given up already, and the first cause is the one to tell
  ended_cause_ = cause;
  if (may_tell_ended()) return give_up(now);
  check_connected();
  if (std::ranges::all_of(lost_, std::identity{})) {
    end(now, SessionEnd::kFailed);
  } else {
    end_when_silent(now);
  }
}

bool ServerSession::may_tell_ended() const {
  if (!setup_.path) return testing_ && announced_;
  // Of a latency run the other ports go on.
  const TestTerms& terms = setup_.path->terms;
  const bool others_go_on =
      terms.directions == wire::Directions::kLatencyOnly && !terms.single_port;
  return any_proven() && !others_go_on;
}

void ServerSession::give_up(Instant now) {
  if (ended_left_ > 0 || ending_) return;
  ended_left_ = kEndedRepeats;
  tell_ended(now);
}

void ServerSession::tell_ended(Instant now) {
  emit(TellEnded{ended_cause_});
  next_ended_ = now + kEndedInterval;
  if (--ended_left_ == 0) end(now, SessionEnd::kFailed);
}

void ServerSession::end_when_silent(Instant now) {
  const bool given_up = ended_left_ > 0;
  if (!given_up && std::ranges::all_of(silent_, std::identity{})) end(now, SessionEnd::kIdle);
}

void ServerSession::end(Instant now, SessionEnd reason) {
  if (ending_) return;
  ending_ = reason;
  drain_until_ = now + kDrainTimeout;
  for (const PortKind port : kPortKinds) {
    if (!lost_[index_of(port)]) emit(Post{port, Drain{}});
  }
  finish_when_drained();
}

void ServerSession::finish_when_drained() {
  if (!ending_) return;
  for (const PortKind port : kPortKinds) {
    if (!drained_[index_of(port)] && !lost_[index_of(port)]) return;
  }
  finish();
}

void ServerSession::finish() {
  if (over_) return;
  over_ = true;
  emit(Report{ClientGone{setup_.client, *ending_, connected_, mean_rtt_}});
  emit(SessionOver{*ending_});
}

void ServerSession::on_timer(Instant now) {
  const std::optional<Deadline> deadline = poll_deadline();
  if (!deadline || now < deadline->at) return;
  if (ending_) {
    finish();
    return;
  }
  if (ended_left_ > 0) {
    tell_ended(now);
    return;
  }
  if (now >= lifetime_end()) {
    emit(TellEnded{"the session's time is over", SessionEnd::kTimeOver});
    end(now, SessionEnd::kTimeOver);
    return;
  }
  if (next_resend_ && now >= *next_resend_) {
    next_resend_ = now + protocol_.adjustment_delay;
    emit(ResendAssignment{});
  }
  const std::optional<Deadline> proof = poll_deadline();
  if (proof && proof->reason == DeadlineReason::kProof && now >= proof->at) {
    // One proven port proves the address. The others may be filtered on the way: that is for the
    // client to find out, while the ports that it reaches are measured.
    if (any_proven()) {
      connect();
    } else {
      end(now, SessionEnd::kUnproven);
    }
  }
}

Instant ServerSession::lifetime_end() const {
  return std::max(created_ + max_session_duration_, tests_until_);
}

std::optional<Deadline> ServerSession::poll_deadline() const {
  if (over_) return std::nullopt;
  if (ending_) return Deadline{drain_until_, DeadlineReason::kDrain};
  if (ended_left_ > 0) return Deadline{next_ended_, DeadlineReason::kResend};
  const Deadline lifetime{lifetime_end(), DeadlineReason::kLifetime};
  if (connected_) return lifetime;
  const Deadline proof{created_ + proof_timeout_, DeadlineReason::kProof};
  std::optional<Deadline> next = earlier(proof, lifetime);
  if (next_resend_) next = earlier(next, Deadline{*next_resend_, DeadlineReason::kResend});
  return next;
}

}  // namespace wyndrvr::engine
