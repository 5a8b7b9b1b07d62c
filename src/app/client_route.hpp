// What the way to the server leaves to a client: which of the server's addresses it can use, and
// how long its datagrams may be.
//
// Asks nobody: what the routes carry is an argument. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "engine/config.hpp"

namespace wyndrvr::app {

// The servers that can be sent to from `local`: those of its family. Error: `host` has none.
[[nodiscard]] Result<std::vector<Endpoint>> servers_from(const std::optional<IpAddress>& local,
                                                         std::vector<Endpoint> servers,
                                                         std::string_view host);

struct Route {
  Endpoint server;
  std::optional<std::uint32_t> mtu;  // octets, IP header included; absent where nobody knows
};

// Makes the datagrams of a test fit the routes to `config.servers`, one of which each `Route` is.
// `chosen` is the setting that chose their length, as Settings::describe has it: then servers that
// they do not fit on the way to are left out. Empty: the length is made to fit all of them.
// Error: nothing is left.
[[nodiscard]] Result<void> fit_payload(engine::ClientConfig& config, std::span<const Route> routes,
                                       const std::string& chosen);

}  // namespace wyndrvr::app
