// A name looked up while signals are heeded: getaddrinfo(3) may take a minute and cannot be ended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "os/signals.hpp"

namespace wyndrvr::app {

// Nothing where a signal came first; it is taken. Numeric addresses are not looked up.
[[nodiscard]] std::optional<Result<std::vector<Endpoint>>> resolve_aside(const std::string& host,
                                                                         Port port,
                                                                         os::SignalFd& signals);

}  // namespace wyndrvr::app
