// 0.14's part of the main port, and the opening of the three ports; dialect 1's is in
// client_session_handshake.cpp, the rest in client_session.cpp.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/client_session.hpp"
#include "engine/overloaded.hpp"

namespace wyndrvr::engine {

void ClientSession::send_main(const Endpoint& to, ByteView bytes) {
  SendMain effect;
  effect.to = to;
  effect.size = bytes.size();
  std::ranges::copy(bytes, effect.bytes.begin());
  effects_.emplace_back(effect);
}

void ClientSession::on_main_unreachable(Instant now, const Endpoint& to, Unreachable cause) {
  const auto server = std::ranges::find(config_.servers, to);
  if (state_ != State::kConnecting || server == config_.servers.end()) return;
  troubles_.on_unreachable(now, static_cast<std::size_t>(server - config_.servers.begin()), cause);
  tell_of_trouble(to, cause);
  give_up_when_hopeless(now);
  if (state_ != State::kConnecting || !handshake_) return;
  handshake_->on_unreachable(now, to);
  pump_handshake(now);
}

void ClientSession::on_main_failed(Instant now, const Endpoint& to, const std::string& why) {
  if (state_ != State::kConnecting || !handshake_) return;
  // Another address of the name may be of a family that this host has.
  if (handshake_->on_impossible(now, to)) ++unaskable_;
  local_failure_ = why;
  pump_handshake(now);
}

void ClientSession::on_main_datagram(Instant now, const Endpoint& from, ByteView bytes) {
  if (std::ranges::find(config_.servers, from) == config_.servers.end()) return;
  if (handshake_) return on_handshake_datagram(now, from, bytes);
  if (speaks_one()) return on_main_in_session(now, from, bytes);
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
  result_.server = from;
  refuse(now, std::string(reason));
}

void ClientSession::refuse(Instant now, std::string reason) {
  report(Refused{reason});
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
    result_.dialect = Dialect::kOriginal;
    open_ports();
    return;
  }
  // Once more the same: the server has not heard from all three ports yet. So let it.
  const bool again = state_ == State::kRunning && from == server_ && assignment == assignment_ &&
                     !std::ranges::all_of(proven_, std::identity{});
  if (!again || (last_nudge_ && now - *last_nudge_ < 100ms)) return;
  last_nudge_ = now;
  post_all(Nudge{});
}

void ClientSession::open_ports() {
  result_.server = server_;
  state_ = State::kOpening;
  has_deadline_ = false;
  const std::array<Port, kPortCount> ports = {assignment_->control, assignment_->upload,
                                              assignment_->download};
  report(Assigned{server_, ports, assignment_->key});
  const IpAddress& host = server_.address;
  effects_.emplace_back(OpenPorts{
      server_, {Endpoint{host, ports[0]}, Endpoint{host, ports[1]}, Endpoint{host, ports[2]}}});
}

void ClientSession::on_ports_open(Instant now) {
  if (state_ != State::kOpening) return;
  state_ = State::kRunning;
  opened_ = now;
  ports_deadline_ = now + kPortsTimeout;
  expect_to_hear(now);
  report(Connected{});
  if (!wants_test() && config_.latency_duration) {
    deadline_ = now + *config_.latency_duration;
    has_deadline_ = true;
  }
}

void ClientSession::on_ports_failed(Instant now, const std::string& why) {
  if (state_ != State::kOpening) return;
  fail(now, ProblemCode::kLocalFailure, why);
}

}  // namespace wyndrvr::engine
