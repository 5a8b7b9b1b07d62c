#include "runtime/unreachable_cause.hpp"

#include <cerrno>

namespace wyndrvr::runtime {

using engine::Unreachable;

Unreachable cause_of_send_error(int error) {
  switch (error) {
    case EPERM:
      return Unreachable::kLocalFirewall;
    case ENETUNREACH:
      return Unreachable::kNoRoute;
    case EHOSTUNREACH:
      return Unreachable::kUnreachableRoute;
    case EACCES:
      return Unreachable::kProhibitedRoute;
    case EINVAL:
      return Unreachable::kBlackholeRoute;
    case EADDRNOTAVAIL:
      return Unreachable::kNoSourceAddress;
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
      return Unreachable::kInterfaceDown;
    case EMSGSIZE:
      return Unreachable::kTooLong;
    case ECONNREFUSED:
      return Unreachable::kNobodyListens;
    default:
      return Unreachable::kNotSent;
  }
}

Unreachable cause_of_icmp(const os::PeerUnreachable& error, const std::optional<IpAddress>& local) {
  // To a server on this very host, the server's word and this host's are one.
  const bool by_peer = !error.by || *error.by == error.peer.address;
  const bool by_us = !by_peer && local && *error.by == *local;
  switch (error.icmp) {
    case os::IcmpError::kPort:
      // "Port unreachable" is what firewalls reject with, unless they are told otherwise.
      if (by_peer) return Unreachable::kNobodyListens;
      return by_us ? Unreachable::kLocalFirewall : Unreachable::kProhibitedOnTheWay;
    case os::IcmpError::kProhibited:
      return by_us ? Unreachable::kLocalFirewall : Unreachable::kProhibitedOnTheWay;
    case os::IcmpError::kHost:
      return by_us ? Unreachable::kNoNeighbour : Unreachable::kHostUnreachable;
    case os::IcmpError::kNet:
      return by_us ? Unreachable::kNoRoute : Unreachable::kNetUnreachable;
    case os::IcmpError::kProtocol:
      return Unreachable::kNoProtocol;
    case os::IcmpError::kTime:
      return Unreachable::kTimeExceeded;
    case os::IcmpError::kOther:
      break;
  }
  return error.error == ECONNREFUSED ? Unreachable::kNobodyListens : Unreachable::kNetUnreachable;
}

}  // namespace wyndrvr::runtime
