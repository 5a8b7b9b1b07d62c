// The path nonces of dialect 1, one for each path and direction (docs/PROTOCOL.md, Heartbeats).
// What is sent to a side carries that side's nonce, so whoever cannot read the path cannot send.
//
// The client's follow from the handshake: both sides know them once GRANT has been seen, so a
// server that gets one in HEARTBEAT_0 knows which path is meant, and nobody knows them who has not
// seen the handshake. The server's follow from its secret and the client's endpoint: the server
// keeps nothing for a path that is not proven, and a client whose endpoint changes gets another
// one. Whether a nonce that came is the right one is for the engine.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +---------------------------------------------------------------+
// |   "wyndrvr client path 1" or "wyndrvr server path 1" ...
// +---------------------------------------------------------------+
// |   client's: session, 64 bits; server's: endpoint (as endpoint_octets.hpp has it) ...
// +---------------+-------------------------------+---------------+
// |     port      |            stream             |
// +---------------+-------------------------------+
//
// Hashed with BLAKE2b-64 under client nonce and server nonce, or under the secret; the hash's first
// octet is the number's most significant. Pure, allocates nothing; any thread may call it.
#pragma once

#include <cstdint>

#include "base/endpoint.hpp"
#include "crypto/secret.hpp"
#include "crypto/session_keys.hpp"

namespace wyndrvr::crypto {

// One path of a session, by the client's socket and the server's port.
struct PathId {
  std::uint8_t port = 0;     // 0 CONTROL, 1 UPLOAD, 2 DOWNLOAD
  std::uint16_t stream = 0;  // 0 for CONTROL, and for the first of a port
  bool operator==(const PathId&) const = default;
};

[[nodiscard]] std::uint64_t client_path_nonce(const Handshake& handshake, PathId path);
// `secret` is drawn at random for each session; `client` is where the path's datagrams come from.
[[nodiscard]] std::uint64_t server_path_nonce(const Secret<32>& secret, const Endpoint& client,
                                              PathId path);

}  // namespace wyndrvr::crypto
