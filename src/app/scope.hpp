// From what a person wrote, a name, an address or a zone, to addresses with their scope and the one
// interface to use: the rules are those of docs/adr/0021.
//
// A link-local address belongs to an interface, which a zone names, or --interface. The zone of any
// other address stands for --interface: all is sent and received there. Asks the host for its
// interfaces, and the resolver.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/setting_value.hpp"
#include "app/zone.hpp"
#include "base/endpoint.hpp"
#include "base/ip_network.hpp"
#include "base/result.hpp"

namespace wyndrvr::app {

// What a run has said of interfaces so far.
struct Scope {
  std::string interface = {};  // of all sockets; empty: any
  std::uint32_t link = 0;      // that link-local addresses without a zone are of; 0: not said
};

// The scope of a run whose setting `interface` that is, empty for none. A name that this host does
// not have is left to the socket, which says so.
[[nodiscard]] Scope scope_of(const std::string& interface);

// The address with its scope; the zone of one that is not link-local becomes scope.interface.
// An error is a clause that follows the address in a message: the zone is unknown, the interface is
// not the run's, or the interface of a link-local address is not named.
[[nodiscard]] Result<IpAddress> settle(const ZonedAddress& written, Scope& scope);

// The endpoints that a name or a numeric address stands for, of one family where it is named.
struct Locating {
  std::string_view host;
  Port port;
  std::optional<IpAddress::Family> family = {};
};
// Nothing for a name.
[[nodiscard]] std::optional<Result<std::vector<Endpoint>>> locate_numeric(const Locating& wanted,
                                                                          Scope& scope);
// What the resolver has said of a name, in its order. Link-local ones whose interface nobody has
// named are left out; where there is no other, that is an error.
[[nodiscard]] Result<std::vector<Endpoint>> place(const Locating& wanted,
                                                  std::vector<Endpoint> resolved,
                                                  const Scope& scope);
// Both, with the resolver in between: blocks as os::resolve().
[[nodiscard]] Result<std::vector<Endpoint>> locate(const Locating& wanted, Scope& scope);

// Errors name the network.
[[nodiscard]] Result<std::vector<IpNetwork>> settle(const Networks& written);

}  // namespace wyndrvr::app
