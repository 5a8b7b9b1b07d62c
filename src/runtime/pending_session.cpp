#include "runtime/pending_session.hpp"

#include <algorithm>
#include <utility>

#include "os/clock.hpp"

namespace wyndrvr::runtime {

PendingSession::PendingSession(EventLoop& loop, const engine::SessionSetup& setup,
                               Listener& listener)
    : loop_(loop), setup_(setup), first_(setup), listener_(listener), bound_(os::monotonic_now()) {}

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
  if (std::ranges::any_of(engine::kPortKinds,
                          [this](engine::PortKind kind) { return look(kind); })) {
    listener_.on_pending_awake(setup_.id);
  }
}

bool PendingSession::look(engine::PortKind kind) {
  // A heartbeat is no longer, of either dialect.
  std::array<std::byte, wire::kMaxPacketSize> room;
  std::uint64_t ignored = 0;
  bool found = false;
  for (const os::UdpSocket& socket : sockets_[engine::index_of(kind)]) {
    for (int i = 0; i < kMaxLooks; ++i) {
      const auto datagram = socket.peek(room);
      if (!datagram) break;
      found = first_.admits(kind, datagram->from, datagram->bytes);
      if (found) break;
      socket.skip();
      ++ignored;
    }
  }
  if (ignored > 0) listener_.on_pending_ignored(ignored);
  return found;
}

void PendingSession::on_wake(Instant /*now*/) {
  listener_.on_pending_expired(setup_.id);
}

}  // namespace wyndrvr::runtime
