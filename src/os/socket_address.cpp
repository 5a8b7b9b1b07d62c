#include "os/socket_address.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

namespace wyndrvr::os {

SocketAddress to_socket_address(const Endpoint& endpoint) {
  if (endpoint.address.is_v6()) return to_v6_socket_address(endpoint);
  SocketAddress out;
  out.v4 = {};
  out.v4.sin_family = AF_INET;
  out.v4.sin_port = htons(endpoint.port.value);
  out.v4.sin_addr = to_kernel_v4(endpoint.address);
  out.length = sizeof out.v4;
  return out;
}

SocketAddress to_v6_socket_address(const Endpoint& endpoint) {
  SocketAddress out;
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(endpoint.port.value);
  out.v6.sin6_addr = to_kernel_v6(endpoint.address);
  out.v6.sin6_scope_id = endpoint.address.scope;
  out.length = sizeof out.v6;
  return out;
}

std::optional<Endpoint> to_endpoint(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return Endpoint{from_kernel(v4.sin_addr), Port{ntohs(v4.sin_port)}};
  }
  if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    return Endpoint{from_kernel(v6.sin6_addr, v6.sin6_scope_id), Port{ntohs(v6.sin6_port)}};
  }
  return std::nullopt;
}

IpAddress from_kernel(const in_addr& address) {
  IpAddress out;
  std::memcpy(out.octets.data(), &address, sizeof address);
  return out;
}

IpAddress from_kernel(const in6_addr& address, std::uint32_t scope) {
  IpAddress out;
  out.family = IpAddress::Family::kV6;
  std::memcpy(out.octets.data(), &address, sizeof address);
  if (IN6_IS_ADDR_LINKLOCAL(&address)) out.scope = scope;
  return unmapped(out);
}

in_addr to_kernel_v4(const IpAddress& address) {
  in_addr out{};
  std::memcpy(&out, address.octets.data(), sizeof out);
  return out;
}

in6_addr to_kernel_v6(const IpAddress& address) {
  in6_addr out{};
  if (address.is_v6()) {
    std::memcpy(&out, address.octets.data(), sizeof out);
  } else {
    out.s6_addr[10] = out.s6_addr[11] = 0xff;
    std::memcpy(&out.s6_addr[12], address.octets.data(), sizeof(in_addr));
  }
  return out;
}

IpAddress unmapped(const IpAddress& address) {
  if (!address.is_v6()) return address;
  const in6_addr v6 = to_kernel_v6(address);
  if (!IN6_IS_ADDR_V4MAPPED(&v6)) return address;
  IpAddress out;
  std::copy(address.octets.begin() + 12, address.octets.end(), out.octets.begin());
  return out;
}

}  // namespace wyndrvr::os
