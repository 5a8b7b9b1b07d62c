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
  for (std::size_t i = 0; i < engine::kPortCount; ++i) {
    auto id = loop_.add(sockets_[i]->fd(), *this);
    if (!id) return std::unexpected(id.error());
    ids_[i] = *id;
  }
  loop_.set_deadline(*ids_.front(), bound_ + patience);
  return {};
}

PortSockets PendingSession::take_sockets() {
  forget();
  return std::move(sockets_);
}

void PendingSession::forget() {
  for (auto& id : ids_) {
    if (id) loop_.remove(*std::exchange(id, std::nullopt));
  }
}

void PendingSession::on_ready(const Readiness& /*readiness*/) {
  listener_.on_pending_awake(setup_.id);
}

void PendingSession::on_wake(Instant /*now*/) {
  listener_.on_pending_expired(setup_.id);
}

}  // namespace wyndrvr::runtime
