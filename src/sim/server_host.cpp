#include "sim/server_host.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/random.hpp"
#include "engine/overloaded.hpp"
#include "sim/checkers.hpp"

namespace wyndrvr::sim {
namespace {

using engine::PortKind;
using engine::SessionEnd;

Seen seen_of(SessionEnd reason) {
  switch (reason) {
    case SessionEnd::kResultDelivered:
      return Seen::kEndDelivered;
    case SessionEnd::kIdle:
      return Seen::kEndIdle;
    case SessionEnd::kUnproven:
      return Seen::kEndUnproven;
    case SessionEnd::kResultUndelivered:
      return Seen::kEndUndelivered;
    case SessionEnd::kEvicted:
      return Seen::kEndEvicted;
    case SessionEnd::kFailed:
      return Seen::kEndFailed;
    case SessionEnd::kClosed:
      return Seen::kEndClosed;
    case SessionEnd::kTimeOver:
      return Seen::kEndTimeOver;
    case SessionEnd::kShutdown:
      break;
  }
  return Seen::kEndShutdown;
}

// Secrets of a world are its seed's; drawn apart, so that they move nothing else.
crypto::CookieJar::FillRandom make_fill(const Scenario& scenario) {
  constexpr std::uint64_t kSalt = 0x73'65'63'72'65'74;
  return [random = base::Random(scenario.seed ^ kSalt)](MutableByteView octets) mutable {
    for (std::byte& octet : octets) octet = static_cast<std::byte>(random.between(0, 255));
  };
}

// UDP payload that the server's own interface takes in one piece.
std::uint32_t max_payload(const Scenario& scenario) {
  constexpr std::uint32_t kIpAndUdpV4 = 28;
  constexpr std::uint32_t kIpAndUdpV6 = 48;
  constexpr std::uint32_t kInterfaceMtu = 1500;
  return kInterfaceMtu - (scenario.v6 ? kIpAndUdpV6 : kIpAndUdpV4);
}

}  // namespace

ServerHost::ServerHost(Environment& environment, FindClient find_client)
    : Host(environment, "server", server_address(environment.scenario.v6),
           environment.scenario.server.host),
      config_(environment.scenario.server.config),
      find_client_(std::move(find_client)),
      main_{address(), kMainPort},
      acceptor_(config_, make_fill(environment.scenario)),
      budget_(environment) {
  environment.network.bind(main_, *this);
}

// --- the main socket and the acceptor ---

void ServerHost::on_arrival(PacketPtr packet) {
  budget_.on_received(packet->from.address, packet->bytes.size());
  const Duration delay = environment().up_to(config().max_read_delay);
  if (delay <= Duration(0)) {
    read(*packet);
    return;
  }
  environment().queue.at(environment().queue.now() + delay,
                         [this, waiting = std::move(packet)] { read(*waiting); });
}

void ServerHost::read(const Packet& packet) {
  if (dark() || shut_down_) return;
  acceptor_.on_datagram(now(), packet.from, address(), packet.bytes);
  settle_acceptor();
}

void ServerHost::settle_acceptor() {
  // An effect may end a session, which comes back here: the outer loop goes on.
  if (std::exchange(settling_acceptor_, true)) return;
  while (const auto effect = acceptor_.poll_effect()) carry_out(*effect);
  settling_acceptor_ = false;
  if (std::exchange(limit_may_be_said_, false)) limit_said_ = false;
}

void ServerHost::carry_out(const engine::AcceptorEffect& effect) {
  std::visit(engine::Overloaded{
                 [&](const engine::BindPorts& wanted) { bind_ports(wanted); },
                 [&](const engine::LaunchSession& launched) { launch(launched.setup); },
                 [&](const engine::EndSession& ended) { end(ended.id, ended.reason); },
                 [&](const engine::SendFromMain& answer) { send(answer); },
                 [&](const engine::Report& report) { on_report(report); },
             },
             effect);
}

void ServerHost::bind_ports(const engine::BindPorts& wanted) {
  for (const Port port : wanted.ports) {
    if (held_.contains(port)) {
      environment().findings.add(environment().queue.now(), "server: port {} given out twice",
                                 port.value);
      return;
    }
  }
  if (environment().random.chance(environment().scenario.server.port_in_use)) {
    environment().coverage.count(Seen::kPortInUse);
    const PortKind failed = engine::kPortKinds[environment().random.between(0, 2)];
    acceptor_.on_bind_failed(now(), wanted.id, failed);
    return;
  }
  held_.insert(wanted.ports.begin(), wanted.ports.end());
  const Duration longest = environment().scenario.max_bind_time;
  if (longest <= Duration(0)) {
    on_bound(wanted.id);
    return;
  }
  environment().queue.at(environment().queue.now() + environment().up_to(longest),
                         [this, id = wanted.id] { on_bound(id); });
}

void ServerHost::on_bound(engine::SessionId id) {
  if (dark()) return;
  acceptor_.on_bound(now(), id, max_payload(environment().scenario));
  settle_acceptor();
}

void ServerHost::launch(const engine::SessionSetup& setup) {
  SessionHost::Listener& self = *this;
  SessionHost::Options options{config_, setup, find_client_(setup.client), budget_};
  options.setup.max_gaps = gaps_.take(setup.id.value, setup.path);
  SessionHost& session =
      *sessions_.emplace_back(std::make_unique<SessionHost>(*this, self, options));
  live_[setup.id.value] = &session;
  most_sessions_ = std::max(most_sessions_, live_.size());
  environment().trace.line(environment().queue.now(), name(), "holds ports for session {} of {}",
                           setup.id.value, setup.client);
  if (shut_down_) end(setup.id, SessionEnd::kShutdown);
}

void ServerHost::send(const engine::SendFromMain& answer) {
  if (dark()) return;
  const ByteView octets = ByteView(answer.bytes).first(answer.size);
  const auto parsed = wire::parse_connect_answer(octets);
  if (parsed && std::holds_alternative<wire::Ended>(*parsed)) {
    note_ended(answer, std::get<wire::Ended>(*parsed));
  }
  const auto handshake = wire::parse_from_server(octets);
  if (handshake && std::holds_alternative<wire::Close>(*handshake)) {
    note_close(answer, std::get<wire::Close>(*handshake));
  }
  budget_.on_sent(answer.to.address, octets);
  Packet packet;
  packet.from = {answer.from, kMainPort};
  packet.to = answer.to;
  packet.bytes.assign(octets.begin(), octets.end());
  packet.note.sent = environment().queue.now();
  packet.note.departed = packet.note.sent;
  environment().network.send(environment().network.route(answer.to.address), packet);
  if (environment().scenario.lie == Lie::kExtraReply) budget_.on_sent(answer.to.address, octets);
}

// Only for a client that has shown that it is ours, at an address that is proven.
void ServerHost::note_ended(const engine::SendFromMain& answer, const wire::Ended& ended) {
  environment().coverage.count(Seen::kEndedSent);
  SessionTruth* session = live_session_of(answer.to);
  const bool due = session != nullptr && session->key == ended.key && session->showed_ours &&
                   session->proven_ports > 0 && session->loss;
  if (session != nullptr) ++session->ended_sent;
  if (due) return;
  environment().findings.add(environment().queue.now(),
                             "server: ENDED to {}, which has not shown that it understands it",
                             to_string(answer.to));
}

// Only to the client whose session it names; because of a loss only where there was one.
void ServerHost::note_close(const engine::SendFromMain& answer, const wire::Close& close) {
  environment().coverage.count(Seen::kCloseSent);
  SessionTruth* session = nullptr;
  for (const auto& [id, live] : live_) {
    if (live->truth().number == close.session.value) session = &live->truth();
  }
  if (session == nullptr || session->client != answer.to) {
    environment().findings.add(environment().queue.now(), "server: CLOSE to {}, who has no session",
                               to_string(answer.to));
    return;
  }
  if (close.reason != wire::CloseReason::kPartLost) return;
  ++session->ended_sent;
  // The address is proven by its cookie: it need not have come further.
  if (!session->launched || session->loss) return;
  environment().findings.add(environment().queue.now(),
                             "server: CLOSE to {}, as if something was lost", to_string(answer.to));
}

SessionTruth* ServerHost::live_session_of(const Endpoint& client) {
  for (const auto& [id, session] : live_) {
    if (session->setup().client == client) return &session->truth();
  }
  return nullptr;
}

void ServerHost::end(engine::SessionId id, SessionEnd reason) {
  const auto found = live_.find(id.value);
  if (found != live_.end()) found->second->end(reason);
}

void ServerHost::shut_down() {
  if (dark() || shut_down_) return;
  shut_down_ = true;
  environment().coverage.count(Seen::kServerShutdown);
  environment().trace.line(environment().queue.now(), name(), "shuts down");
  acceptor_.tell_all_closing();
  settle_acceptor();
  std::vector<engine::SessionId> ids;
  for (const auto& [id, session] : live_) ids.push_back({id});
  for (const engine::SessionId id : ids) end(id, SessionEnd::kShutdown);
}

void ServerHost::lose(const SessionLoss& loss) {
  std::vector<SessionHost*> running;
  for (const auto& [id, session] : live_) {
    if (session->running()) running.push_back(session);
  }
  if (running.empty()) return;
  running[environment().random.between(0, running.size() - 1)]->lose(loss.port);
}

// --- what sessions say ---

void ServerHost::on_proven(SessionHost& session) {
  acceptor_.on_proven(session.setup().id);
  if (environment().scenario.lie == Lie::kUndueClose) {
    acceptor_.tell_ended(session.setup().id, "nothing");
  }
  settle_acceptor();
}

void ServerHost::on_resend_assignment(SessionHost& session) {
  environment().coverage.count(Seen::kAssignmentResent);
  if (shut_down_) return;
  acceptor_.resend_assignment(session.setup().id);
  settle_acceptor();
}

void ServerHost::on_extended(SessionHost& session) {
  acceptor_.on_extended(session.setup().id);
}

void ServerHost::on_tell_ended(SessionHost& session, const engine::TellEnded& end) {
  acceptor_.tell_ended(session.setup().id, end.cause, end.reason);
  settle_acceptor();
}

void ServerHost::on_test_under_way(SessionHost& session, Duration duration) {
  acceptor_.on_testing(now(), session.setup().id, duration);
}

void ServerHost::on_report(const engine::Report& report) {
  environment().trace.line(environment().queue.now(), name(), "reports kind {}", report.index());
  if (!std::holds_alternative<engine::PortsExhausted>(report) &&
      !std::holds_alternative<engine::LimitReached>(report)) {
    return;
  }
  ++times_limit_was_said_;
  if (std::exchange(limit_said_, true)) {
    environment().findings.add(environment().queue.now(),
                               "server: says twice that it is full, though no session has ended");
  }
}

void ServerHost::on_over(SessionHost& session, SessionEnd reason) {
  forget(session, reason);
  if (environment().scenario.lie == Lie::kLeakedSession) return;
  acceptor_.on_session_ended(session.setup().id);
  settle_acceptor();
}

void ServerHost::on_launch_failed(SessionHost& session, const std::string& why) {
  acceptor_.on_launch_failed(now(), session.setup().id, why);
  settle_acceptor();
  forget(session, SessionEnd::kFailed);
}

void ServerHost::on_lost(SessionHost& session, const std::string& cause) {
  acceptor_.on_session_lost(session.setup().id, cause);
  settle_acceptor();
  forget(session, SessionEnd::kFailed);
  settle_acceptor();  // from now on it may say again that it is full
}

void ServerHost::forget(SessionHost& session, SessionEnd reason) {
  SessionTruth& truth = session.truth();
  truth.ended = environment().queue.now();
  truth.reason = reason;
  environment().coverage.count(seen_of(reason));
  environment().trace.line(environment().queue.now(), name(), "session {} is over: reason {}",
                           truth.id.value, static_cast<int>(reason));
  for (const Port port : session.setup().ports) held_.erase(port);
  live_.erase(truth.id.value);
  gaps_.give_back(truth.id.value);
  budget_.on_session_over(truth.client.address, truth.proven_ports);
  limit_may_be_said_ = true;
  check_session_end(environment(), clock(), truth);
}

std::vector<const SessionTruth*> ServerHost::sessions() const {
  std::vector<const SessionTruth*> all;
  all.reserve(sessions_.size());
  for (const auto& session : sessions_) all.push_back(&session->truth());
  return all;
}

}  // namespace wyndrvr::sim
