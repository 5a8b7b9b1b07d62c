// PortActor: one port of a session, at either end. A pure state machine with one mailbox and one
// datagram pipe.
//
// It is the only thing that a placement moves about: to a thread or process of its own, or
// nowhere. Feed it datagrams, messages and the time; after each, drain `poll_transmit` and
// `poll_message`, and come back at `poll_deadline`. It never calls the system, reads no clock and
// knows no sockets, and shares nothing with other actors.
//
// What it is made of: the heartbeat half of its side, and, by kind, the control half (control
// port) or the data half (upload port: the client sends, the server receives).
//
// Not thread-safe: one thread at a time. Datagrams allocate nothing after warm-up, reports
// (FLOW_CONTROL) do, ten a second.
//
// Example, the whole duty of a host:
//   actor.on_datagram(now, datagram);
//   while (auto transmit = actor.poll_transmit(now)) socket.send(*transmit);
//   while (auto mail = actor.poll_message()) route(*mail);
//   timers.set(actor.poll_deadline());
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "engine/config.hpp"
#include "engine/control_client.hpp"
#include "engine/control_server.hpp"
#include "engine/data_receiver.hpp"
#include "engine/data_sender.hpp"
#include "engine/datagram.hpp"
#include "engine/heartbeat_client.hpp"
#include "engine/heartbeat_server.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "engine/peer_path.hpp"
#include "engine/wall_clock.hpp"
#include "wire/header.hpp"

namespace wyndrvr::engine {

struct PortConfig {
  Side side = Side::kClient;
  PortKind kind = PortKind::kControl;
  ProtocolConfig protocol;
  std::uint32_t heartbeat_key = 0;
  Endpoint peer;                // client: the server's port; server: the address to expect
  Duration idle_timeout = 30s;  // silence that is worth a PortSilent
  Duration max_test_duration = 1h;
  std::optional<std::uint64_t> heartbeat_count;  // client
  Duration clock_offset{};                       // WallClock
  Instant start;
  std::uint64_t seed = 0;
};

class PortActor {
 public:
  static constexpr Duration kUnreachablePatience = 3s;

  explicit PortActor(const PortConfig& config);
  PortActor(const PortActor&) = delete;
  PortActor& operator=(const PortActor&) = delete;

  void on_datagram(Instant now, const Datagram& datagram);
  void on_message(Instant now, Mailbox from, const Message& message);
  void on_timer(Instant now);

  // What became of a transmit: the kernel's stamp of it, or that it was refused.
  void on_transmit_stamp(std::uint32_t token, Instant stamp);
  void on_send_failed(TransmitKind kind, std::uint64_t packets);
  void on_send_blocked(TransmitKind kind);
  // The network says that nobody listens at the peer's end (ICMP). Anyone can say so, so a client
  // believes it only of a peer that has been silent for kUnreachablePatience as well.
  void on_peer_unreachable(Instant now);

  // Heartbeats first, then control, then reports, then data, `most_data` datagrams of it at most.
  // The view is valid until the next call.
  [[nodiscard]] std::optional<Transmit> poll_transmit(
      Instant now, std::size_t most_data = DataSender::kMaxBatchPackets);
  [[nodiscard]] std::optional<Outgoing> poll_message() { return mail_.pop(); }
  [[nodiscard]] std::optional<Deadline> poll_deadline(Instant now) const;

  [[nodiscard]] const DropCounts& drops() const { return drops_; }
  [[nodiscard]] PortKind kind() const { return config_.kind; }

 private:
  using Verdict = std::expected<void, wire::DropReason>;

  // port_actor_input.cpp
  void on_segment(Instant now, const Datagram& segment);
  [[nodiscard]] Verdict handle(Instant now, const Datagram& segment);
  [[nodiscard]] Verdict handle_at_client(Instant now, const Datagram& segment,
                                         const wire::Packet& packet);
  [[nodiscard]] Verdict handle_at_server(Instant now, const Datagram& segment,
                                         const wire::Packet& packet);
  [[nodiscard]] Verdict on_heartbeat_0(const Datagram& segment, const wire::Packet& packet);
  [[nodiscard]] Verdict on_heartbeat_1(Instant now, const Datagram& segment,
                                       const wire::Packet& packet);
  [[nodiscard]] Verdict on_heartbeat_2(const Datagram& segment, const wire::Packet& packet);
  [[nodiscard]] Verdict on_flow_control(Instant now, const wire::Packet& packet);
  [[nodiscard]] Verdict on_bandwidth_test(const Datagram& segment, const wire::Packet& packet);
  [[nodiscard]] Verdict on_control(Instant now, const wire::Packet& packet);
  [[nodiscard]] Verdict on_test_result(const wire::Packet& packet);
  void on_heard(Instant now);
  void start_test(const TestPlan& plan);
  void on_silence();
  void tell_when_done();

  // port_actor.cpp
  [[nodiscard]] std::optional<Transmit> poll_heartbeat(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_control(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_report(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_data(Instant now, std::size_t most);
  void poll_data_messages(Instant now);
  void report_totals();
  [[nodiscard]] Transmit make_packet(wire::MessageType type, ChannelId channel,
                                     std::size_t body_size, const Endpoint& to);
  [[nodiscard]] MutableByteView body_space();
  void drop(wire::DropReason reason);

  PortConfig config_;
  PeerPath path_;
  Mail mail_;
  std::optional<HeartbeatClient> heartbeat_client_;
  std::optional<HeartbeatServer> heartbeat_server_;
  std::optional<ControlClient> control_client_;
  std::optional<ControlServer> control_server_;
  std::optional<DataSender> sender_;
  std::optional<DataReceiver> receiver_;
  DropCounts drops_{};
  Instant last_heard_;
  std::uint64_t heartbeat_seq_ = 0;  // datagrams sent on the heartbeat channel
  std::uint64_t test_seq_ = 0;       // datagrams sent on the test's channel, data packets apart
  bool silent_ = false;
  bool heartbeats_done_ = false;
  std::array<std::byte, wire::kMaxPacketSize> packet_{};
};

}  // namespace wyndrvr::engine
