#include "app/unreachable_text.hpp"

#include <fmt/format.h>

namespace wyndrvr::app {
namespace {

using engine::Unreachable;

struct CauseText {
  std::string_view name;
  std::string_view words;
};

CauseText text_of(Unreachable cause) {
  switch (cause) {
    case Unreachable::kNobodyListens:
      return {"nobody_listens", "nobody listens there (ICMP port unreachable)"};
    case Unreachable::kNoProtocol:
      return {"no_protocol", "that host takes no UDP (ICMP protocol unreachable)"};
    case Unreachable::kLocalFirewall:
      return {"local_firewall", "Operation not permitted: does a local firewall drop it?"};
    case Unreachable::kNoRoute:
      return {"no_route", "Network is unreachable: this host has no route to it"};
    case Unreachable::kUnreachableRoute:
      return {"unreachable_route",
              "No route to host: this host's routing table declares it unreachable"};
    case Unreachable::kProhibitedRoute:
      return {"prohibited_route",
              "Permission denied: this host's routing table prohibits it, or it is a broadcast "
              "address"};
    case Unreachable::kBlackholeRoute:
      return {"blackhole_route", "Invalid argument: does a blackhole route of this host drop it?"};
    case Unreachable::kNoNeighbour:
      return {"no_neighbour",
              "No route to host: no neighbour answers ARP or neighbour discovery for it or its "
              "gateway; is that host up?"};
    case Unreachable::kNoSourceAddress:
      return {"no_source_address",
              "Cannot assign requested address: this host has no address to send from"};
    case Unreachable::kInterfaceDown:
      return {"interface_down", "Network is down: is the interface up?"};
    case Unreachable::kTooLong:
      return {"too_long", "Message too long: the datagram does not fit the path"};
    case Unreachable::kNotSent:
      return {"not_sent", "this host cannot send to it"};
    case Unreachable::kNetUnreachable:
      return {"net_unreachable",
              "Network is unreachable: a router on the way has no route to it (ICMP net "
              "unreachable)"};
    case Unreachable::kHostUnreachable:
      return {"host_unreachable",
              "No route to host: a router on the way cannot reach that host (ICMP host "
              "unreachable)"};
    case Unreachable::kProhibitedOnTheWay:
      return {"prohibited_on_the_way",
              "a firewall on the way or at the server rejects it (ICMP administratively "
              "prohibited)"};
    case Unreachable::kTimeExceeded:
      return {"time_exceeded",
              "the hop limit ran out on the way (ICMP time exceeded): is --ttl too small, or do "
              "routers send it in circles?"};
  }
  return {"unknown", "it cannot be reached"};
}

}  // namespace

std::string_view words_of(Unreachable cause) {
  return text_of(cause).words;
}

std::string_view name_of(Unreachable cause) {
  return text_of(cause).name;
}

std::string problem_text(const engine::Problem& problem) {
  std::string text = problem.message;
  // "Nobody listens on ..." says it all.
  const bool said = problem.code == engine::ProblemCode::kNoAnswer &&
                    problem.cause == Unreachable::kNobodyListens;
  if (problem.cause && !said) text += fmt::format(": {}", words_of(*problem.cause));
  if (problem.count > 1) text += fmt::format(" ({} times)", problem.count);
  return text;
}

}  // namespace wyndrvr::app
