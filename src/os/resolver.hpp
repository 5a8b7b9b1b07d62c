// From a host's name or numeric address to the endpoints to try, in order.
//
// Blocks for as long as the system's resolver does (resolv.conf(5): 10 s and more when DNS is
// dead), so call it before the loop starts. Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "base/endpoint.hpp"
#include "base/result.hpp"

namespace wyndrvr::os {

// A numeric address stands for itself; an IPv6 zone may be an interface's name ("fe80::1%eth0").
// A name is looked up (getaddrinfo(3)): at least one endpoint, without duplicates, in the order of
// preference (RFC 6724). Errors name the host and what to check.
[[nodiscard]] Result<std::vector<Endpoint>> resolve(std::string_view host, Port port);

}  // namespace wyndrvr::os
