// `[addr]:[port]`: whom to measure, or where a server listens.
//
// Parses only: names are resolved by os/resolver. Forms: `host`, `host:port`, `:port`, `host:`,
// `[::1]:6711`, `[::1]`, and a bare IPv6 address.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/units.hpp"

namespace wyndrvr::app {

// Parts that were left out are absent. The host is a name or an address without brackets.
struct Target {
  std::optional<std::string> host;
  std::optional<Port> port;  // 0 is let through: a server may ask for any free port
  bool operator==(const Target&) const = default;
};

[[nodiscard]] Result<Target> parse_target(std::string_view text);

// The rules for a name or address alone; the failure says what is wrong with it.
[[nodiscard]] Result<std::string> parse_host(std::string_view text);

// "host:port", with brackets around an IPv6 address.
[[nodiscard]] std::string join_host_port(std::string_view host, Port port);

}  // namespace wyndrvr::app
