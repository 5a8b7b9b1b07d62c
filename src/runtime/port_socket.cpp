#include "runtime/port_socket.hpp"

#include <algorithm>
#include <utility>

#include "engine/path_packets.hpp"
#include "wire/header.hpp"

namespace wyndrvr::runtime {
namespace {

using engine::PortKind;
using engine::Side;

// Octets, of all that is no data.
constexpr auto kLongestPacket = static_cast<std::uint32_t>(wire::kMaxPacketSize);

// Which port data arrives on. Only that one coalesces: heartbeats must not wait for company.
constexpr PortKind data_port(Side side) {
  return side == Side::kClient ? PortKind::kDownload : PortKind::kUpload;
}

bool receives_data(const PortRole& role) {
  return role.kind == data_port(role.side);
}

// All but what stays with the socket: address, buffers, and what a session's terms ask for.
os::UdpOptions options_of(const PortRole& role, const os::Offloads& offloads) {
  os::UdpOptions options;
  options.transmit_stamps = true;
  // A port answers from the address that it is bound to, or that the route chooses.
  options.receive_destination = false;
  // Without it the kernel hides that a queue below the socket had no room (ENOBUFS), and what was
  // dropped there looks like the path's loss.
  options.error_queue = true;
  options.gso = role.kind == PortKind::kControl ? os::Offload::kOff : offloads.gso;
  options.gro = receives_data(role) ? offloads.gro : os::Offload::kOff;
  options.longest_datagram = std::max(kLongestPacket, receives_data(role) ? role.payload_bytes : 0);
  return options;
}

void apply(const engine::TestTerms& terms, const PortRole& role, os::UdpOptions& options) {
  const bool carries_data = terms.single_port || role.kind != PortKind::kControl;
  options.never_fragment = options.never_fragment || (carries_data && !terms.fragment);
  // Counts datagrams with ECN CE.
  options.receive_traffic_class = receives_data(role);
}

std::uint32_t receive_buffer_of(std::size_t sockets) {
  return std::max(static_cast<std::uint32_t>(kDataReceiveBuffer / sockets),
                  kLeastDataReceiveBuffer);
}

}  // namespace

bool has_single_port(const std::optional<engine::PathSetup>& path) {
  return path && path->terms.single_port;
}

std::uint32_t payload_of(const std::optional<engine::PathSetup>& path) {
  return path ? path->terms.payload_bytes : 0;
}

std::size_t socket_count(const engine::PortConfig& config) {
  if (config.side == Side::kServer || !config.path) return 1;
  const engine::TestTerms& terms = config.path->terms;
  return terms.single_port ? terms.streams : engine::path_count(config.kind, terms);
}

Result<std::vector<os::UdpSocket>> open_client_port(const engine::PortConfig& config,
                                                    const IpAddress& local,
                                                    const SocketWishes& wishes,
                                                    const os::Offloads& offloads) {
  const bool single = has_single_port(config.path);
  const PortKind kind = single ? data_port(Side::kClient) : config.kind;
  const PortRole role{Side::kClient, kind, payload_of(config.path)};
  const std::size_t count = socket_count(config);
  os::UdpOptions options = options_of(role, offloads);
  options.bind = {local, Port{0}};
  if (single || kind == PortKind::kUpload) options.peer = config.peer;
  options.interface = wishes.interface;
  options.hop_limit = wishes.hop_limit;
  options.traffic_class = wishes.traffic_class;
  options.never_fragment = wishes.never_fragment && (single || kind != PortKind::kControl);
  if (config.path) {
    apply(config.path->terms, role, options);
    if (receives_data(role) && config.path->terms.has(kind)) {
      options.receive_buffer = receive_buffer_of(count);
    }
  }
  std::vector<os::UdpSocket> sockets;
  sockets.reserve(count);
  while (sockets.size() < count) {
    auto socket = os::UdpSocket::open(options);
    if (!socket) return std::unexpected(socket.error());
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

std::expected<os::UdpSocket, os::OpenError> open_server_port(PortKind kind, const Endpoint& bind,
                                                             const os::Offloads& offloads,
                                                             const ServerPortWishes& wishes) {
  const PortRole role{Side::kServer, kind};
  os::UdpOptions options = options_of(role, offloads);
  options.bind = bind;
  options.interface = wishes.interface;
  options.traffic_class = wishes.traffic_class;
  if (receives_data(role)) options.receive_buffer = receive_buffer_of(1);
  return os::UdpSocket::try_open(options);
}

Result<os::UdpSocket> apply_terms(PortKind kind, os::UdpSocket socket,
                                  const engine::TestTerms& terms, const os::Offloads& offloads) {
  const PortRole role{Side::kServer, kind, terms.payload_bytes};
  os::UdpOptions options = options_of(role, offloads);
  options.traffic_class = terms.traffic_class;
  apply(terms, role, options);
  return os::UdpSocket::adopt(socket.release(), options);
}

Result<std::vector<os::UdpSocket>> adopt_port(const PortRole& role, std::span<os::Fd> descriptors,
                                              const os::Offloads& offloads) {
  std::vector<os::UdpSocket> sockets;
  sockets.reserve(descriptors.size());
  for (os::Fd& descriptor : descriptors) {
    auto socket = os::UdpSocket::adopt(std::move(descriptor), options_of(role, offloads));
    if (!socket) return std::unexpected(socket.error());
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

os::ReceiveBuffer make_receive_buffer(Side side, PortKind kind) {
  if (receives_data({side, kind})) return {8, os::ReceiveBuffer::kTrainSlot};
  return {16, os::ReceiveBuffer::kSmallSlot};
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
