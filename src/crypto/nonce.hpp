// Nonce: 128 random bits that mark one handshake; the client and the server draw one each (dialect
// 1, HELLO and GRANT). Not secret. Holds no randomness of its own.
#pragma once

#include <array>
#include <cstddef>

namespace wyndrvr::crypto {

using Nonce = std::array<std::byte, 16>;

}  // namespace wyndrvr::crypto
