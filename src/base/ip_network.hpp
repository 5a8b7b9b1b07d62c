// IpNetwork: an address and the length of the prefix that it shares with its network.
//
// For lists of who may come, and for limits that hold for a network as a whole. Knows nothing of
// interfaces and routes. An IPv4-mapped IPv6 address counts as the IPv4 address that it stands for,
// so no list can be passed by in the other notation. Plain values; any thread may call it.
//
// Example:
//   Result<IpNetwork> office = parse_network("10.0.0.0/8");
//   if (office && contains(*office, client.address)) ...
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/endpoint.hpp"
#include "base/result.hpp"

namespace wyndrvr {

struct IpNetwork {
  IpAddress address;        // the bits behind the prefix are 0
  std::uint8_t prefix = 0;  // bits: 0 to 32 or 128
  bool operator==(const IpNetwork&) const = default;
};

// "10.0.0.0/8", "2001:db8::/32", "fe80::%2/64"; a bare address is a network of its own. Error: what
// is not one, also where bits behind the prefix are set.
[[nodiscard]] Result<IpNetwork> parse_network(std::string_view text);
// As parse_network reads it, always with the prefix.
[[nodiscard]] std::string to_string(const IpNetwork& network);

// Never across families. A network without a scope contains addresses of every link. One with a
// scope contains those of that link: the address's own scope says it, or `interface`, which it came
// in by. Where neither is told (0), the address alone decides.
[[nodiscard]] bool contains(const IpNetwork& network, const IpAddress& address,
                            std::uint32_t interface = 0);

// An address of many hosts by its form: multicast (RFC 5771; RFC 4291 section 2.7), or IPv4's
// limited broadcast (RFC 919). A subnet's broadcast address and an anycast one look like any other.
[[nodiscard]] bool is_group_address(const IpAddress& address);

// What one site has at least: a /24 of IPv4, a /64 of IPv6 (RFC 6177), on the address's link.
[[nodiscard]] IpNetwork network_of(const IpAddress& address);

}  // namespace wyndrvr
