#include "engine/first_packet.hpp"

#include <algorithm>

#include "crypto/path_nonces.hpp"
#include "crypto/session_keys.hpp"
#include "engine/path_packets.hpp"
#include "wire/header.hpp"
#include "wire/heartbeat.hpp"
#include "wire/path_heartbeat.hpp"

namespace wyndrvr::engine {

FirstPacket::FirstPacket(const SessionSetup& setup) : setup_(setup) {
  if (!setup.path) return;
  for (const PortKind kind : kPortKinds) {
    auto& nonces = nonces_[index_of(kind)];
    const std::size_t paths = path_count(kind, setup.path->terms);
    nonces.reserve(paths);
    for (std::size_t i = 0; i < paths; ++i) {
      nonces.push_back({crypto::client_path_nonce(setup.path->handshake, path_id(kind, i))});
    }
  }
}

bool FirstPacket::admits(PortKind kind, const Endpoint& from, ByteView datagram) const {
  if (from.address != setup_.client.address || from.port.value == 0) return false;
  return setup_.path ? is_of_path(kind, datagram) : is_original(datagram);
}

bool FirstPacket::is_original(ByteView datagram) const {
  const auto packet = wire::parse_packet(datagram);
  return packet && packet->header.type == wire::MessageType::kHeartbeat0 &&
         packet->header.channel.value == setup_.heartbeat_key &&
         wire::parse_heartbeat0(packet->body).has_value();
}

bool FirstPacket::is_of_path(PortKind kind, ByteView datagram) const {
  const auto type = wire::path_type(datagram);
  if (!type || *type != wire::PathType::kHeartbeat0) return false;
  ByteView covered = datagram;
  if (setup_.path->keys) {
    const auto verified = crypto::verified_packet(setup_.path->keys->client_to_server,
                                                  setup_.ports[index_of(kind)], datagram);
    if (!verified) return false;
    covered = *verified;
  }
  const auto packet = wire::parse_path_packet(covered);
  if (!packet || !wire::parse_path_heartbeat0(packet->body)) return false;
  const std::size_t port = port_of(kind, packet->header.channel);
  return port < kPortCount && std::ranges::count(nonces_[port], packet->nonce) > 0;
}

std::size_t FirstPacket::port_of(PortKind kind, ChannelId channel) const {
  if (setup_.path->terms.single_port) return std::min<std::size_t>(channel.value, kPortCount);
  return channel.value == 0 ? index_of(kind) : kPortCount;
}

}  // namespace wyndrvr::engine
