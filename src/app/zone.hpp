// Addresses and networks with a zone, `fe80::1%eth0` and `fe80::%eth0/64`, as they are written.
//
// A zone is the name or the number of an interface (RFC 4007 section 11). Which interfaces there
// are is not known here: app/scope makes addresses of these. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/endpoint.hpp"
#include "base/ip_network.hpp"
#include "base/result.hpp"

namespace wyndrvr::app {

struct ZonedAddress {
  IpAddress address;  // without a scope
  std::string zone;   // empty: none
  bool operator==(const ZonedAddress&) const = default;
};

struct ZonedNetwork {
  IpNetwork network;  // without a scope
  std::string zone;   // empty: of any link
  bool operator==(const ZonedNetwork&) const = default;
};

// What Linux takes for the name of an interface (dev_valid_name), or a number of one.
[[nodiscard]] bool may_be_interface(std::string_view name);

// Nothing for what is no address; IPv4 has no zones.
[[nodiscard]] std::optional<ZonedAddress> parse_zoned_ip(std::string_view text);

// Errors as parse_network.
[[nodiscard]] Result<ZonedNetwork> parse_zoned_network(std::string_view text);

}  // namespace wyndrvr::app
