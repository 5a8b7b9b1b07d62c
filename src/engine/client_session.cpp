#include "engine/client_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/overloaded.hpp"
#include "wire/data_body.hpp"

namespace wyndrvr::engine {
namespace {

// Whether a detail's numbers agree with one another and with the result; a server may send any.
bool plausible(const wire::ReceiverDetail& detail, const wire::TestResult& result) {
  return detail.unique <= detail.highest && detail.unique <= result.packet_count &&
         detail.duplicate == result.packet_count - detail.unique &&
         detail.first_to_last_ns <= static_cast<std::uint64_t>(Duration::max().count());
}

}  // namespace

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

// --- connecting ---

void ClientSession::connect(Instant now) {
  if (attempt_ == kConnectAttempts) {
    report(NoAnswer{});
    const std::string server = to_string(config_.servers.front());
    fail(now, ProblemCode::kNoAnswer,
         unreachable_ ? fmt::format("nobody listens on {}: is the server running there?", server)
                      : fmt::format("{} never answered: is the server running, and UDP open to it?",
                                    server));
    return;
  }
  const Endpoint& server = config_.servers[attempt_ % config_.servers.size()];
  ++attempt_;
  report(Connecting{server, attempt_});
  effects_.emplace_back(SendConnect{server});
  deadline_ = now + kConnectInterval;
  has_deadline_ = true;
}

void ClientSession::on_main_refused(Instant now, const Endpoint& by) {
  unreachable_ = true;
  if (state_ != State::kConnecting || config_.servers.size() == 1) return;
  if (by != config_.servers[(attempt_ - 1) % config_.servers.size()]) return;
  // Nobody there: the next address of the name at once, but only once round.
  if (++refusals_in_a_row_ < config_.servers.size()) connect(now);
}

void ClientSession::on_main_datagram(Instant now, const Endpoint& from, ByteView bytes) {
  if (std::ranges::find(config_.servers, from) == config_.servers.end()) return;
  const auto answer = wire::parse_connect_answer(bytes);
  if (!answer) return;
  if (const auto* assignment = std::get_if<wire::Assignment>(&*answer)) {
    on_assignment(now, from, *assignment);
    return;
  }
  if (state_ != State::kConnecting) return;
  const std::string_view reason = wire::text(std::get<wire::Refusal>(*answer).reason);
  report(Refused{std::string(reason)});
  result_.server = from;
  fail(now, ProblemCode::kRefused,
       fmt::format("the server refused: {}", reason.empty() ? "no reason given" : reason));
}

void ClientSession::on_assignment(Instant now, const Endpoint& from,
                                  const wire::Assignment& assignment) {
  if (state_ == State::kConnecting) {
    assignment_ = assignment;
    server_ = from;
    result_.server = from;
    state_ = State::kOpening;
    has_deadline_ = false;
    report(Assigned{
        from, {assignment.control, assignment.upload, assignment.download}, assignment.key});
    const IpAddress& host = from.address;
    effects_.emplace_back(
        OpenPorts{from,
                  {Endpoint{host, assignment.control}, Endpoint{host, assignment.upload},
                   Endpoint{host, assignment.download}}});
    return;
  }
  // Once more the same: the server has not heard from all three ports yet. So let it.
  const bool again = state_ == State::kRunning && from == server_ && assignment == assignment_;
  if (!again || (last_nudge_ && now - *last_nudge_ < 100ms)) return;
  last_nudge_ = now;
  post_all(Nudge{});
}

void ClientSession::on_ports_open(Instant now) {
  if (state_ != State::kOpening) return;
  state_ = State::kRunning;
  ports_deadline_ = now + kPortsTimeout;
  report(Connected{});
  if (!config_.upload && config_.latency_duration) {
    deadline_ = now + *config_.latency_duration;
    has_deadline_ = true;
  }
}

void ClientSession::on_ports_failed(Instant now, const std::string& why) {
  if (state_ != State::kOpening) return;
  fail(now, ProblemCode::kLocalFailure, why);
}

// --- running ---

void ClientSession::on_message(Instant now, PortKind from, const Message& message) {
  std::visit(
      Overloaded{
          [&](const PortProven& proven) {
            extended_ = extended_ || proven.extended;
            on_port_proven(now, from);
          },
          [&](const PortSilent&) {
            silent_[index_of(from)] = true;
            if (!std::ranges::all_of(silent_, std::identity{}) || state_ >= State::kLingering)
              return;
            fail(now, ProblemCode::kServerSilent,
                 "the server has stopped answering on all three ports");
          },
          [&](const PortHeard&) { silent_[index_of(from)] = false; },
          [&](const HeartbeatSample& sample) {
            report(LatencySample{from, sample.rtt, sample.network_rtt, sample.loaded});
          },
          [&](const HeartbeatsDone&) {
            counted_[index_of(from)] = true;
            if (std::ranges::all_of(counted_, std::identity{})) drain(now);
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
            if (state_ == State::kDraining && std::ranges::all_of(reported_, std::identity{})) {
              finish();
            }
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
    if (port_proven(port)) continue;
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
  if (result.detail && plausible(*result.detail, result)) {
    ReceiverTotals totals;
    totals.packets = result.packet_count;
    totals.bytes = result.bytes_received;
    totals.unique = result.detail->unique;
    totals.duplicate = result.detail->duplicate;
    totals.reordered = result.detail->reordered;
    totals.expected = result.detail->highest;
    totals.unique_bytes = result.detail->unique_bytes;
    totals.retransmitted = result.retransmit_count;
    totals.written_off = result.detail->written_off;
    totals.socket_drops = result.detail->socket_drops;
    totals.first_to_last = Duration(static_cast<std::int64_t>(result.detail->first_to_last_ns));
    totals.elapsed = test_->reported_duration;
    test_->receiver = totals;
    intervals_.close(totals, test_->reported_duration);
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
    judge_test(*test_);
    result_.tests.push_back(std::move(*test_));
  }
  judge_latency();
  effects_.emplace_back(Finish{});
}

void ClientSession::judge_test(const TestOutcome& test) {
  if (!test.has_result) return;
  if (!test.receiver) {
    add_problem(ProblemCode::kNoReceiverDetail,
                "the server tells only totals: its loss includes what was in flight when it "
                "stopped counting");
  } else {
    if (test.receiver->socket_drops > 0) {
      add_problem(ProblemCode::kReceiverSocketDrops,
                  fmt::format("the server's socket overflowed: {} datagrams lost there, not on the "
                              "path: its host reads too slowly, or has a small net.core.rmem_max",
                              test.receiver->socket_drops));
    }
    if (test.receiver->written_off > 0) {
      add_problem(ProblemCode::kWrittenOff,
                  fmt::format("{} missing datagrams were given up: too many gaps to track",
                              test.receiver->written_off));
    }
  }
  if (test.sender.failed > 0) {
    add_problem(ProblemCode::kSenderDrops,
                fmt::format("{} datagrams were lost inside this host", test.sender.failed));
  }
}

void ClientSession::judge_latency() {
  std::uint64_t skipped = 0;
  std::uint64_t sent = 0;
  for (const auto& port : result_.ports) {
    if (!port) continue;
    skipped += port->idle.skipped + port->loaded.skipped;
    sent += port->idle.sent + port->loaded.sent;
  }
  if (skipped * 100 > sent) {
    add_problem(ProblemCode::kScheduleSlipped,
                fmt::format("{} heartbeats were skipped because this host was late", skipped));
  }
}

void ClientSession::post_all(const Message& message) {
  if (state_ == State::kConnecting || state_ == State::kOpening) return;
  for (const PortKind port : kPortKinds) effects_.emplace_back(Post{port, message});
}

std::optional<Deadline> ClientSession::poll_deadline() const {
  std::optional<Deadline> next;
  if (has_deadline_) next = Deadline{deadline_, DeadlineReason::kConnect};
  if (ports_deadline_) next = earlier(next, Deadline{*ports_deadline_, DeadlineReason::kProof});
  return next;
}

}  // namespace wyndrvr::engine
