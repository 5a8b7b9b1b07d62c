// What the paths of a port and the port itself have to say to each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/endpoint.hpp"
#include "crypto/path_nonces.hpp"
#include "engine/path_setup.hpp"
#include "engine/port_kind.hpp"
#include "wire/path_heartbeat.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine {

// Where a packet for the other end of a path goes, and the nonce that it must carry.
struct PathTarget {
  Endpoint to;
  std::uint8_t flow = 0;
  wire::PathNonce nonce;
};

struct PathHeartbeat {
  PathTarget target;
  std::variant<wire::PathHeartbeat0, wire::PathHeartbeat1, wire::PathHeartbeat2> body;
  std::optional<std::uint32_t> token;  // wants the kernel's transmit stamp under this name
};

// Sockets of a client's port, and so paths of it.
[[nodiscard]] inline std::size_t path_count(PortKind kind, const TestTerms& terms) {
  return kind == PortKind::kControl ? 1 : terms.streams;
}

[[nodiscard]] inline crypto::PathId path_id(PortKind kind, std::size_t path) {
  return {static_cast<std::uint8_t>(index_of(kind)), static_cast<std::uint16_t>(path)};
}

// Heartbeats, control and results. Streams are numbered from 1; on a single port the ports'
// heartbeats are told apart by their channel.
[[nodiscard]] inline ChannelId plain_channel(PortKind kind, const TestTerms& terms) {
  return {terms.single_port ? static_cast<std::uint32_t>(index_of(kind)) : 0U};
}
[[nodiscard]] inline ChannelId stream_channel(std::size_t path) {
  return {static_cast<std::uint32_t>(path) + wire::kFirstStreamChannel};
}
// The path that a stream with this channel has; of any other channel, one that there is not.
[[nodiscard]] inline std::size_t path_of_stream(ChannelId channel) {
  return channel.value - std::size_t{wire::kFirstStreamChannel};
}

}  // namespace wyndrvr::engine
