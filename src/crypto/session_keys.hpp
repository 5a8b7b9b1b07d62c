// The keys of dialect 1 and what is authenticated with them (docs/PROTOCOL.md, Keys).
//
// A key from the key file is never used on a packet. From it come: a key for OPEN, one for REFUSE
// (which is sent where no session is), and for each session one key for each direction. A MAC under
// a direction's key also covers the server's port, so that a packet of one port means nothing on
// another. What is a replay is not known here: that is seq::ReplayWindow, asked only about packets
// whose MAC was right.
//
// A packet with its MAC:
//
// +----------------------------------------------------+---------------------------+
// |  what is covered: all that stands before the MAC   |  MAC (16), data: tag (8)  |
// +----------------------------------------------------+---------------------------+
//
// On the main port this is the part that counts (L octets), without the zeros after it. Pure,
// allocates nothing; any thread may call it.
//
// Example:
//   const SessionKeys keys = derive_session_keys(key, handshake);
//   const auto covered = verified_packet(keys.client_to_server, control_port, datagram);
//   if (!covered) return drop(DropReason::kWrongMac);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "crypto/nonce.hpp"
#include "crypto/secret.hpp"

namespace wyndrvr::crypto {

inline constexpr std::size_t kKeySize = 32;  // octets, of keys in files and of derived ones

// One key of a key file.
struct Key {
  std::uint32_t id = 0;
  Secret<kKeySize> octets;
};

// Types of their own, so that none is used for another's packets.
struct OpenKey {
  Secret<kKeySize> octets;
};
struct RefuseKey {
  Secret<kKeySize> octets;
};
struct DirectionKey {
  Secret<kKeySize> octets;
};

struct SessionKeys {
  DirectionKey client_to_server;
  DirectionKey server_to_client;
};

// What GRANT has made known to both sides. Fresh from both, so that neither side can be made to
// take packets of an earlier session.
struct Handshake {
  Nonce client_nonce{};
  Nonce server_nonce{};
  std::uint64_t session = 0;
};

[[nodiscard]] OpenKey derive_open_key(const Key& key);
[[nodiscard]] RefuseKey derive_refuse_key(const Key& key);
[[nodiscard]] SessionKeys derive_session_keys(const Key& key, const Handshake& handshake);

using Mac = std::array<std::byte, 16>;
using DataTag = std::array<std::byte, 8>;

// `covered` is what stands before the MAC; of OPEN that ends with the key id.
[[nodiscard]] Mac open_mac(const OpenKey& key, ByteView covered);
[[nodiscard]] Mac refuse_mac(const RefuseKey& key, ByteView covered);
[[nodiscard]] Mac packet_mac(const DirectionKey& key, Port server_port, ByteView covered);
// The first octets of packet_mac. So any packet with a MAC, less its last 8 octets, has a right
// tag: ask for a tag by the packet's type, which is covered, and never because a MAC did not fit.
[[nodiscard]] DataTag data_tag(const DirectionKey& key, Port server_port, ByteView covered);

// What stands before the MAC or tag that `packet` ends with; nothing when that is wrong, or the
// packet shorter than it. MACs are compared in constant time.
[[nodiscard]] std::optional<ByteView> verified_open(const OpenKey& key, ByteView packet);
[[nodiscard]] std::optional<ByteView> verified_refuse(const RefuseKey& key, ByteView packet);
[[nodiscard]] std::optional<ByteView> verified_packet(const DirectionKey& key, Port server_port,
                                                      ByteView packet);
[[nodiscard]] std::optional<ByteView> verified_data(const DirectionKey& key, Port server_port,
                                                    ByteView packet);

}  // namespace wyndrvr::crypto
