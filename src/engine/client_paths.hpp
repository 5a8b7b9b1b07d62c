// The client's side of the paths of one port: one for each of its sockets, each proven by a
// three-way heartbeat of its own (docs/PROTOCOL.md, "Heartbeats"). Only the first path's round
// trips are measured; the others' heartbeats keep their paths known.
//
// A path's nonce at the server changes where a NAT between has rebound: the next answer brings the
// new one. So heartbeats are sent at once where a path goes silent in a test (nudge). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/heartbeat_client.hpp"
#include "engine/path_packets.hpp"
#include "engine/path_setup.hpp"
#include "engine/port_kind.hpp"
#include "engine/wall_clock.hpp"
#include "wire/drop_reason.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine {

class ClientPaths {
 public:
  // A path that seems to be gone is asked for so often.
  static constexpr Duration kNudgeInterval = 200ms;
  // Nobody says that a path's first HEARTBEAT_2 has arrived, so it is sent again, so often and as
  // far apart as HELLO is. Without that a lost one leaves the server without proof until the next
  // heartbeat, which may be later than it waits for it.
  static constexpr unsigned kMoreConfirmations = 10;
  static constexpr Duration kFirstWait = 100ms;  // doubles up to kLongestWait
  static constexpr Duration kLongestWait = 500ms;

  struct Options {
    PortKind kind = PortKind::kControl;
    Endpoint server;  // this port of it
    Duration heartbeat_interval = 5s;
    std::optional<std::uint64_t> heartbeat_count;
    WallClock clock;
    Instant start;
  };
  struct Answered {
    std::size_t path = 0;
    bool first = false;  // the path is proven by it
    bool moved = false;  // its nonce at the server is another one than before
    RoundTrip round_trip;
    bool loaded = false;
  };

  ClientPaths(const PathSetup& setup, const Options& options);

  // HEARTBEAT_1.
  [[nodiscard]] std::expected<Answered, wire::DropReason> on_answer(Instant now,
                                                                    const Datagram& datagram,
                                                                    const wire::PathPacket& packet);
  // The path that a packet of another type came by; nothing where its nonce is not the path's.
  [[nodiscard]] std::optional<std::size_t> identify(const Datagram& datagram,
                                                    wire::PathNonce nonce) const;
  void on_transmit_stamp(std::uint32_t token, Instant stamp) {
    paths_.front().heartbeats.on_transmit_stamp(token, stamp);
  }
  void on_timer(Instant now);
  // Nothing comes back on this path any more.
  void nudge(std::size_t path, Instant now);
  void send_now(Instant now);
  void stop(Instant now);

  [[nodiscard]] std::optional<PathHeartbeat> poll_heartbeat(Instant now);
  [[nodiscard]] std::optional<Deadline> deadline() const;

  // How the server is reached on a proven path.
  [[nodiscard]] std::optional<PathTarget> target(std::size_t path) const;
  [[nodiscard]] bool all_proven() const;
  [[nodiscard]] std::size_t size() const { return paths_.size(); }
  // Of the path that is measured.
  [[nodiscard]] PathHeartbeatClient& measured() { return paths_.front().heartbeats; }

 private:
  struct Confirmation {
    std::uint64_t server_time_ns = 0;
    Instant arrival;  // of the answer that it confirms
    unsigned left = kMoreConfirmations;
    Duration wait = kFirstWait;
    Instant next;
  };
  struct Path {
    wire::PathNonce mine;
    std::optional<wire::PathNonce> servers;
    std::uint64_t answered_time_ns = 0;  // the server's, in the answer that `servers` is from
    PathHeartbeatClient heartbeats;
    std::optional<Instant> nudged;
    std::optional<Confirmation> again;
  };

  [[nodiscard]] static std::optional<wire::PathHeartbeat2> poll_confirmation(Instant now,
                                                                             Path& path);

  Endpoint server_;
  std::vector<Path> paths_;
  // Since the paths were asked last they were told nothing, and nothing was to be sent until then.
  std::optional<Instant> quiet_until_;
};

}  // namespace wyndrvr::engine
