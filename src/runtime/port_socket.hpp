// How the sockets of a session's ports are opened, at either end.
#pragma once

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "engine/port_kind.hpp"
#include "os/fd.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::runtime {

// Octets; what the receiver of data asks for. A smaller one loses datagrams that the path did not.
inline constexpr std::uint32_t kDataReceiveBuffer = 32U << 20U;

[[nodiscard]] Result<os::UdpSocket> open_client_port(engine::PortKind kind, const IpAddress& local);
[[nodiscard]] Result<os::UdpSocket> open_server_port(engine::PortKind kind, const Endpoint& bind);
// A port's socket that one of the two above opened, in the hands of another process or thread.
[[nodiscard]] Result<os::UdpSocket> adopt_port(engine::Side side, engine::PortKind kind, os::Fd fd);
// What the loop of one such port receives into.
[[nodiscard]] os::ReceiveBuffer make_receive_buffer(engine::Side side, engine::PortKind kind);
// What the kernel gave the socket.
[[nodiscard]] HostFacts facts_of(const os::UdpSocket& socket);

}  // namespace wyndrvr::runtime
