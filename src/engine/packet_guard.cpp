#include "engine/packet_guard.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace wyndrvr::engine {

PacketGuard::PacketGuard(const Options& options) : options_(options) {
  if (!options.keys) return;
  const bool client = options.side == Side::kClient;
  outgoing_ = client ? options.keys->client_to_server : options.keys->server_to_client;
  incoming_ = client ? options.keys->server_to_client : options.keys->client_to_server;
  windows_.resize(wire::kLastStreamChannel + 1);
}

std::expected<ByteView, wire::DropReason> PacketGuard::open(wire::PathType type,
                                                            ByteView datagram) const {
  if (!options_.keys) return datagram;
  const bool is_data = type == wire::PathType::kData;
  if (is_data && !options_.data_tags) return datagram;
  const auto covered = is_data ? crypto::verified_data(incoming_, options_.server_port, datagram)
                               : crypto::verified_packet(incoming_, options_.server_port, datagram);
  if (!covered) return std::unexpected(wire::DropReason::kWrongMac);
  return *covered;
}

std::size_t PacketGuard::open_data(ByteView datagrams, std::size_t size, std::size_t count) const {
  if (!options_.keys || !options_.data_tags) return count;
  for (std::size_t i = 0; i < count; ++i) {
    if (!open(wire::PathType::kData, datagrams.subspan(i * size, size))) return i;
  }
  return count;
}

bool PacketGuard::accept(const wire::PathPacket& packet) {
  if (windows_.empty() || packet.header.type == wire::PathType::kData) return true;
  return windows_.at(packet.header.channel.value).accept(packet.header.seq.value);
}

std::size_t PacketGuard::seal(MutableByteView buffer, std::size_t size) const {
  if (!options_.keys) return size;
  const crypto::Mac mac =
      crypto::packet_mac(outgoing_, options_.server_port, ByteView(buffer).first(size));
  WYNDRVR_CHECK(buffer.size() >= size + mac.size());
  std::ranges::copy(mac, buffer.subspan(size).begin());
  return size + mac.size();
}

void PacketGuard::tag(MutableByteView datagrams, std::size_t datagram_size) const {
  if (!options_.keys || !options_.data_tags) return;
  for (std::size_t at = 0; at < datagrams.size(); at += datagram_size) {
    const MutableByteView datagram = datagrams.subspan(at, datagram_size);
    const std::size_t covered = datagram_size - sizeof(crypto::DataTag);
    const crypto::DataTag tag =
        crypto::data_tag(outgoing_, options_.server_port, ByteView(datagram).first(covered));
    std::ranges::copy(tag, datagram.subspan(covered).begin());
  }
}

}  // namespace wyndrvr::engine
