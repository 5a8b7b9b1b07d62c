// How the sockets of a session's ports are opened, at either end.
//
// A port has one socket, but for a client's in dialect 1: its ports for data have one for each
// stream, so that every stream has a source port of its own. Where a session has a single port, the
// same sockets serve all three.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "engine/path_setup.hpp"
#include "engine/port_actor.hpp"
#include "engine/port_kind.hpp"
#include "os/fd.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::runtime {

// Octets; what the receiver of data asks for, of all the sockets of a port together. A smaller one
// loses datagrams that the path did not.
inline constexpr std::uint32_t kDataReceiveBuffer = 32U << 20U;
// The least that one of many sockets asks for: 16 ms at 1 Gbit/s.
inline constexpr std::uint32_t kLeastDataReceiveBuffer = 2U << 20U;
// Of one port: one for each stream (wire::SessionFields::kMaxStreams).
inline constexpr std::size_t kMaxPortSockets = 64;

// Whether the three ports of a session are one.
[[nodiscard]] bool has_single_port(const std::optional<engine::PathSetup>& path);
// 1 to kMaxPortSockets; of a single port, for all three.
[[nodiscard]] std::size_t socket_count(const engine::PortConfig& config);

// All of a port's sockets, in the order of the streams. Of a single port, `config` is any of the
// three.
[[nodiscard]] Result<std::vector<os::UdpSocket>> open_client_port(
    const engine::PortConfig& config, const IpAddress& local, const SocketWishes& wishes,
    const os::Offloads& offloads = {});
// What a server's operator, and a client of 0.14, want of a server's port.
struct ServerPortWishes {
  std::string interface = {};      // as in ServerRun
  std::uint8_t traffic_class = 0;  // of what it sends, until its session's terms say another
};
// A single port is opened as that of uploads.
[[nodiscard]] std::expected<os::UdpSocket, os::OpenError> open_server_port(
    engine::PortKind kind, const Endpoint& bind, const os::Offloads& offloads,
    const ServerPortWishes& wishes = {});
// The same socket, with what the terms of its session ask of it.
[[nodiscard]] Result<os::UdpSocket> apply_terms(engine::PortKind kind, os::UdpSocket socket,
                                                const engine::TestTerms& terms,
                                                const os::Offloads& offloads);
// Whose sockets they are. A single port counts as the one that data arrives on.
struct PortRole {
  engine::Side side = engine::Side::kClient;
  engine::PortKind kind = engine::PortKind::kControl;
  std::uint32_t payload_bytes = 0;  // of the test; 0 in 0.14
};
// Sockets that were opened by one of the above, in the hands of another process or thread.
[[nodiscard]] Result<std::vector<os::UdpSocket>> adopt_port(const PortRole& role,
                                                            std::span<os::Fd> descriptors,
                                                            const os::Offloads& offloads);
// As PortRole has it.
[[nodiscard]] std::uint32_t payload_of(const std::optional<engine::PathSetup>& path);
// What the loop of one such port receives into, whatever the terms.
[[nodiscard]] os::ReceiveBuffer make_receive_buffer(engine::Side side, engine::PortKind kind);
// What the kernel gave the socket.
[[nodiscard]] HostFacts facts_of(const os::UdpSocket& socket);

}  // namespace wyndrvr::runtime
