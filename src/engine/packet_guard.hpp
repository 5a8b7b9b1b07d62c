// What guards the packets of one port of a dialect-1 session where there are keys: MACs and tags on
// the way out, their check and the replay windows on the way in (docs/PROTOCOL.md, "Keys").
// Without keys it lets everything pass as it is. Pure; allocates nothing after construction.
//
// Example:
//   const auto type = wire::path_type(datagram);
//   const auto covered = guard.open(*type, datagram);   // kWrongMac
//   const auto packet = wire::parse_path_packet(*covered);
//   if (!guard.accept(*packet)) return drop(DropReason::kReplayed);
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/units.hpp"
#include "crypto/session_keys.hpp"
#include "engine/port_kind.hpp"
#include "seq/replay_window.hpp"
#include "wire/drop_reason.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine {

class PacketGuard {
 public:
  struct Options {
    Side side = Side::kClient;
    Port server_port;
    std::optional<crypto::SessionKeys> keys;
    bool data_tags = false;
  };
  // Octets that seal() adds, at most.
  static constexpr std::size_t kMaxSeal = sizeof(crypto::Mac);

  explicit PacketGuard(const Options& options);

  // The datagram without its MAC or tag. Error: kWrongMac.
  [[nodiscard]] std::expected<ByteView, wire::DropReason> open(wire::PathType type,
                                                               ByteView datagram) const;
  // Of `count` DATA of `size` octets each, at the front of `datagrams`: how many open() lets
  // through until the first one that it does not.
  [[nodiscard]] std::size_t open_data(ByteView datagrams, std::size_t size,
                                      std::size_t count) const;
  // Whether it is the first one with its number, of a datagram that open() let through. Copies and
  // order of DATA are measured, and so always accepted.
  [[nodiscard]] bool accept(const wire::PathPacket& packet);

  // Puts the MAC behind the first `size` octets, which must have room for it behind them. Returns
  // the length of the whole.
  [[nodiscard]] std::size_t seal(MutableByteView buffer, std::size_t size) const;
  // Writes each DATA's tag over its last octets, where tags were granted.
  void tag(MutableByteView datagrams, std::size_t datagram_size) const;

 private:
  Options options_;
  crypto::DirectionKey outgoing_;
  crypto::DirectionKey incoming_;
  std::vector<seq::ReplayWindow> windows_;  // by channel; empty without keys
};

}  // namespace wyndrvr::engine
