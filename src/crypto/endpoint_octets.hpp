// The octets that stand for an endpoint in what is hashed: in cookies and in the server's path
// nonces (docs/PROTOCOL.md, COOKIE and Heartbeats). Pure; any thread may call it.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +---------------+-----------------------------------------------+
// |  family: 4, 6 |   address, 128 bits; IPv4 mapped (RFC 4291,   |
// +---------------+   2.5.5.2) ...                                |
// |                                                               |
// +---------------+-----------------------------------------------+
// |               |   scope of a link-local address, 32 bits, ...
// +---------------+-------------------------------+
// |   else 0      |            port               |
// +---------------+-------------------------------+
#pragma once

#include <array>
#include <cstddef>

#include "base/endpoint.hpp"

namespace wyndrvr::crypto {

inline constexpr std::size_t kEndpointOctetsSize = 1 + 16 + 4 + 2;

// Two hosts on two links may have the same link-local address, so only the scope tells them apart.
[[nodiscard]] std::array<std::byte, kEndpointOctetsSize> endpoint_octets(const Endpoint& endpoint);

}  // namespace wyndrvr::crypto
