#include "runtime/server_sockets.hpp"

#include <utility>

namespace wyndrvr::runtime {

class ServerSockets::Source final : public EventSource {
 public:
  Source(ServerSockets& owner, os::UdpSocket socket) : owner_(owner), socket_(std::move(socket)) {}
  ~Source() override {
    if (id_) owner_.loop_.remove(*id_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[nodiscard]] Result<void> watch() {
    auto id = owner_.loop_.add(socket_.fd(), *this);
    if (!id) return std::unexpected(id.error());
    id_ = *id;
    return {};
  }
  [[nodiscard]] os::UdpSocket& socket() { return socket_; }

  void on_ready(const Readiness& readiness) override {
    if (readiness.error) {
      // Nothing asks for stamps here; reading takes the pending error off the socket.
      while (socket_.read_transmit_stamp()) {
      }
    }
    if (readiness.readable) owner_.receive(socket_);
  }
  void on_wake(Instant /*now*/) override {}

 private:
  ServerSockets& owner_;
  os::UdpSocket socket_;
  std::optional<EventLoop::Id> id_;
};

namespace {

Result<os::UdpSocket> open_main(const ServerRun& run, const IpAddress& address, Port port) {
  return os::UdpSocket::open({.bind = {address, port},
                              .v6_only = run.v6_only,
                              .longest_datagram = os::ReceiveBuffer::kSmallSlot,
                              .receive_stamps = false,
                              .interface = run.interface,
                              .receive_traffic_class = true});
}

}  // namespace

ServerSockets::ServerSockets(EventLoop& loop, os::ReceiveBuffer& receive_buffer, Listener& listener)
    : loop_(loop), receive_buffer_(receive_buffer), listener_(listener) {}

ServerSockets::~ServerSockets() = default;

Result<std::vector<Endpoint>> ServerSockets::open(const ServerRun& run) {
  auto sockets = bind_all(run);
  if (!sockets) return std::unexpected(sockets.error());
  std::vector<Endpoint> bound;
  for (os::UdpSocket& socket : *sockets) {
    bound.push_back(socket.local());
    sources_.push_back(std::make_unique<Source>(*this, std::move(socket)));
    if (auto watched = sources_.back()->watch(); !watched) return std::unexpected(watched.error());
  }
  return bound;
}

Result<std::vector<os::UdpSocket>> ServerSockets::bind_all(const ServerRun& run) const {
  std::optional<Error> first_error;
  for (int tries = 0; tries < kMostTries; ++tries) {
    std::vector<os::UdpSocket> sockets;
    bool port_taken = false;
    for (const IpAddress& address : run.addresses) {
      const Port port = sockets.empty() ? run.port : sockets.front().local().port;
      auto socket = open_main(run, address, port);
      if (socket) {
        sockets.push_back(std::move(*socket));
        continue;
      }
      if (!first_error) first_error = socket.error();
      // A free port of this address says that only this one was in use.
      port_taken = open_main(run, address, Port{0}).has_value();
      if (port_taken) break;
    }
    if (port_taken && run.port.value == 0) continue;
    if (port_taken || sockets.empty()) break;
    return sockets;
  }
  return std::unexpected(first_error.value_or(Error{"there is no address to listen on"}));
}

void ServerSockets::receive(os::UdpSocket& socket) {
  for (int i = 0; i < kMaxReceives; ++i) {
    const auto batch = socket.receive(receive_buffer_);
    if (!batch || batch->empty()) return;
    const bool last = batch->size() < receive_buffer_.slot_count();
    listener_.on_main_datagrams(*batch);
    if (last) return;
  }
}

os::UdpSocket* ServerSockets::socket_for(const IpAddress& from) {
  os::UdpSocket* fallback = nullptr;
  for (const auto& source : sources_) {
    os::UdpSocket& socket = source->socket();
    const IpAddress& local = socket.local().address;
    if (local == from) return &socket;
    const bool any = local.is_unspecified() && (local.is_v6() || !from.is_v6());
    if (any && (fallback == nullptr || local.family == from.family)) fallback = &socket;
  }
  return fallback;
}

void ServerSockets::send(const Answer& answer) {
  os::UdpSocket* const socket = socket_for(answer.from);
  if (socket == nullptr) return;
  (void)socket->send({.to = answer.to,
                      .from = answer.from,
                      .bytes = answer.bytes,
                      .segment_size = static_cast<std::uint32_t>(answer.bytes.size()),
                      .stamp_token = std::nullopt,
                      .traffic_class = answer.traffic_class});
}

}  // namespace wyndrvr::runtime
