#include "runtime/server_supervisor.hpp"

#include <utility>

#include "engine/overloaded.hpp"
#include "os/clock.hpp"
#include "os/entropy.hpp"
#include "runtime/port_socket.hpp"

namespace wyndrvr::runtime {

// Super-packets of one receive, shared by all sockets of the loop.
constexpr std::size_t kSlots = 8;
constexpr std::size_t kSlotBytes = 65'535;

ServerSupervisor::ServerSupervisor(EventLoop& loop, const ServerRun& run, ReportSink& sink)
    : loop_(loop),
      run_(run),
      sink_(sink),
      random_(os::entropy64()),
      acceptor_(run.engine, os::entropy64()),
      receive_buffer_(kSlots, kSlotBytes) {}

ServerSupervisor::~ServerSupervisor() {
  if (id_) loop_.remove(*id_);
}

Result<Endpoint> ServerSupervisor::start() {
  auto socket = os::UdpSocket::open({.bind = run_.bind, .receive_stamps = false});
  if (!socket) return std::unexpected(socket.error());
  socket_ = std::move(*socket);
  auto id = loop_.add(socket_->fd(), *this);
  if (!id) return std::unexpected(id.error());
  id_ = *id;
  return socket_->local();
}

void ServerSupervisor::shut_down() {
  if (std::exchange(shutting_down_, true)) return;
  if (sessions_.empty()) return loop_.stop();
  loop_.set_deadline(*id_, os::monotonic_now() + kShutdownTimeout);
  std::vector<HostedSession*> sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) sessions.push_back(session.get());
  for (HostedSession* session : sessions) session->end(engine::SessionEnd::kShutdown);
}

void ServerSupervisor::on_ready(const Readiness& readiness) {
  if (readiness.error) {
    // Nothing asks for stamps here; reading takes the pending error off the socket.
    while (socket_->read_transmit_stamp()) {
    }
  }
  if (readiness.readable) receive();
}

void ServerSupervisor::on_wake(Instant /*now*/) {
  if (shutting_down_) loop_.stop();
}

void ServerSupervisor::receive() {
  for (int i = 0; i < kMaxReceives; ++i) {
    const auto batch = socket_->receive(receive_buffer_);
    if (!batch || batch->empty()) return;
    const Instant now = os::monotonic_now();
    if (shutting_down_) continue;
    for (const os::Received& received : *batch) {
      acceptor_.on_datagram(now, received.from, received.to, received.bytes);
    }
    const bool last = batch->size() < receive_buffer_.slot_count();
    carry_out();
    if (last) return;
  }
}

void ServerSupervisor::carry_out() {
  // An effect may end in a call of ours that has effects too: they join this queue.
  if (std::exchange(carrying_out_, true)) return;
  while (auto effect = acceptor_.poll_effect()) {
    std::visit(engine::Overloaded{
                   [&](const engine::BindPorts& bind) { bind_ports(bind); },
                   [&](const engine::LaunchSession& session) { launch(session); },
                   [&](const engine::EndSession& end) {
                     const auto found = sessions_.find(end.id.value);
                     if (found == sessions_.end()) return;
                     found->second->end(engine::SessionEnd::kEvicted);
                   },
                   [&](const engine::SendFromMain& answer) { send(answer); },
                   [&](const engine::Report& report) { sink_.on_report(report); },
               },
               *effect);
  }
  carrying_out_ = false;
}

void ServerSupervisor::bind_ports(const engine::BindPorts& bind) {
  PortSockets sockets;
  for (const engine::PortKind kind : engine::kPortKinds) {
    const std::size_t i = engine::index_of(kind);
    auto socket = open_server_port(kind, {bind.local, bind.ports[i]});
    if (!socket) {
      acceptor_.on_bind_failed(os::monotonic_now(), bind.id, kind);
      return;
    }
    sockets[i] = std::move(*socket);
  }
  bound_[bind.id.value] = std::move(sockets);
  acceptor_.on_bound(os::monotonic_now(), bind.id);
}

void ServerSupervisor::launch(const engine::LaunchSession& launch) {
  const engine::SessionId id = launch.setup.id;
  auto sockets = bound_.extract(id.value);
  auto session = std::make_unique<HostedSession>(
      HostedSession::Options{run_.ports, {loop_, receive_buffer_}, *this, random_()}, run_.engine,
      launch.setup);
  HostedSession& started = *session;
  sessions_[id.value] = std::move(session);
  if (started.launch(std::move(sockets.mapped()))) return;
  // No descriptor or memory left: the client tries again, and finds out.
  release(id);
}

void ServerSupervisor::send(const engine::SendFromMain& answer) {
  if (random_.chance(run_.tuning.drop_probability)) return;
  // An answer that cannot be sent is one that is lost: the client asks again.
  (void)socket_->send({.to = answer.to,
                       .from = answer.from,
                       .bytes = ByteView(answer.bytes).first(answer.size),
                       .segment_size = static_cast<std::uint32_t>(answer.size),
                       .stamp_token = std::nullopt});
}

void ServerSupervisor::release(engine::SessionId id) {
  sessions_.erase(id.value);
  acceptor_.on_session_ended(id);
  carry_out();
  if (shutting_down_ && sessions_.empty()) loop_.stop();
}

void ServerSupervisor::on_session_proven(engine::SessionId id) {
  acceptor_.on_proven(id);
}

void ServerSupervisor::on_resend_assignment(engine::SessionId id) {
  acceptor_.resend_assignment(id);
  carry_out();
}

void ServerSupervisor::on_session_over(engine::SessionId id) {
  loop_.defer([this, id] { release(id); });
}

void ServerSupervisor::on_session_report(const engine::Report& report) {
  sink_.on_report(report);
}

ServerOutcome ServerSupervisor::outcome() const {
  return {acceptor_.accepted(), acceptor_.refused(), acceptor_.ignored()};
}

}  // namespace wyndrvr::runtime
