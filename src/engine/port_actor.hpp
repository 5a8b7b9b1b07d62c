// PortActor: one port of a session, at either end. A pure state machine with one mailbox and one
// datagram pipe.
//
// It is the only thing that a placement moves about: to a thread or process of its own, or
// nowhere. Feed it datagrams, messages and the time; after each, drain `poll_transmit` and
// `poll_message`, and come back at `poll_deadline`. It never calls the system, reads no clock and
// knows no sockets, and shares nothing with other actors.
//
// There is one kind for each dialect, and one that carries all three ports of a session on one
// socket; make_port_actor chooses. Not thread-safe: one thread at a time.
//
// Example, the whole duty of a host:
//   actor->on_datagram(now, datagram);
//   while (auto transmit = actor->poll_transmit(now)) socket.send(*transmit);
//   while (auto mail = actor->poll_message()) route(*mail);
//   timers.set(actor->poll_deadline());
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/time.hpp"
#include "engine/client_filter.hpp"
#include "engine/config.hpp"
#include "engine/datagram.hpp"
#include "engine/gap_limits.hpp"
#include "engine/message.hpp"
#include "engine/path_setup.hpp"
#include "engine/port_kind.hpp"
#include "engine/totals.hpp"
#include "engine/unreachable.hpp"

namespace wyndrvr::engine {

struct PortConfig {
  Side side = Side::kClient;
  PortKind kind = PortKind::kControl;
  ProtocolConfig protocol;
  std::uint32_t heartbeat_key = 0;  // 0.14
  Endpoint peer;                    // client: the server's port; server: the address to expect
  Port server_port;                 // of this port, at the server
  // Octets that its socket was granted for what has not been read (SO_RCVBUF / 2); 0: not known.
  std::uint32_t receive_buffer = 0;
  std::size_t max_gaps = kMostSessionGaps;  // of received numbers, see GapLedger
  Duration idle_timeout = 30s;              // silence that is worth a PortSilent
  Duration max_test_duration = 1h;
  std::optional<std::uint64_t> heartbeat_count;  // client
  Duration clock_offset{};                       // WallClock
  Instant start;
  std::uint64_t seed = 0;
  std::optional<PathSetup> path;  // dialect 1; absent: 0.14
  // Server, dialect 1: whose addresses a path may come from; null: everybody's. In 0.14 they come
  // from `peer` alone.
  std::shared_ptr<const ClientFilter> clients;
};

class PortActor {
 public:
  // Datagrams of one transmit, at most.
  static constexpr std::size_t kMaxBatchPackets = kMaxTransmitPackets;

  PortActor() = default;
  virtual ~PortActor() = default;
  PortActor(const PortActor&) = delete;
  PortActor& operator=(const PortActor&) = delete;

  virtual void on_datagram(Instant now, const Datagram& datagram) = 0;
  // `to` is the mailbox of one of the ports that this actor carries.
  virtual void on_message(Instant now, Mailbox from, Mailbox to, const Message& message) = 0;
  virtual void on_timer(Instant now) = 0;

  // What became of a transmit: the kernel's stamp of it, or that it was refused.
  virtual void on_transmit_stamp(std::uint32_t token, Instant stamp) = 0;
  virtual void on_send_failed(TransmitKind kind, std::uint64_t packets) = 0;
  virtual void on_send_blocked(TransmitKind kind) = 0;
  // This host or the network says that the peer cannot be reached.
  virtual void on_peer_unreachable(Instant now, Unreachable cause) = 0;
  // The network says that a link on the way is too narrow.
  virtual void on_packet_too_big(Instant now, const TooBig& told) = 0;

  // Heartbeats first, then control, then reports, then data, `most_data` datagrams of it at most.
  // The view is valid until the next call.
  [[nodiscard]] virtual std::optional<Transmit> poll_transmit(
      Instant now, std::size_t most_data = kMaxBatchPackets) = 0;
  [[nodiscard]] virtual std::optional<Outgoing> poll_message() = 0;
  [[nodiscard]] virtual std::optional<Deadline> poll_deadline(Instant now) const = 0;

  [[nodiscard]] virtual DropCounts drops() const = 0;
};

// The actor of one port; or, for the three of a session of dialect 1 on a single port, one that
// carries them all.
[[nodiscard]] std::unique_ptr<PortActor> make_port_actor(std::span<const PortConfig> configs);

}  // namespace wyndrvr::engine
