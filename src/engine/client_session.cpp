#include "engine/client_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/heartbeat_client.hpp"
#include "engine/judgement.hpp"
#include "engine/message_rules.hpp"
#include "engine/overloaded.hpp"

namespace wyndrvr::engine {

static_assert(ClientSession::kSettleTimeout > HeartbeatClient::kAnswerTimeout);

ClientSession::ClientSession(const ClientConfig& config, Instant now, std::uint64_t seed)
    : config_(config), random_(seed), started_(now), troubles_(config.servers.size()), quiet_(now) {
  WYNDRVR_CHECK(!config_.servers.empty());
  config_.servers = in_turn_by_family(config_.servers);
  if (config_.servers.size() > ConnectRace::kMostServers) {
    config_.servers.resize(ConnectRace::kMostServers);
  }
  begin_handshake(now);
}

std::optional<ClientSessionEffect> ClientSession::poll_effect() {
  if (effects_.empty()) return std::nullopt;
  ClientSessionEffect effect = std::move(effects_.front());
  effects_.pop_front();
  return effect;
}

PortConfig ClientSession::port_config(PortKind kind, Instant now, Duration clock_offset,
                                      std::uint64_t seed) const {
  PortConfig port;
  port.side = Side::kClient;
  port.kind = kind;
  port.protocol = config_.protocol;
  port.heartbeat_key = assignment_->key;
  const std::array<Port, kPortCount> ports = {assignment_->control, assignment_->upload,
                                              assignment_->download};
  port.peer = {server_.address, ports[index_of(kind)]};
  // A server is called silent only after several heartbeats went unanswered.
  port.idle_timeout = std::max<Duration>(30s, 3 * config_.protocol.heartbeat_interval + 1s);
  port.server_port = ports[index_of(kind)];
  port.path = setup_;
  if (!wants_test()) port.heartbeat_count = config_.heartbeat_count;
  port.clock_offset = clock_offset;
  port.start = now;
  port.seed = seed;
  return port;
}

// --- running ---

// Beside what no port says: what would come after a port's last word, or before it was asked for
// it.
bool ClientSession::takes(PortKind from, const Message& message) const {
  if (state_ == State::kFinished || reported_[index_of(from)]) return false;
  if (!may_send({Side::kClient, mailbox_of(from), Mailbox::kCoordinator}, message)) return false;
  return !std::holds_alternative<PortReport>(message) || state_ == State::kDraining;
}

void ClientSession::on_message(Instant now, PortKind from, const Message& message) {
  if (lost_[index_of(from)]) return;  // was on its way when the port's loop died
  if (!takes(from, message)) {
    ++ignored_messages_;
    return;
  }
  std::visit(
      Overloaded{
          [&](const PortProven& proven) {
            extended_ = extended_ || proven.extended;
            on_port_proven(now, from);
          },
          [&](const PortSilent&) { on_port_silent(now, from); },
          [&](const PortHeard&) { silent_[index_of(from)] = false; },
          [&](const PortTrouble& trouble) { on_port_trouble(from, trouble.cause); },
          [&](const HeartbeatSample& sample) {
            port_troubles_[index_of(from)].reset();
            quiet_.on_heard(now);
            report(LatencySample{from, sample.rtt, sample.network_rtt, sample.loaded});
          },
          [&](const HeartbeatsDone&) {
            counted_[index_of(from)] = true;
            drain_when_counted(now);
          },
          [&](const TestStarted& started) { on_test_started(now, started); },
          [&](const SenderProgress& progress) {
            TestRun* run = run_of(from);
            if (run == nullptr) return;
            if (const auto shown = run->on_sender_progress(now, progress.totals)) report(*shown);
          },
          [&](const ReceiverProgress& progress) {
            TestRun* run = run_of(from);
            if (run == nullptr || state_ < State::kTesting || state_ > State::kAwaiting) return;
            if (const auto shown = run->on_receiver_progress(now, progress.totals)) report(*shown);
          },
          [&](const ResultArrived& arrived) { on_result(now, arrived.result); },
          [&](const TestReported& reported) { on_test_reported(now, reported); },
          [&](const TestBroken& broken) { on_test_broken(broken); },
          [&](const TestFailed& failed) {
            if (state_ < State::kStarting || state_ > State::kAwaiting) return;
            const bool unanswered = failed.code == ProblemCode::kNoAcknowledgement;
            fail(now, failed.code,
                 unanswered ? "the server never acknowledged the test; is it a wyndrvr server?"
                            : "the server's result never came",
                 trouble_of({PortKind::kControl}));
          },
          [&](const PortReport& port) {
            on_port_report(from, port);
            finish_when_reported();
          },
          [&](const Trace& trace) {
            if (!config_.protocol.trace) return;
            report(TraceLine{trace.kind, trace.channel, std::string(trace.detail.view()), {}});
          },
          [](const auto&) {},  // between actors only
      },
      message);
}

std::string ClientSession::port_name(PortKind port) const {
  const std::array<Port, kPortCount> ports = {assignment_->control, assignment_->upload,
                                              assignment_->download};
  return fmt::format("{} port {}", label(port), ports[index_of(port)].value);
}

void ClientSession::on_port_proven(Instant now, PortKind port) {
  if (std::exchange(proven_[index_of(port)], true)) return;
  port_troubles_[index_of(port)].reset();
  expect_to_hear(now);
  report(PortAnswers{port});
  if (std::ranges::all_of(proven_, std::identity{})) ports_deadline_.reset();
  if (!wants_test() || state_ != State::kRunning) return;
  const auto missing = [this](PortKind kind) { return needs(kind) && !port_proven(kind); };
  if (std::ranges::none_of(kPortKinds, missing)) start_tests(now);
}

void ClientSession::on_port_silent(Instant now, PortKind port) {
  silent_[index_of(port)] = true;
  fail_when_silent(now);
}

void ClientSession::on_port_lost(Instant now, PortKind port, const std::string& cause) {
  const std::size_t index = index_of(port);
  if (state_ == State::kFinished || std::exchange(lost_[index], true)) return;
  const bool said_all = std::exchange(reported_[index], true);
  silent_[index] = true;
  counted_[index] = true;
  report(PortLost{{}, port, cause});
  if (state_ >= State::kLingering) {
    // What was measured is in, but for this port's last figures.
    if (!said_all) {
      add_problem(ProblemCode::kWorkerLost, cause);
      // Only the sender can tell how much was sent, and so how much was lost.
      if (wants(PortKind::kUpload) && port == PortKind::kUpload) result_.valid = false;
    }
    finish_when_reported();
    return;
  }
  if (wants_test()) {
    fail(now, ProblemCode::kWorkerLost, cause);
    return;
  }
  result_.valid = false;
  add_problem(ProblemCode::kWorkerLost, cause);
  if (std::ranges::all_of(lost_, std::identity{})) {
    drain(now);
    return;
  }
  drain_when_counted(now);
  fail_when_silent(now);
}

// --- ending ---

void ClientSession::on_timer(Instant now) {
  if (ports_deadline_ && now >= *ports_deadline_) on_ports_timeout(now);
  give_up_when_hopeless(now);
  tell_of_silence(now);
  if (handshake_) {
    handshake_->on_timer(now);
    pump_handshake(now);
    tell_of_attempt(now);
  }
  if (closes_left_ > 0 && now >= next_close_) send_close(now);
  if (!has_deadline_ || now < deadline_) return;
  has_deadline_ = false;
  switch (state_) {
    case State::kTesting:
      state_ = State::kAwaiting;
      report(TestDraining{});
      return;
    case State::kRunning:
      // A latency run's length.
      if (std::exchange(settling_, true)) return drain(now);
      // What is on the way counts too: it ends with HeartbeatsDone.
      deadline_ = now + kSettleTimeout;
      has_deadline_ = true;
      post_all(Quiet{});
      return;
    case State::kLingering:
      drain(now);
      return;
    case State::kDraining:
      finish();
      return;
    case State::kConnecting:  // the handshake has a clock of its own
    case State::kOpening:
    case State::kStarting:
    case State::kAwaiting:
    case State::kFinished:
      return;
  }
}

void ClientSession::stop(Instant now, StopCause cause) {
  if (state_ == State::kDraining || state_ == State::kFinished) return;
  if (cause == StopCause::kOutputLost && state_ != State::kLingering) {
    fail(now, ProblemCode::kInterrupted, "ended because its output could no longer be written");
    return;
  }
  const bool test_wanted =
      config_.upload || config_.terms.directions != wire::Directions::kLatencyOnly;
  if (test_wanted && state_ != State::kLingering) {
    fail(now, ProblemCode::kInterrupted, "interrupted before the test was done");
    return;
  }
  if (state_ == State::kConnecting || state_ == State::kOpening) {
    fail(now, ProblemCode::kInterrupted, "interrupted before the server answered");
    return;
  }
  if (now - opened_ < kPortsPatience) ports_deadline_.reset();
  drain(now);
}

// What is found again is counted: no peer can make the list grow.
void ClientSession::add_problem(ProblemCode code, std::string message,
                                std::optional<Unreachable> cause) {
  const auto known = std::ranges::find_if(result_.problems, [&](const Problem& problem) {
    return problem.code == code && problem.cause == cause && problem.message == message;
  });
  if (known != result_.problems.end()) {
    ++known->count;
  } else {
    result_.problems.push_back({code, std::move(message), cause});
  }
}

void ClientSession::fail(Instant now, ProblemCode code, std::string message,
                         std::optional<Unreachable> cause) {
  // Over already, for another reason.
  if (state_ >= State::kDraining) return;
  result_.valid = false;
  add_problem(code, std::move(message), cause);
  drain(now);
}

void ClientSession::drain(Instant now) {
  if (state_ == State::kDraining || state_ == State::kFinished) return;
  const bool ports_exist = state_ >= State::kRunning;
  // A run that was short is to say what it found, too.
  if (ports_deadline_ && result_.valid) (void)judge_unproven_ports();
  result_.duration = now - started_;
  state_ = State::kDraining;
  handshake_.reset();
  next_attempt_.reset();
  if (!ports_exist) {
    // The server has ports for us, but there is nobody to wait for.
    if (speaks_one()) send_close(now);
    finish();
    return;
  }
  ports_deadline_.reset();
  deadline_ = now + kDrainTimeout;
  has_deadline_ = true;
  post_all(Drain{});
  if (speaks_one()) {
    closes_left_ = kCloseRepeats;
    send_close(now);
  }
  finish_when_reported();
}

void ClientSession::drain_when_counted(Instant now) {
  if (state_ != State::kRunning) return;
  if (std::ranges::all_of(counted_, std::identity{})) drain(now);
}

void ClientSession::finish_when_reported() {
  const bool reported = std::ranges::all_of(reported_, std::identity{});
  if (state_ == State::kDraining && closes_left_ == 0 && reported) finish();
}

void ClientSession::on_port_report(PortKind port, const PortReport& report) {
  reported_[index_of(port)] = true;
  result_.ports[index_of(port)] = report.totals;
  TestRun* run = run_of(port);
  if (run == nullptr) return;
  if (report.sender) run->on_sender_totals(*report.sender);
  if (report.receiver) run->on_receiver_totals(*report.receiver);
}

void ClientSession::finish() {
  if (state_ == State::kFinished) return;
  state_ = State::kFinished;
  has_deadline_ = false;
  for (auto& run : runs_) {
    if (!run || !run->started()) continue;
    run->close_without_result();
    if (run->has_result() && run->outcome().packets_received == 0) {
      result_.valid = false;
      add_problem(ProblemCode::kNoResult,
                  fmt::format("nothing of the {} test arrived", name(run->direction())),
                  trouble_of({run->direction()}));
    }
    if (const auto gap = gap_at_end_of(run->outcome())) {
      result_.valid = false;
      add_problem(ProblemCode::kDataStopped,
                  fmt::format("no data arrived in the last {:.1f} s of the {} test, though it was "
                              "sent",
                              to_seconds(*gap), name(run->direction())),
                  trouble_of({run->direction()}));
    }
    TestOutcome& outcome = result_.tests.emplace_back(run->outcome());
    note_narrow_link(outcome, server_.address, result_.problems);
    judge_test(outcome, result_.problems);
  }
  judge_latency(result_.ports, result_.problems);
  effects_.emplace_back(Finish{});
}

void ClientSession::post_all(const Message& message) {
  if (state_ == State::kConnecting || state_ == State::kOpening) return;
  for (const PortKind port : kPortKinds) {
    if (!lost_[index_of(port)]) effects_.emplace_back(Post{port, message});
  }
}

std::optional<Deadline> ClientSession::poll_deadline() const {
  std::optional<Deadline> next;
  if (has_deadline_) next = Deadline{deadline_, DeadlineReason::kConnect};
  if (ports_deadline_) next = earlier(next, Deadline{*ports_deadline_, DeadlineReason::kProof});
  if (closes_left_ > 0) next = earlier(next, Deadline{next_close_, DeadlineReason::kResend});
  if (next_attempt_) next = earlier(next, Deadline{*next_attempt_, DeadlineReason::kConnect});
  if (state_ == State::kConnecting) {
    const auto look = troubles_.next_look(looked_);
    if (look) next = earlier(next, Deadline{*look, DeadlineReason::kConnect});
  }
  if (const auto silence = silence_deadline()) {
    next = earlier(next, Deadline{*silence, DeadlineReason::kProgress});
  }
  const auto handshake = handshake_ ? handshake_->poll_deadline() : std::nullopt;
  if (handshake) next = earlier(next, Deadline{*handshake, DeadlineReason::kConnect});
  return next;
}

}  // namespace wyndrvr::engine
