// OriginalPort: a port of a 0.14 session, at either end.
//
// What it is made of: the heartbeat half of its side, and, by kind, the control half (control
// port) or the data half (upload port: the client sends, the server receives). Datagrams allocate
// nothing after warm-up, reports (FLOW_CONTROL) do, ten a second.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
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
#include "engine/port_actor.hpp"
#include "engine/silence_watch.hpp"
#include "engine/socket_drop_meter.hpp"
#include "engine/wall_clock.hpp"
#include "wire/header.hpp"

namespace wyndrvr::engine {

class OriginalPort final : public PortActor {
 public:
  explicit OriginalPort(const PortConfig& config);

  void on_datagram(Instant now, const Datagram& datagram) override;
  void on_message(Instant now, Mailbox from, Mailbox to, const Message& message) override;
  void on_timer(Instant now) override;
  void on_transmit_stamp(std::uint32_t token, Instant stamp) override;
  void on_send_failed(TransmitKind kind, std::uint64_t packets) override;
  void on_send_blocked(TransmitKind kind) override;
  void on_peer_unreachable(Instant now, Unreachable cause) override;
  void on_packet_too_big(Instant now, const TooBig& told) override;
  [[nodiscard]] std::optional<Transmit> poll_transmit(
      Instant now, std::size_t most_data = kMaxBatchPackets) override;
  [[nodiscard]] std::optional<Outgoing> poll_message() override { return mail_.pop(); }
  [[nodiscard]] std::optional<Deadline> poll_deadline(Instant now) const override;
  [[nodiscard]] DropCounts drops() const override { return drops_; }

 private:
  using Verdict = std::expected<void, wire::DropReason>;

  // port_actor_input.cpp
  [[nodiscard]] bool on_segment(Instant now, const Datagram& segment);
  [[nodiscard]] std::size_t take_run(const Datagram& first, ByteView datagrams);
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
  [[nodiscard]] Verdict on_bandwidth_test(Instant now, const Datagram& segment,
                                          const wire::Packet& packet);
  [[nodiscard]] Verdict on_control(Instant now, const wire::Packet& packet);
  [[nodiscard]] Verdict on_test_result(const wire::Packet& packet);
  void tell_round_trip();
  void start_test(const TestPlan& plan);
  void tell_when_done();

  // port_actor.cpp
  [[nodiscard]] std::optional<Transmit> poll_heartbeat(Instant now);
  [[nodiscard]] std::size_t write_affordable(wire::HeartbeatReply body);
  [[nodiscard]] std::optional<Transmit> poll_control(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_report(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_data(Instant now, std::size_t most);
  void poll_data_messages(Instant now);
  void report_totals();
  [[nodiscard]] Transmit make_packet(wire::MessageType type, ChannelId channel,
                                     std::size_t body_size, const Endpoint& to);
  [[nodiscard]] MutableByteView body_space();
  void drop(wire::DropReason reason, std::uint64_t datagrams = 1);

  PortConfig config_;
  PeerPath path_;
  Mail mail_;
  // Those that its side and kind have, and those that its test has: most ports have one of them.
  std::unique_ptr<HeartbeatClient> heartbeat_client_;
  std::unique_ptr<HeartbeatServer> heartbeat_server_;
  std::unique_ptr<ControlClient> control_client_;
  std::unique_ptr<ControlServer> control_server_;
  std::unique_ptr<DataSender> sender_;
  std::optional<BatchBuffer> batch_;          // the sender's
  std::optional<seq::GapBudget> gap_budget_;  // the receiver's
  std::unique_ptr<DataReceiver> receiver_;
  SocketDropMeter socket_drops_;
  std::optional<Duration> least_path_rtt_;  // what is granted depends on it
  DropCounts drops_{};
  SilenceWatch silence_;
  std::uint64_t heartbeat_seq_ = 0;  // datagrams sent on the heartbeat channel
  std::uint64_t test_seq_ = 0;       // datagrams sent on the test's channel, data packets apart
  bool heartbeats_done_ = false;
  bool answered_ = false;  // client: the server has been heard on this port
  // The confirmation that proves the port to the server may be lost, so more than one is padded.
  static constexpr unsigned kPaddedAfterAnswer = 64;
  unsigned padded_left_ = kPaddedAfterAnswer;
  std::array<std::byte, wire::kMaxPacketSize> packet_{};
};

}  // namespace wyndrvr::engine
