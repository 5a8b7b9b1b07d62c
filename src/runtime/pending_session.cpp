#include "runtime/pending_session.hpp"

#include <utility>

#include "os/clock.hpp"

namespace wyndrvr::runtime {

PendingSession::PendingSession(EventLoop& loop, const engine::SessionSetup& setup,
                               Listener& listener)
    : loop_(loop), setup_(setup), listener_(listener), bound_(os::monotonic_now()) {}

PendingSession::~PendingSession() {
  forget();
}

Result<void> PendingSession::start(PortSockets sockets, Duration patience) {
  sockets_ = std::move(sockets);
  for (const auto& port : sockets_) {
    for (const os::UdpSocket& socket : port) {
      auto id = loop_.add(socket.fd(), *this);
      if (!id) return std::unexpected(id.error());
      ids_.push_back(*id);
    }
  }
  loop_.set_deadline(ids_.front(), bound_ + patience);
  return {};
}

PortSockets PendingSession::take_sockets() {
  forget();
  return std::move(sockets_);
}

void PendingSession::forget() {
  for (const EventLoop::Id id : ids_) loop_.remove(id);
  ids_.clear();
}

void PendingSession::on_ready(const Readiness& /*readiness*/) {
  listener_.on_pending_awake(setup_.id);
}

void PendingSession::on_wake(Instant /*now*/) {
  listener_.on_pending_expired(setup_.id);
}

}  // namespace wyndrvr::runtime
