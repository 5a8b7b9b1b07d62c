// The server's side of the paths of one port: who may be written to, and where
// (docs/PROTOCOL.md, "Heartbeats").
//
// A path is known by its client's nonce, which follows from the handshake; a HEARTBEAT_0 with any
// other is dropped. Its own nonce follows from the endpoint that it answers to, so nothing is kept
// for an endpoint that has not proven itself, and a HEARTBEAT_2 from elsewhere moves the path only
// where it echoes what was sent there. Pure; allocates nothing after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "engine/client_filter.hpp"
#include "engine/datagram.hpp"
#include "engine/heartbeat_server.hpp"
#include "engine/path_packets.hpp"
#include "engine/path_setup.hpp"
#include "engine/port_kind.hpp"
#include "engine/wall_clock.hpp"
#include "wire/drop_reason.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine {

class ServerPaths {
 public:
  struct Confirmed {
    std::size_t path = 0;
    bool first = false;                // the path was not proven before
    bool moved = false;                // it was proven elsewhere
    std::optional<Duration> rtt;       // a sample: absent where the client may have repeated it
    std::optional<Duration> path_rtt;  // without the client's turnaround, as far as is known
  };

  // `clients`: from whose addresses paths may be proven; null: from everybody's.
  ServerPaths(const PathSetup& setup, PortKind kind, WallClock clock,
              std::shared_ptr<const ClientFilter> clients = nullptr);

  // Error: kWrongNonce, kStranger, kBadBody, kQueueFull.
  [[nodiscard]] std::expected<void, wire::DropReason> on_heartbeat_0(
      const Datagram& datagram, const wire::PathPacket& packet);
  // Error: kWrongNonce, kStranger, kBadBody, and those of a confirmation that proves nothing.
  [[nodiscard]] std::expected<Confirmed, wire::DropReason> on_heartbeat_2(
      const Datagram& datagram, const wire::PathPacket& packet);
  // As in ClientPaths: of proven paths. The `likely` one is looked at first.
  [[nodiscard]] std::optional<std::size_t> identify(const Datagram& datagram, wire::PathNonce nonce,
                                                    std::size_t likely) const;
  void on_transmit_stamp(std::uint32_t token, Instant stamp) {
    heartbeats_.on_transmit_stamp(token, stamp);
  }

  [[nodiscard]] std::optional<PathHeartbeat> poll_heartbeat(Instant now);
  [[nodiscard]] std::optional<PathTarget> target(std::size_t path) const;
  [[nodiscard]] bool all_proven() const;
  [[nodiscard]] std::size_t size() const { return paths_.size(); }
  [[nodiscard]] const stats::RunningStats& rtt_ns() const { return heartbeats_.rtt_ns(); }

 private:
  struct Path {
    wire::PathNonce clients;
    std::optional<Endpoint> proven;
    wire::PathNonce mine;                 // at `proven`
    std::uint64_t confirmed_time_ns = 0;  // ours, in the newest confirmation
    std::uint64_t proven_time_ns = 0;     // ours, when it was proven, or moved
  };

  [[nodiscard]] bool is_welcome(const Datagram& datagram) const {
    return clients_ == nullptr || clients_->admits(datagram.from.address);
  }
  [[nodiscard]] std::optional<std::size_t> find(wire::PathNonce clients) const;
  [[nodiscard]] bool is_from(std::size_t path, const Datagram& datagram,
                             wire::PathNonce nonce) const;
  [[nodiscard]] wire::PathNonce nonce_at(const Endpoint& endpoint, std::size_t path) const;

  crypto::Secret<32> secret_;
  PortKind kind_;
  WallClock clock_;
  std::shared_ptr<const ClientFilter> clients_;
  std::vector<Path> paths_;
  PathHeartbeatServer heartbeats_;
};

}  // namespace wyndrvr::engine
