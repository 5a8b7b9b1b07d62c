#include "runtime/server_supervisor.hpp"

#include <utility>

#include "engine/overloaded.hpp"
#include "os/clock.hpp"
#include "os/cpu_affinity.hpp"
#include "os/entropy.hpp"
#include "os/route_mtu.hpp"
#include "runtime/port_socket.hpp"

namespace wyndrvr::runtime {
namespace {

using engine::PortKind;

// A copy, since what is done with each may change the map.
template <class Map>
std::vector<engine::SessionId> ids_of(const Map& map) {
  std::vector<engine::SessionId> ids;
  ids.reserve(map.size());
  for (const auto& [id, value] : map) ids.push_back({id});
  return ids;
}

// The same sockets, set up for what was granted to the client.
Result<PortSockets> as_granted(const engine::SessionSetup& setup, PortSockets sockets,
                               const os::Offloads& offloads) {
  if (!setup.path) return sockets;
  const bool single = has_single_port(setup.path);
  for (const PortKind kind : engine::kPortKinds) {
    for (os::UdpSocket& socket : sockets[engine::index_of(kind)]) {
      auto set_up = apply_terms(single ? PortKind::kUpload : kind, std::move(socket),
                                setup.path->terms, offloads);
      if (!set_up) return std::unexpected(set_up.error());
      socket = std::move(*set_up);
    }
  }
  return sockets;
}

// What fits the path to the client without being cut, as far as this host knows.
std::optional<std::uint32_t> max_payload_towards(const engine::BindPorts& bind,
                                                 const std::string& interface) {
  if (!bind.client) return std::nullopt;
  const auto mtu = os::route_mtu(*bind.client, bind.local, interface);
  if (!mtu) return std::nullopt;
  return os::max_udp_payload(*mtu, bind.client->address.is_v6());
}

}  // namespace

ServerSupervisor::ServerSupervisor(EventLoop& loop, const ServerRun& run, ReportSink& sink)
    : loop_(loop),
      run_(run),
      sink_(sink),
      random_(os::entropy64()),
      acceptor_(run.engine, os::fill_random),
      // Shared by all sockets of the loop, so as large as the most demanding port's.
      receive_buffer_(make_receive_buffer(engine::Side::kServer, engine::PortKind::kUpload)),
      main_(loop, receive_buffer_, *this),
      cpus_{.chosen = run.cpus, .allowed = os::allowed_cpus()} {}

ServerSupervisor::~ServerSupervisor() {
  if (id_) loop_.remove(*id_);
}

Result<std::vector<Endpoint>> ServerSupervisor::start() {
  auto id = loop_.add(EventLoop::kNoDescriptor, *this);
  if (!id) return std::unexpected(id.error());
  id_ = *id;
  return main_.open(run_);
}

void ServerSupervisor::shut_down() {
  if (std::exchange(shutting_down_, true)) return;
  const Instant now = os::monotonic_now();
  loop_.set_deadline(*id_, now + kShutdownTimeout);
  acceptor_.tell_all_closing();
  carry_out();
  for (const engine::SessionId id : ids_of(pending_)) {
    give_up_pending(id, engine::SessionEnd::kShutdown);
  }
  for (const engine::SessionId id : ids_of(sessions_)) {
    end_session(id, engine::SessionEnd::kShutdown);
  }
  stop_when_empty();
}

void ServerSupervisor::on_ready(const Readiness& /*readiness*/) {}

void ServerSupervisor::on_wake(Instant /*now*/) {
  if (shutting_down_) loop_.stop();
}

void ServerSupervisor::on_main_datagrams(std::span<const os::Received> batch) {
  if (shutting_down_) return;
  const Instant now = os::monotonic_now();
  for (const os::Received& received : batch) {
    if (received.to_group) {
      acceptor_.ignore(1);
      continue;
    }
    acceptor_.on_datagram(
        now, received.from, received.to, received.bytes,
        {.interface = received.interface, .traffic_class = received.traffic_class.value_or(0)});
  }
  carry_out();
}

void ServerSupervisor::carry_out() {
  // An effect may end in a call of ours that has effects too: they join this queue.
  if (std::exchange(carrying_out_, true)) return;
  while (auto effect = acceptor_.poll_effect()) {
    std::visit(engine::Overloaded{
                   [&](const engine::BindPorts& bind) { bind_ports(bind); },
                   [&](const engine::LaunchSession& launch) { wait_for_client(launch.setup); },
                   [&](const engine::EndSession& end) { end_session(end.id, end.reason); },
                   [&](const engine::SendFromMain& answer) { send(answer); },
                   [&](const engine::Report& report) { sink_.on_report(report); },
               },
               *effect);
  }
  carrying_out_ = false;
}

void ServerSupervisor::bind_ports(const engine::BindPorts& bind) {
  PortSockets sockets;
  const bool single = bind.ports[0] == bind.ports[1];
  for (const PortKind kind : engine::kPortKinds) {
    const std::size_t i = engine::index_of(kind);
    auto socket = open_server_port(single ? PortKind::kUpload : kind, {bind.local, bind.ports[i]},
                                   run_.tuning.offloads, {run_.interface, bind.traffic_class});
    if (!socket) {
      return on_bind_failed(bind.id, kind, socket.error());
    }
    sockets[i].push_back(std::move(*socket));
    if (single) break;
  }
  bound_[bind.id.value] = std::move(sockets);
  acceptor_.on_bound(os::monotonic_now(), bind.id, max_payload_towards(bind, run_.interface));
}

void ServerSupervisor::on_bind_failed(engine::SessionId id, PortKind port,
                                      const os::OpenError& error) {
  switch (error.failure) {
    case os::OpenFailure::kPort:
      return acceptor_.on_bind_failed(os::monotonic_now(), id, port);
    case os::OpenFailure::kAddress:
      return acceptor_.on_address_refused(id);
    case os::OpenFailure::kHost:
      return acceptor_.on_launch_failed(os::monotonic_now(), id, error.message);
  }
}

void ServerSupervisor::wait_for_client(const engine::SessionSetup& setup) {
  auto sockets = bound_.extract(setup.id.value);
  auto& pending = pending_[setup.id.value];
  pending = std::make_unique<PendingSession>(loop_, setup, *this);
  const Duration patience = run_.engine.limits.proof_timeout;
  if (pending->start(std::move(sockets.mapped()), patience)) return;
  // No memory or no watch left in epoll: the client tries again, and finds out.
  give_up_pending(setup.id, engine::SessionEnd::kFailed);
}

void ServerSupervisor::launch(PendingSession& pending) {
  engine::SessionSetup setup = pending.setup();
  auto sockets = as_granted(setup, pending.take_sockets(), run_.tuning.offloads);
  if (!sockets) {
    acceptor_.on_launch_failed(os::monotonic_now(), setup.id, sockets.error().message);
    return carry_out();
  }
  setup.max_gaps = gaps_.take(setup.id.value, setup.path);
  auto session =
      make_session(run_.sessions, {loop_, receive_buffer_, cpus_.for_session(launched_++)},
                   {run_.ports, setup, pending.bound(), random_()}, run_.engine, *this);
  // It may have things to say before `launch` returns.
  PlacedSession& started = *(sessions_[setup.id.value] = std::move(session));
  started.launch(std::move(*sockets));
}

void ServerSupervisor::end_session(engine::SessionId id, engine::SessionEnd reason) {
  if (pending_.contains(id.value)) return give_up_pending(id, reason);
  const auto found = sessions_.find(id.value);
  if (found != sessions_.end()) found->second->end(reason);
}

void ServerSupervisor::give_up_pending(engine::SessionId id, engine::SessionEnd reason) {
  const auto pending = pending_.extract(id.value);
  sink_.on_report(engine::ClientGone{pending.mapped()->setup().client, reason, false, {}});
  (void)pending.mapped()->take_sockets();
  // Its own call may be what brought us here.
  loop_.defer([held = std::shared_ptr<PendingSession>(std::move(pending.mapped()))] {});
  acceptor_.on_session_ended(id);
  carry_out();
}

void ServerSupervisor::send(const engine::SendFromMain& answer) {
  if (random_.chance(run_.tuning.drop_probability)) return;
  main_.send({.to = answer.to,
              .from = answer.from,
              .bytes = ByteView(answer.bytes).first(answer.size),
              .traffic_class = answer.traffic_class});
}

void ServerSupervisor::stop_when_empty() {
  if (shutting_down_ && pending_.empty() && sessions_.empty()) loop_.stop();
}

void ServerSupervisor::forget_session(engine::SessionId id) {
  sessions_.erase(id.value);
  gaps_.give_back(id.value);
}

void ServerSupervisor::on_session_launched(engine::SessionId /*id*/) {}

void ServerSupervisor::on_session_launch_failed(engine::SessionId id, const std::string& why) {
  loop_.defer([this, id, why] {
    forget_session(id);
    acceptor_.on_launch_failed(os::monotonic_now(), id, why);
    carry_out();
    stop_when_empty();
  });
}

void ServerSupervisor::on_session_proven(engine::SessionId id) {
  acceptor_.on_proven(id);
  carry_out();
}

void ServerSupervisor::on_resend_assignment(engine::SessionId id) {
  acceptor_.resend_assignment(id);
  carry_out();
}

void ServerSupervisor::on_client_extended(engine::SessionId id) {
  acceptor_.on_extended(id);
}

void ServerSupervisor::on_tell_ended(engine::SessionId id, const engine::TellEnded& end) {
  acceptor_.tell_ended(id, end.cause, end.reason);
  carry_out();
}

void ServerSupervisor::on_test_under_way(engine::SessionId id, Duration duration) {
  acceptor_.on_testing(os::monotonic_now(), id, duration);
}

void ServerSupervisor::on_session_report(const engine::Report& report) {
  sink_.on_report(report);
}

void ServerSupervisor::on_session_over(engine::SessionId id) {
  loop_.defer([this, id] {
    forget_session(id);
    acceptor_.on_session_ended(id);
    carry_out();
    stop_when_empty();
  });
}

void ServerSupervisor::on_session_lost(engine::SessionId id, const WorkerLoss& loss) {
  loop_.defer([this, id, loss] {
    forget_session(id);
    acceptor_.on_session_lost(id, loss.cause, loss.text());
    carry_out();
    stop_when_empty();
  });
}

void ServerSupervisor::on_pending_awake(engine::SessionId id) {
  // Each of its sockets may call: the first launches, the others find it gone.
  loop_.defer([this, id] {
    const auto pending = pending_.extract(id.value);
    if (!pending.empty()) launch(*pending.mapped());
  });
}

void ServerSupervisor::on_pending_expired(engine::SessionId id) {
  give_up_pending(id, engine::SessionEnd::kUnproven);
}

void ServerSupervisor::on_pending_ignored(std::uint64_t datagrams) {
  acceptor_.ignore(datagrams);
}

ServerOutcome ServerSupervisor::outcome() const {
  return {acceptor_.accepted(), acceptor_.refused(), acceptor_.ignored(), std::nullopt};
}

}  // namespace wyndrvr::runtime
