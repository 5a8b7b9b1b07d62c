// What this host knows of the route to a peer, above all its MTU and what that leaves to UDP.
//
// It asks the host's own tables and sends nothing, so a narrow link further on is not known here
// until its ICMP message has come. Such a message may be forged, down to 552 octets (IPv4) or 1,280
// (IPv6): good for choosing a size, not a proof that the path carries no more. Thread-safe.
//
// Example: const auto mtu = route_mtu(server, std::nullopt);
//          if (mtu) payload = max_udp_payload(*mtu, server.address.is_v6());
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {

// Octets, IP header included, as the kernel has it for the route to the peer (IP_MTU, ip(7)): the
// interface's, a smaller one set for the route, or one learnt from ICMP. `local` is the source
// address where one is wanted, of the peer's family (`0.0.0.0` and `::` want none); `interface` as
// in UdpOptions.
[[nodiscard]] Result<std::uint32_t> route_mtu(const Endpoint& peer,
                                              const std::optional<IpAddress>& local,
                                              const std::string& interface = {});

// The largest UDP payload that is not fragmented: the MTU less 20 octets of IPv4 or 40 of IPv6 and
// 8 of UDP, 0 where nothing is left; IP options and extension headers, which we never send, would
// take more. At most 65,507, over IPv6 too: that is what IPv4's 16-bit total length leaves
// (RFC 791) and the largest payload that this program sends. IPv6 could carry 65,527.
[[nodiscard]] std::uint32_t max_udp_payload(std::uint32_t mtu, bool v6);

// What to ask the host's routes about.
struct RouteQuestion {
  Endpoint peer;                        // port 0 stands for any
  std::optional<IpAddress> local = {};  // of the peer's family; absent or any: the kernel's choice
  std::string interface = {};           // see UdpOptions
};
// A socket connected to the peer, to ask the kernel of: connecting UDP looks up the route and sends
// nothing. Errors begin with `purpose`.
[[nodiscard]] Result<Fd> connect_towards(const RouteQuestion& question, std::string_view purpose);

}  // namespace wyndrvr::os
