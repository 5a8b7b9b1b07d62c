// Between our `Endpoint` and the kernel's sockaddr_in and sockaddr_in6.
//
// IPv4-mapped IPv6 addresses (RFC 4291 section 2.5.5.2) exist only on the kernel's side of this
// file: reading turns them into IPv4, and writing for a dual-stack socket makes them.
#pragma once

#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/endpoint.hpp"

namespace wyndrvr::os {

struct SocketAddress {
  union {
    sockaddr generic;
    sockaddr_in v4;
    sockaddr_in6 v6{};
  };
  socklen_t length = 0;
};

// In the endpoint's own family.
[[nodiscard]] SocketAddress to_socket_address(const Endpoint& endpoint);
// For an AF_INET6 socket: an IPv4 address becomes an IPv4-mapped one.
[[nodiscard]] SocketAddress to_v6_socket_address(const Endpoint& endpoint);
// Nothing for any family but IPv4 and IPv6.
[[nodiscard]] std::optional<Endpoint> to_endpoint(const sockaddr& address);

[[nodiscard]] IpAddress from_kernel(const in_addr& address);
// `scope` is kept only where the address needs one (link-local, RFC 4007).
[[nodiscard]] IpAddress from_kernel(const in6_addr& address, std::uint32_t scope);
[[nodiscard]] in_addr to_kernel_v4(const IpAddress& address);
// An IPv4 address becomes an IPv4-mapped one.
[[nodiscard]] in6_addr to_kernel_v6(const IpAddress& address);

// An IPv4-mapped IPv6 address as the IPv4 address that it stands for; any other as it is.
[[nodiscard]] IpAddress unmapped(const IpAddress& address);

}  // namespace wyndrvr::os
