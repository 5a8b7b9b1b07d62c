#include "runtime/port_socket.hpp"

#include <utility>

namespace wyndrvr::runtime {

namespace {

// All but the address and the size of the receive buffer, which stay with the socket.
os::UdpOptions options_of(engine::Side side, engine::PortKind kind) {
  os::UdpOptions options;
  options.transmit_stamps = true;
  if (side == engine::Side::kClient) {
    options.error_queue = true;
    // Only a port that data arrives on coalesces: heartbeats must not wait for company.
    options.gro = kind == engine::PortKind::kDownload;
  } else {
    options.gro = kind == engine::PortKind::kUpload;
  }
  return options;
}

}  // namespace

Result<os::UdpSocket> open_client_port(engine::PortKind kind, const IpAddress& local) {
  os::UdpOptions options = options_of(engine::Side::kClient, kind);
  options.bind = {local, Port{0}};
  return os::UdpSocket::open(options);
}

Result<os::UdpSocket> open_server_port(engine::PortKind kind, const Endpoint& bind) {
  os::UdpOptions options = options_of(engine::Side::kServer, kind);
  options.bind = bind;
  if (kind == engine::PortKind::kUpload) options.receive_buffer = kDataReceiveBuffer;
  return os::UdpSocket::open(options);
}

Result<os::UdpSocket> adopt_port(engine::Side side, engine::PortKind kind, os::Fd fd) {
  return os::UdpSocket::adopt(std::move(fd), options_of(side, kind));
}

os::ReceiveBuffer make_receive_buffer(engine::Side side, engine::PortKind kind) {
  if (options_of(side, kind).gro) return {8, 65'535};
  return {16, 2048};
}

HostFacts facts_of(const os::UdpSocket& socket) {
  HostFacts facts;
  facts.receive_buffer_bytes = socket.receive_buffer_granted();
  facts.send_buffer_bytes = socket.send_buffer_granted();
  facts.gso = socket.gso_available();
  facts.gro = socket.gro_enabled();
  switch (socket.stamp_source()) {
    case os::StampSource::kTimestamping:
      facts.timestamp_source = "timestamping";
      break;
    case os::StampSource::kTimestampNs:
      facts.timestamp_source = "timestampns";
      break;
    case os::StampSource::kNone:
      facts.timestamp_source = "none";
      break;
  }
  return facts;
}

}  // namespace wyndrvr::runtime
