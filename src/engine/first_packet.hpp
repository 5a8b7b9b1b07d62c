// Whether a datagram is its client's first on the ports of a session that has not been launched:
// the only thing that a session's actors, threads or processes are started for.
//
// It comes from the address that the session was given to, on a port of the session, and is a
// HEARTBEAT_0 that shows what only who has read the server's answer knows: KEY in 0.14; in dialect
// 1 the path's nonce, and with keys a right MAC. A client sends one at once on each port, and
// repeats it, so none is lost by waiting for the first that is right. Pure; allocates nothing after
// construction.
//
// Example:
//   const FirstPacket first(setup);
//   if (first.admits(PortKind::kUpload, from, octets)) launch();
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "engine/acceptor.hpp"
#include "engine/port_kind.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine {

class FirstPacket {
 public:
  explicit FirstPacket(const SessionSetup& setup);

  // `kind`: whose socket it came to; of a single port, that of any.
  [[nodiscard]] bool admits(PortKind kind, const Endpoint& from, ByteView datagram) const;

 private:
  [[nodiscard]] bool is_original(ByteView datagram) const;
  [[nodiscard]] bool is_of_path(PortKind kind, ByteView datagram) const;
  // The port that a heartbeat's channel names; kPortCount for none.
  [[nodiscard]] std::size_t port_of(PortKind kind, ChannelId channel) const;

  SessionSetup setup_;
  std::array<std::vector<wire::PathNonce>, kPortCount> nonces_;  // dialect 1: the client's
};

}  // namespace wyndrvr::engine
