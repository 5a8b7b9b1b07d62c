#include "runtime/port_socket.hpp"

namespace wyndrvr::runtime {

Result<os::UdpSocket> open_client_port(engine::PortKind kind, const IpAddress& local) {
  os::UdpOptions options;
  options.bind = {local, Port{0}};
  options.transmit_stamps = true;
  options.error_queue = true;
  // Only a port that data arrives on coalesces: heartbeats must not wait for company.
  options.gro = kind == engine::PortKind::kDownload;
  return os::UdpSocket::open(options);
}

Result<os::UdpSocket> open_server_port(engine::PortKind kind, const Endpoint& bind) {
  os::UdpOptions options;
  options.bind = bind;
  options.transmit_stamps = true;
  if (kind == engine::PortKind::kUpload) {
    options.gro = true;
    options.receive_buffer = kDataReceiveBuffer;
  }
  return os::UdpSocket::open(options);
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
