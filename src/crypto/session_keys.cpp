#include "crypto/session_keys.hpp"

#include <algorithm>
#include <string_view>

#include "crypto/blake2b.hpp"

namespace wyndrvr::crypto {
namespace {

constexpr std::string_view kOpenLabel = "wyndrvr open 1";
constexpr std::string_view kRefuseLabel = "wyndrvr refuse 1";
constexpr std::string_view kSessionLabel = "wyndrvr session 1";

Secret<kKeySize> derive(const Key& key, std::string_view label) {
  Secret<kKeySize> derived;
  keyed_hash_into(derived.writable(), key.octets.view(), {as_bytes(label)});
  return derived;
}

// `expected` tells from what is covered what the end of the packet ought to be.
template <std::size_t kEndSize, class Expected>
std::optional<ByteView> verified(ByteView packet, Expected expected) {
  if (packet.size() < kEndSize) return std::nullopt;
  const ByteView covered = packet.first(packet.size() - kEndSize);
  const std::array<std::byte, kEndSize> end = expected(covered);
  return equal(end, packet.last(kEndSize)) ? std::optional(covered) : std::nullopt;
}

void copy(ByteView from, MutableByteView to) {
  std::ranges::copy(from, to.begin());
}

}  // namespace

OpenKey derive_open_key(const Key& key) {
  return {derive(key, kOpenLabel)};
}

RefuseKey derive_refuse_key(const Key& key) {
  return {derive(key, kRefuseLabel)};
}

SessionKeys derive_session_keys(const Key& key, const Handshake& handshake) {
  std::array<std::byte, sizeof handshake.session> session;
  base::store_big_endian(session.data(), handshake.session, session.size());
  Secret<2 * kKeySize> both;
  keyed_hash_into(
      both.writable(), key.octets.view(),
      {as_bytes(kSessionLabel), handshake.client_nonce, handshake.server_nonce, session});
  SessionKeys keys;
  copy(both.view().first(kKeySize), keys.client_to_server.octets.writable());
  copy(both.view().last(kKeySize), keys.server_to_client.octets.writable());
  return keys;
}

Mac open_mac(const OpenKey& key, ByteView covered) {
  return keyed_hash<sizeof(Mac)>(key.octets.view(), {covered});
}

Mac refuse_mac(const RefuseKey& key, ByteView covered) {
  return keyed_hash<sizeof(Mac)>(key.octets.view(), {covered});
}

Mac packet_mac(const DirectionKey& key, Port server_port, ByteView covered) {
  std::array<std::byte, sizeof server_port.value> port;
  base::store_big_endian(port.data(), server_port.value, port.size());
  return keyed_hash<sizeof(Mac)>(key.octets.view(), {port, covered});
}

DataTag data_tag(const DirectionKey& key, Port server_port, ByteView covered) {
  const Mac mac = packet_mac(key, server_port, covered);
  DataTag tag;
  copy(ByteView(mac).first(tag.size()), tag);
  return tag;
}

std::optional<ByteView> verified_open(const OpenKey& key, ByteView packet) {
  return verified<sizeof(Mac)>(packet, [&](ByteView covered) { return open_mac(key, covered); });
}

std::optional<ByteView> verified_refuse(const RefuseKey& key, ByteView packet) {
  return verified<sizeof(Mac)>(packet, [&](ByteView covered) { return refuse_mac(key, covered); });
}

std::optional<ByteView> verified_packet(const DirectionKey& key, Port server_port,
                                        ByteView packet) {
  return verified<sizeof(Mac)>(
      packet, [&](ByteView covered) { return packet_mac(key, server_port, covered); });
}

std::optional<ByteView> verified_data(const DirectionKey& key, Port server_port, ByteView packet) {
  return verified<sizeof(DataTag)>(
      packet, [&](ByteView covered) { return data_tag(key, server_port, covered); });
}

}  // namespace wyndrvr::crypto
