#include "engine/client_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/judgement.hpp"
#include "engine/overloaded.hpp"
#include "wire/data_body.hpp"

namespace wyndrvr::engine {

ClientSession::ClientSession(const ClientConfig& config, Instant now, std::uint64_t seed)
    : config_(config), random_(seed), started_(now) {
  WYNDRVR_CHECK(!config_.servers.empty());
  connect(now);
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
  if (!config_.upload) port.heartbeat_count = config_.heartbeat_count;
  port.clock_offset = clock_offset;
  port.start = now;
  port.seed = seed;
  return port;
}

// --- running ---

void ClientSession::on_message(Instant now, PortKind from, const Message& message) {
  if (lost_[index_of(from)]) return;  // was on its way when the port's loop died
  std::visit(
      Overloaded{
          [&](const PortProven& proven) {
            extended_ = extended_ || proven.extended;
            on_port_proven(now, from);
          },
          [&](const PortSilent&) {
            silent_[index_of(from)] = true;
            fail_when_silent(now);
          },
          [&](const PortHeard&) { silent_[index_of(from)] = false; },
          [&](const HeartbeatSample& sample) {
            report(LatencySample{from, sample.rtt, sample.network_rtt, sample.loaded});
          },
          [&](const HeartbeatsDone&) {
            counted_[index_of(from)] = true;
            drain_when_counted(now);
          },
          [&](const TestStarted& started) { on_test_started(started); },
          [&](const SenderProgress& progress) { on_sender_progress(now, progress.totals); },
          [&](const ReceiverProgress& progress) { on_receiver_progress(progress.totals); },
          [&](const ResultArrived& arrived) { on_result(now, arrived.result); },
          [&](const TestFailed& failed) {
            const bool unanswered = failed.code == ProblemCode::kNoAcknowledgement;
            fail(now, failed.code,
                 unanswered ? "the server never acknowledged the test; is it a wyndrvr server?"
                            : "the server's result never came");
          },
          [&](const PortReport& port) {
            on_port_report(from, port);
            finish_when_reported();
          },
          [&](const Trace& trace) {
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
  proven_[index_of(port)] = true;
  report(PortAnswers{port});
  if (std::ranges::all_of(proven_, std::identity{})) ports_deadline_.reset();
  const bool ready = port_proven(PortKind::kControl) && port_proven(PortKind::kUpload);
  if (config_.upload && ready && state_ == State::kRunning) start_upload(now);
}

void ClientSession::on_ports_timeout(Instant now) {
  ports_deadline_.reset();
  for (const PortKind port : kPortKinds) {
    if (port_proven(port) || lost_[index_of(port)]) continue;
    const std::string message =
        fmt::format("no heartbeat came back on {}: is UDP open on the way there?", port_name(port));
    const bool needed = config_.upload && port != PortKind::kDownload;
    if (needed && state_ == State::kRunning) {
      fail(now, ProblemCode::kPortUnproven, message);
      return;
    }
    add_problem(ProblemCode::kPortUnproven, message);
  }
}

void ClientSession::fail_when_silent(Instant now) {
  if (state_ >= State::kLingering || !std::ranges::all_of(silent_, std::identity{})) return;
  fail(now, ProblemCode::kServerSilent, "the server has stopped answering on all ports");
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
      if (config_.upload && port == PortKind::kUpload) result_.valid = false;
    }
    finish_when_reported();
    return;
  }
  if (config_.upload) {
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

void ClientSession::start_upload(Instant /*now*/) {
  state_ = State::kStarting;
  TestPlan plan;
  do {
    plan.channel = {static_cast<std::uint32_t>(random_.between(1, ChannelId::kMax))};
  } while (plan.channel.value == assignment_->key);
  plan.duration = config_.upload->duration;
  plan.payload_bytes = config_.upload->payload_bytes;
  plan.progress_interval = config_.progress_interval;
  plan.ask_progress = extended_;
  test_.emplace();
  test_->payload_bytes =
      static_cast<std::uint32_t>(wire::data_packet_size(config_.upload->payload_bytes));
  test_->requested = plan.duration;
  effects_.emplace_back(Post{PortKind::kControl, StartTest{plan}});
}

void ClientSession::on_test_started(const TestStarted& started) {
  if (state_ != State::kStarting) return;
  state_ = State::kTesting;
  test_start_ = started.start;
  test_duration_ = started.duration;
  // Until then the last figures of the receiver, or the result itself, may still come.
  deadline_ = started.start + started.duration + kResultPatience;
  has_deadline_ = true;
  post_all(SetLoaded{true});
  report(UploadStarted{started.channel, started.duration});
  if (started.duration < test_->requested) {
    add_problem(ProblemCode::kReceiverShrunk,
                fmt::format("the server granted {:.6g} s of the {:.6g} s asked for",
                            to_seconds(started.duration), to_seconds(test_->requested)));
  }
}

void ClientSession::on_sender_progress(Instant now, const SenderTotals& totals) {
  sender_ = totals;
  if (state_ != State::kTesting) return;
  // Where the receiver tells its own figures, they are the ones to show. An interval's patience
  // tells which kind of server this is.
  if (receiver_ || ++sender_reports_ < 2) return;
  report(UploadProgress{now - test_start_, test_duration_, sender_, receiver_});
}

void ClientSession::on_receiver_progress(const ReceiverTotals& totals) {
  if (state_ != State::kTesting && state_ != State::kAwaiting) return;
  if (receiver_ && totals.elapsed <= receiver_->elapsed) return;
  receiver_ = totals;
  // One that was brought forward is for the sender. The schedule's may be a little early, too.
  if (totals.elapsed - shown_until_ < config_.progress_interval * 9 / 10) return;
  shown_until_ = totals.elapsed;
  intervals_.add(totals);
  report(UploadProgress{totals.elapsed, test_duration_, sender_, receiver_});
}

void ClientSession::on_result(Instant now, const wire::TestResult& result) {
  if (state_ != State::kTesting && state_ != State::kAwaiting) return;
  test_->has_result = true;
  test_->bytes_received = result.bytes_received;
  test_->packets_received = result.packet_count;
  test_->retransmitted_by_receiver = result.retransmit_count;
  test_->reported_bps = result.bandwidth_bps;
  test_->reported_duration = from_seconds(result.duration_s);
  test_->receiver = receiver_totals_of(result);
  if (test_->receiver) {
    intervals_.close(*test_->receiver, test_->reported_duration);
    test_->intervals = intervals_.intervals();
  }
  state_ = State::kLingering;
  deadline_ = now + kLinger;
  has_deadline_ = true;
  // The server frees its ports with our first acknowledgement: nobody would answer a heartbeat.
  post_all(Quiet{});
  report(UploadResultArrived{kLinger});
}

// --- ending ---

void ClientSession::on_timer(Instant now) {
  if (ports_deadline_ && now >= *ports_deadline_) on_ports_timeout(now);
  if (!has_deadline_ || now < deadline_) return;
  has_deadline_ = false;
  switch (state_) {
    case State::kConnecting:
      refusals_in_a_row_ = 0;
      connect(now);
      return;
    case State::kTesting:
      state_ = State::kAwaiting;
      report(UploadDraining{});
      return;
    case State::kRunning:  // a latency run's length
    case State::kLingering:
      drain(now);
      return;
    case State::kDraining:
      finish();
      return;
    case State::kOpening:
    case State::kStarting:
    case State::kAwaiting:
    case State::kFinished:
      return;
  }
}

void ClientSession::stop(Instant now) {
  if (state_ == State::kDraining || state_ == State::kFinished) return;
  if (config_.upload && state_ != State::kLingering) {
    fail(now, ProblemCode::kInterrupted, "interrupted before the test was done");
    return;
  }
  if (state_ == State::kConnecting || state_ == State::kOpening) {
    fail(now, ProblemCode::kInterrupted, "interrupted before the server answered");
    return;
  }
  drain(now);
}

void ClientSession::add_problem(ProblemCode code, std::string message) {
  result_.problems.push_back({code, std::move(message)});
}

void ClientSession::fail(Instant now, ProblemCode code, std::string message) {
  result_.valid = false;
  add_problem(code, std::move(message));
  drain(now);
}

void ClientSession::drain(Instant now) {
  if (state_ == State::kDraining || state_ == State::kFinished) return;
  const bool ports_exist = state_ >= State::kRunning;
  result_.duration = now - started_;
  state_ = State::kDraining;
  if (!ports_exist) {
    finish();
    return;
  }
  ports_deadline_.reset();
  deadline_ = now + kDrainTimeout;
  has_deadline_ = true;
  post_all(Drain{});
  finish_when_reported();
}

void ClientSession::drain_when_counted(Instant now) {
  if (std::ranges::all_of(counted_, std::identity{})) drain(now);
}

void ClientSession::finish_when_reported() {
  if (state_ == State::kDraining && std::ranges::all_of(reported_, std::identity{})) finish();
}

void ClientSession::on_port_report(PortKind port, const PortReport& report) {
  reported_[index_of(port)] = true;
  result_.ports[index_of(port)] = report.totals;
  if (report.sender) sender_ = *report.sender;
}

void ClientSession::finish() {
  if (state_ == State::kFinished) return;
  state_ = State::kFinished;
  has_deadline_ = false;
  if (test_ && test_duration_ > Duration(0)) {
    test_->sender = sender_;
    judge_test(*test_, result_.problems);
    result_.tests.push_back(std::move(*test_));
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
  return next;
}

}  // namespace wyndrvr::engine
