// What a client's session says where the server, or one of its ports, cannot be reached or has gone
// silent; the rest is in client_session.cpp.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "engine/client_session.hpp"

namespace wyndrvr::engine {
namespace {

// Addresses of the server that fail in the same way.
struct Alike {
  std::optional<Unreachable> cause;
  Endpoint first;
  std::size_t others = 0;
};

std::string text_of(const Alike& alike) {
  std::string servers = to_string(alike.first);
  if (alike.others > 0) servers += fmt::format(" and {} other addresses", alike.others);
  if (!alike.cause) {
    return fmt::format("{} never answered: is the server running, and UDP open to it?", servers);
  }
  if (alike.cause == Unreachable::kNobodyListens) {
    return fmt::format("nobody listens on {}: is the server running there?", servers);
  }
  return fmt::format("{} cannot be reached", servers);
}

}  // namespace

// --- while connecting ---

void ClientSession::on_no_answer(Instant now) {
  if (unaskable_ == config_.servers.size()) {
    return fail(now, ProblemCode::kLocalFailure, local_failure_);
  }
  report(NoAnswer{});
  std::vector<Alike> all;
  for (std::size_t i = 0; i < config_.servers.size(); ++i) {
    const auto cause = troubles_.cause_of(i);
    const auto known = std::ranges::find(all, cause, &Alike::cause);
    if (known == all.end()) {
      all.push_back({cause, config_.servers[i]});
    } else {
      ++known->others;
    }
  }
  result_.valid = false;
  for (const Alike& alike : all) add_problem(ProblemCode::kNoAnswer, text_of(alike), alike.cause);
  drain(now);
}

void ClientSession::give_up_when_hopeless(Instant now) {
  looked_ = now;
  const bool answered = handshake_ && handshake_->has_cookie();
  if (state_ == State::kConnecting && !answered && troubles_.hopeless(now)) on_no_answer(now);
}

void ClientSession::tell_of_trouble(const Endpoint& server, Unreachable cause) {
  // What this host knows itself explains what ICMP says.
  const bool known = std::ranges::any_of(told_troubles_, [&](const auto& told) {
    return told.first == server && (told.second == cause || is_local(told.second));
  });
  if (known || told_troubles_.size() == kMaxToldTroubles) return;
  told_troubles_.emplace_back(server, cause);
  report(ServerUnreachable{server, cause});
}

// --- ports ---

void ClientSession::on_port_trouble(PortKind port, Unreachable cause) {
  // A server closes its ports when all is said.
  if (state_ >= State::kLingering) return;
  keep_cause(port_troubles_[index_of(port)], cause);
  const std::array<Port, kPortCount> ports = {assignment_->control, assignment_->upload,
                                              assignment_->download};
  tell_of_trouble({server_.address, ports[index_of(port)]}, cause);
}

void ClientSession::on_ports_timeout(Instant now) {
  if (!judge_unproven_ports() && state_ == State::kRunning) drain(now);
}

bool ClientSession::judge_unproven_ports() {
  ports_deadline_.reset();
  bool usable = std::ranges::any_of(proven_, std::identity{});
  for (const PortKind port : kPortKinds) {
    if (port_proven(port) || lost_[index_of(port)]) continue;
    usable = usable && !needs(port);
    const auto cause = port_troubles_[index_of(port)];
    add_problem(ProblemCode::kPortUnproven,
                fmt::format("no heartbeat came back on {}{}{}", port_name(port),
                            needs(port) ? ", so the test was not begun" : "",
                            cause ? "" : ": is UDP open on the way there?"),
                cause);
  }
  if (!usable) result_.valid = false;
  return usable;
}

// --- silence ---

void ClientSession::fail_when_silent(Instant now) {
  if (state_ >= State::kLingering || !std::ranges::all_of(silent_, std::identity{})) return;
  fail(now, ProblemCode::kServerSilent, "the server has stopped answering on all ports",
       trouble_of({PortKind::kControl, PortKind::kUpload, PortKind::kDownload}));
}

std::optional<Unreachable> ClientSession::trouble_of(std::initializer_list<PortKind> ports) const {
  for (const PortKind port : ports) {
    if (const auto cause = port_troubles_[index_of(port)]) return cause;
  }
  return std::nullopt;
}

// How often something comes from a server that is well.
Duration ClientSession::expected_gap() const {
  // Whatever is asked for now is asked for several times a second.
  const bool asks = state_ == State::kStarting || std::ranges::none_of(proven_, std::identity{});
  return asks ? QuietMeter::kStep : config_.protocol.heartbeat_interval;
}

bool ClientSession::tells_of_silence() const {
  if (state_ < State::kRunning || state_ > State::kAwaiting) return false;
  // Not where all that was to be heard was heard, and a filtered port is still waited for.
  const bool counted = std::ranges::any_of(counted_, std::identity{});
  return !counted || std::ranges::any_of(kPortKinds, [this](PortKind port) {
    return port_proven(port) && !counted_[index_of(port)];
  });
}

bool ClientSession::shows_progress(const TestRun& run) const {
  return run.started() && !run.has_result() && (speaks_one() || extended_);
}

void ClientSession::tell_of_silence(Instant now) {
  if (!tells_of_silence()) return;
  bool shown = false;
  for (auto& run : runs_) {
    if (!run || !shows_progress(*run)) continue;
    shown = true;
    if (const auto silence = run->poll_silence(now)) report(*silence);
  }
  if (shown) return;
  if (const auto silent = quiet_.poll(now)) report(NothingReceived{.silent = *silent});
}

std::optional<Instant> ClientSession::silence_deadline() const {
  if (!tells_of_silence()) return std::nullopt;
  std::optional<Instant> next;
  for (const auto& run : runs_) {
    if (!run || !shows_progress(*run)) continue;
    next = std::min(next.value_or(run->silence_deadline()), run->silence_deadline());
  }
  return next ? next : quiet_.deadline();
}

}  // namespace wyndrvr::engine
