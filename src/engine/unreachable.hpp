// Why a datagram does not get to its peer, as far as this host or the network says so.
//
// An enum: app/ makes the words. What ICMP says may be forged, so it names a cause and decides
// nothing on its own (SilenceWatch, RefusalWatch).
#pragma once

#include <cstdint>
#include <optional>

namespace wyndrvr::engine {

enum class Unreachable : std::uint8_t {
  // --- the peer's host (ICMP) ---
  kNobodyListens,  // port unreachable
  kNoProtocol,     // protocol unreachable: no UDP there
  // --- this host: the datagram never left it ---
  kLocalFirewall,     // EPERM, or an ICMP rejection that this host has sent to itself
  kNoRoute,           // ENETUNREACH
  kUnreachableRoute,  // EHOSTUNREACH: a route of type `unreachable`
  kProhibitedRoute,   // EACCES: a route of type `prohibit`, or a broadcast address
  kBlackholeRoute,    // EINVAL: a route of type `blackhole`
  kNoNeighbour,       // nobody answers ARP or neighbour discovery
  kNoSourceAddress,   // EADDRNOTAVAIL
  kInterfaceDown,     // ENETDOWN, ENODEV, ENXIO
  kTooLong,           // EMSGSIZE
  kNotSent,           // another error of this host's
  // --- the way there (ICMP) ---
  kNetUnreachable,
  kHostUnreachable,
  kProhibitedOnTheWay,  // administratively prohibited, or rejected by somebody before the peer
  kTimeExceeded,        // the hop limit ran out
};
inline constexpr Unreachable kLastUnreachable = Unreachable::kTimeExceeded;

// This host's own word, which nobody can have forged.
[[nodiscard]] constexpr bool is_local(Unreachable cause) {
  return cause >= Unreachable::kLocalFirewall && cause <= Unreachable::kNotSent;
}

// Keeps in `known` the better explanation of the two. This host's own word explains what ICMP says.
// A local firewall that rejects sends this host an ICMP error of any kind, so it explains all
// others. Whoever keeps causes forgets them once the peer is heard.
constexpr void keep_cause(std::optional<Unreachable>& known, Unreachable told) {
  if (known == Unreachable::kLocalFirewall) return;
  if (!known || is_local(told) || !is_local(*known)) known = told;
}

}  // namespace wyndrvr::engine
