// What a server sends from its main port about a session of dialect 1, GRANT and CLOSE, and whether
// a CLOSE that came is its client's (docs/PROTOCOL.md, "Main port").
//
// Follows from the session's set-up alone, so the same GRANT can be made again, octet for octet,
// and need not be kept. Pure, allocates nothing.
#pragma once

#include <array>
#include <string_view>

#include "base/endpoint.hpp"
#include "base/units.hpp"
#include "engine/handshake_server.hpp"
#include "engine/path_setup.hpp"
#include "engine/port_kind.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::engine {

// With every field that the server knows. The ports are all the same exactly where path.terms has
// a single port.
[[nodiscard]] HandshakeAnswer make_grant(const PathSetup& path,
                                         const std::array<Port, kPortCount>& ports);

// `text` is for people; of any length and kind, what cannot be told of it is cut or replaced.
[[nodiscard]] HandshakeAnswer make_close(const PathSetup& path, wire::CloseReason reason,
                                         std::string_view text);

// Whether the client that has this session sent `close`: by its MAC, or without keys by where it
// came from. `client` is where OPEN came from.
[[nodiscard]] bool is_authentic(const wire::Close& close, const Endpoint& from,
                                const PathSetup& path, const Endpoint& client);

}  // namespace wyndrvr::engine
