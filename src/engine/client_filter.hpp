// Whom a server serves at all: the networks of `allow` and `deny`.
//
// Holds for every datagram that opens something or is answered: those of the main port, and those
// by which a path of a session is proven or moves to another address. Plain value, shared by all
// sessions of a process; any thread may read it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/endpoint.hpp"
#include "base/ip_network.hpp"

namespace wyndrvr::engine {

struct ClientFilter {
  // Of each list: every worker gets both, and every heartbeat is compared with them.
  static constexpr std::size_t kMostNetworks = 1024;

  std::vector<IpNetwork> allow;  // where it is not empty: nobody else
  std::vector<IpNetwork> deny;   // nobody of these, also within `allow`
  bool operator==(const ClientFilter&) const = default;

  // `interface`: that its datagram came in by; 0: not known, then a network's zone counts for
  // link-local addresses only, which bring their own.
  [[nodiscard]] bool admits(const IpAddress& address, std::uint32_t interface = 0) const {
    const auto holds = [&](const IpNetwork& network) {
      return contains(network, address, interface);
    };
    if (std::ranges::any_of(deny, holds)) return false;
    return allow.empty() || std::ranges::any_of(allow, holds);
  }
};

}  // namespace wyndrvr::engine
