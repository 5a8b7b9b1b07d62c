#include "sim/server_host.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/overloaded.hpp"
#include "sim/checkers.hpp"

namespace wyndrvr::sim {
namespace {

using engine::Mailbox;
using engine::PortKind;
using engine::SessionEnd;

// Longest time that a separate process takes to bind its ports.
constexpr Duration kBindTime = 1ms;

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
    case SessionEnd::kShutdown:
    case SessionEnd::kFailed:
      break;
  }
  return Seen::kEndShutdown;
}

}  // namespace

ServerHost::Session::Session(ServerHost& host, const engine::SessionSetup& setup)
    : coordinator(host.config_, setup, host.now()),
      mail(host, fmt::format("server/{}", setup.id.value),
           [&host, this](Mailbox from, Mailbox to, const engine::Message& message) {
             host.on_letter(*this, from, to, message);
           }),
      alarm(host, fmt::format("session {}", setup.id.value), [&host, this] {
        if (over) return;
        coordinator.on_timer(host.now());
        host.settle(*this);
      }) {
  truth.id = setup.id;
  truth.client = setup.client;
  truth.created = host.environment().queue.now();
  truth.last_accepted = truth.created;
}

ServerHost::ServerHost(Environment& environment, FindUpload find_upload)
    : Host(environment, "server", server_address(environment.scenario.v6),
           environment.scenario.server.host),
      config_(environment.scenario.server.config),
      find_upload_(std::move(find_upload)),
      main_{address(), kMainPort},
      acceptor_(config_, environment.random()),
      budget_(environment) {
  environment.network.bind(main_, *this);
}

// --- the main socket and the acceptor ---

void ServerHost::on_arrival(PacketPtr packet) {
  budget_.on_received(packet->from.address);
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
}

void ServerHost::carry_out(const engine::AcceptorEffect& effect) {
  std::visit(engine::Overloaded{
                 [&](const engine::BindPorts& wanted) { bind_ports(wanted); },
                 [&](const engine::LaunchSession& launched) { launch(launched.setup); },
                 [&](const engine::EndSession& ended) { end(ended.id, SessionEnd::kEvicted); },
                 [&](const engine::SendFromMain& answer) { send(answer); },
                 [&](const engine::Report& report) { note_report(report); },
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
  if (environment().scenario.topology == Topology::kSingle) {
    on_bound(wanted.id);
    return;
  }
  environment().queue.at(environment().queue.now() + environment().up_to(kBindTime),
                         [this, id = wanted.id] { on_bound(id); });
}

void ServerHost::on_bound(engine::SessionId id) {
  if (dark()) return;
  acceptor_.on_bound(now(), id);
  settle_acceptor();
}

void ServerHost::launch(const engine::SessionSetup& setup) {
  Session& session = *sessions_.emplace_back(std::make_unique<Session>(*this, setup));
  live_[setup.id.value] = &session;
  most_sessions_ = std::max(most_sessions_, live_.size());
  environment().trace.line(environment().queue.now(), name(), "launches session {} for {}",
                           setup.id.value, setup.client);
  const Duration offset = clock().wall_offset();
  for (const PortKind kind : engine::kPortKinds) {
    const std::size_t slot = engine::index_of(kind);
    PortHost::Options options;
    options.config = session.coordinator.port_config(kind, now(), offset, environment().random());
    options.bound = {setup.local, setup.ports[slot]};
    options.watch = {.side = engine::Side::kServer,
                     .kind = kind,
                     .upload = find_upload_(setup.client),
                     .session = &session.truth,
                     .shortest_patience = {},
                     .name = fmt::format("server/{}/{}", setup.id.value, engine::name(kind))};
    options.budget = &budget_;
    session.ports[slot] = std::make_unique<PortHost>(*this, session.mail, std::move(options));
  }
  for (const auto& port : session.ports) port->start();
  settle(session);
  if (shut_down_) end(setup.id, SessionEnd::kShutdown);
}

void ServerHost::send(const engine::SendFromMain& answer) {
  if (dark()) return;
  budget_.on_sent(answer.to.address);
  Packet packet;
  packet.from = {answer.from, kMainPort};
  packet.to = answer.to;
  packet.bytes.assign(answer.bytes.begin(),
                      answer.bytes.begin() + static_cast<std::ptrdiff_t>(answer.size));
  packet.note.sent = environment().queue.now();
  packet.note.departed = packet.note.sent;
  environment().network.send(environment().network.route(answer.to.address), packet);
  if (environment().scenario.lie == Lie::kExtraReply) budget_.on_sent(answer.to.address);
}

void ServerHost::note_report(const engine::Report& report) {
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

void ServerHost::end(engine::SessionId id, SessionEnd reason) {
  const auto found = live_.find(id.value);
  if (found == live_.end()) return;
  found->second->coordinator.end(now(), reason);
  settle(*found->second);
}

void ServerHost::shut_down() {
  if (dark() || shut_down_) return;
  shut_down_ = true;
  environment().coverage.count(Seen::kServerShutdown);
  environment().trace.line(environment().queue.now(), name(), "shuts down");
  std::vector<engine::SessionId> ids;
  for (const auto& [id, session] : live_) ids.push_back({id});
  for (const engine::SessionId id : ids) end(id, SessionEnd::kShutdown);
}

// --- sessions ---

void ServerHost::on_letter(Session& session, Mailbox from, Mailbox to,
                           const engine::Message& message) {
  if (session.over) return;
  if (to == Mailbox::kCoordinator) {
    session.coordinator.on_message(now(), static_cast<PortKind>(from), message);
    settle(session);
    return;
  }
  session.ports[static_cast<std::size_t>(to)]->on_letter(from, message);
}

void ServerHost::settle(Session& session) {
  while (const auto effect = session.coordinator.poll_effect()) carry_out(session, *effect);
  session.alarm.set(session.coordinator.poll_deadline());
}

void ServerHost::carry_out(Session& session, const engine::ServerSessionEffect& effect) {
  std::visit(engine::Overloaded{
                 [&](const engine::Post& post) {
                   session.mail.post(Mailbox::kCoordinator, engine::mailbox_of(post.to),
                                     post.message);
                 },
                 [&](const engine::SessionProven&) { acceptor_.on_proven(session.truth.id); },
                 [&](const engine::ResendAssignment&) {
                   environment().coverage.count(Seen::kAssignmentResent);
                   if (!shut_down_) acceptor_.resend_assignment(session.truth.id);
                 },
                 [&](const engine::SessionOver& over) { release(session, over.reason); },
                 [&](const engine::Report& report) { note_report(report); },
             },
             effect);
  settle_acceptor();
}

void ServerHost::release(Session& session, SessionEnd reason) {
  session.over = true;
  session.truth.ended = environment().queue.now();
  session.truth.reason = reason;
  environment().coverage.count(seen_of(reason));
  environment().trace.line(environment().queue.now(), name(), "session {} is over: reason {}",
                           session.truth.id.value, static_cast<int>(reason));
  for (const auto& port : session.ports) {
    held_.erase(port->bound().port);
    port->close();
  }
  live_.erase(session.truth.id.value);
  budget_.on_session_over(session.truth.client.address, session.truth.proven_ports);
  limit_said_ = false;
  check_session_end(environment(), clock(), session.truth);
  if (environment().scenario.lie != Lie::kLeakedSession) {
    acceptor_.on_session_ended(session.truth.id);
  }
}

std::vector<const SessionTruth*> ServerHost::sessions() const {
  std::vector<const SessionTruth*> all;
  all.reserve(sessions_.size());
  for (const auto& session : sessions_) all.push_back(&session->truth);
  return all;
}

}  // namespace wyndrvr::sim
