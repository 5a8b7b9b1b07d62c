// What the main port says, and the opening of the three ports; the rest is in client_session.cpp.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/client_session.hpp"
#include "engine/overloaded.hpp"

namespace wyndrvr::engine {

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

void ClientSession::on_main_failed(Instant now, const std::string& why) {
  if (state_ != State::kConnecting) return;
  // Another address of the name may be of a family that this host has.
  if (++refusals_in_a_row_ < config_.servers.size()) return connect(now);
  fail(now, ProblemCode::kLocalFailure, why);
}

void ClientSession::on_main_datagram(Instant now, const Endpoint& from, ByteView bytes) {
  if (std::ranges::find(config_.servers, from) == config_.servers.end()) return;
  const auto answer = wire::parse_connect_answer(bytes);
  if (!answer) return;
  std::visit(Overloaded{[&](const wire::Assignment& it) { on_assignment(now, from, it); },
                        [&](const wire::Refusal& it) { on_refusal(now, from, it); },
                        [&](const wire::Ended& it) { on_ended(now, from, it); }},
             *answer);
}

void ClientSession::on_refusal(Instant now, const Endpoint& from, const wire::Refusal& refusal) {
  // After the assignment as well: the server may find out late that it cannot start the session.
  // Not once a port has answered, because then it has.
  const bool assigned = state_ == State::kOpening || state_ == State::kRunning;
  const bool withdrawn =
      assigned && from == server_ && std::ranges::none_of(proven_, std::identity{});
  if (state_ != State::kConnecting && !withdrawn) return;
  const std::string_view reason = wire::text(refusal.reason);
  report(Refused{std::string(reason)});
  result_.server = from;
  fail(now, ProblemCode::kRefused,
       fmt::format("the server refused: {}", reason.empty() ? "no reason given" : reason));
}

void ClientSession::on_ended(Instant now, const Endpoint& from, const wire::Ended& ended) {
  // Later there is a result, or an end already. The key is what a forger would have to guess.
  if (state_ < State::kRunning || state_ > State::kAwaiting) return;
  if (from != server_ || ended.key != assignment_->key) return;
  fail(now, ProblemCode::kServerFailed,
       fmt::format("the server ended the session: {}",
                   ended.cause.empty() ? "no cause given" : ended.cause.view()));
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

}  // namespace wyndrvr::engine
