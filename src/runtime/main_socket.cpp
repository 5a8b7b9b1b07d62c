#include "runtime/main_socket.hpp"

#include <utility>

#include "engine/test_terms.hpp"
#include "runtime/unreachable_cause.hpp"

namespace wyndrvr::runtime {

MainSocket::~MainSocket() {
  if (id_) loop_.remove(*id_);
}

Result<void> MainSocket::open(IpAddress::Family family, const SocketWishes& wishes) {
  IpAddress local;
  local.family = family;
  if (wishes.bind) {
    if (wishes.bind->family != family) {
      return fail("the server's address is of another family than {}, which is to be sent from",
                  to_string(*wishes.bind));
    }
    local = *wishes.bind;
  }
  interface_ = wishes.interface;
  auto socket = os::UdpSocket::open({.bind = {local, Port{0}},
                                     .longest_datagram = os::ReceiveBuffer::kSmallSlot,
                                     .receive_stamps = false,
                                     .error_queue = true,
                                     .traffic_class = engine::without_ecn(wishes.traffic_class),
                                     .hop_limit = wishes.hop_limit,
                                     .interface = wishes.interface});
  if (!socket) return std::unexpected(socket.error());
  socket_ = std::move(*socket);
  auto id = loop_.add(socket_->fd(), *this);
  if (!id) return std::unexpected(id.error());
  id_ = *id;
  return {};
}

std::optional<engine::Unreachable> MainSocket::send(const Endpoint& to, ByteView bytes) {
  const auto outcome = socket_->send({.to = to,
                                      .from = std::nullopt,
                                      .bytes = bytes,
                                      .segment_size = static_cast<std::uint32_t>(bytes.size()),
                                      .stamp_token = std::nullopt});
  // Full buffers are no cause: it is as if the datagram were lost.
  if (outcome.status != os::SendOutcome::Status::kFailed) return std::nullopt;
  return cause_of_send_error(outcome.error);
}

engine::Unreachable MainSocket::cause_of(const os::PeerUnreachable& error) const {
  const auto local = os::local_address_towards(error.peer, interface_);
  return cause_of_icmp(error, local ? std::optional(*local) : std::nullopt);
}

void MainSocket::on_ready(const Readiness& readiness) {
  if (readiness.error) {
    while (socket_->read_transmit_stamp()) {
    }
    while (const auto error = socket_->take_peer_error()) {
      listener_.on_main_unreachable(error->peer, cause_of(*error));
    }
  }
  if (!readiness.readable) return;
  const auto batch = socket_->receive(receive_buffer_);
  if (!batch) return;
  for (const os::Received& received : *batch) {
    listener_.on_main_datagram(received.from, received.bytes);
  }
}

void MainSocket::on_wake(Instant /*now*/) {}

}  // namespace wyndrvr::runtime
