#include "os/route_mtu.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "os/socket_address.hpp"
#include "os/system_failure.hpp"
#include "os/udp_setup.hpp"

namespace wyndrvr::os {
namespace {

Result<void> bind_source(int descriptor, const IpAddress& local, std::string_view purpose) {
  const SocketAddress address = to_socket_address({local, Port{0}});
  if (::bind(descriptor, &address.generic, address.length) == 0) return {};
  const int error = errno;
  return fail("{}: bind {}: {}{}", purpose, to_string(local), error_text(error),
              error == EADDRNOTAVAIL ? "; `ip address` lists this host's addresses" : "");
}

}  // namespace

Result<std::uint32_t> route_mtu(const Endpoint& peer, const std::optional<IpAddress>& local,
                                const std::string& interface) {
  const std::string purpose =
      fmt::format("cannot tell the MTU of the route to {}", to_string(peer.address));
  const auto fd = connect_towards({.peer = peer, .local = local, .interface = interface}, purpose);
  if (!fd) return std::unexpected(fd.error());
  const bool v6 = unmapped(peer.address).is_v6();
  int mtu = 0;
  socklen_t length = sizeof mtu;
  if (getsockopt(fd->get(), v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &length) != 0) {
    return system_failure(purpose, v6 ? "getsockopt IPV6_MTU" : "getsockopt IP_MTU");
  }
  return static_cast<std::uint32_t>(mtu);
}

Result<Fd> connect_towards(const RouteQuestion& question, std::string_view purpose) {
  const IpAddress peer = unmapped(question.peer.address);
  const auto local =
      question.local.and_then([](const IpAddress& given) -> std::optional<IpAddress> {
        return given.is_unspecified() ? std::nullopt : std::optional(unmapped(given));
      });
  if (local && local->is_v6() != peer.is_v6()) {
    return fail("{}: {} is an address of the other family", purpose, to_string(*local));
  }
  Fd fd(::socket(peer.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return system_failure(purpose, "socket");
  auto bound = bind_to_interface(fd.get(), question.interface, purpose);
  if (bound && local) bound = bind_source(fd.get(), *local, purpose);
  if (!bound) return std::unexpected(std::move(bound.error()));

  const Port port = question.peer.port.value == 0 ? Port{9} : question.peer.port;  // 9: discard
  const SocketAddress address = to_socket_address({peer, port});
  if (::connect(fd.get(), &address.generic, address.length) != 0) {
    return system_failure(purpose, "connect");
  }
  return fd;
}

std::uint32_t max_udp_payload(std::uint32_t mtu, bool v6) {
  constexpr std::uint32_t kLargest = 65'507;
  const std::uint32_t headers = (v6 ? 40 : 20) + 8;
  return mtu > headers ? std::min(mtu - headers, kLargest) : 0;
}

}  // namespace wyndrvr::os
