// PathPort: a port of a dialect-1 session, at either end (docs/PROTOCOL.md, "The three ports").
//
// What it is made of: the paths of its side; a guard, which knows the session's keys; and, by kind,
// the control of tests (control port) or the streams of one (upload: the client sends, the server
// receives; download: the other way). Nothing is sent on a path but heartbeats before it is proven,
// and no data without a grant. Datagrams allocate nothing after a test's start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "engine/client_paths.hpp"
#include "engine/datagram.hpp"
#include "engine/mail.hpp"
#include "engine/message.hpp"
#include "engine/packet_guard.hpp"
#include "engine/port_actor.hpp"
#include "engine/server_paths.hpp"
#include "engine/silence_watch.hpp"
#include "engine/stream_set.hpp"
#include "engine/test_control.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine {

class PathPort final : public PortActor {
 public:
  explicit PathPort(const PortConfig& config);

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

  // path_port_input.cpp
  [[nodiscard]] bool on_segment(Instant now, const Datagram& segment);
  [[nodiscard]] std::size_t take_run(const Datagram& first, ByteView datagrams);
  [[nodiscard]] Verdict handle(Instant now, const Datagram& segment);
  [[nodiscard]] Verdict dispatch(Instant now, const Datagram& segment,
                                 const wire::PathPacket& packet);
  [[nodiscard]] Verdict on_heartbeat(Instant now, const Datagram& segment,
                                     const wire::PathPacket& packet);
  [[nodiscard]] Verdict on_heartbeat_1(Instant now, const Datagram& segment,
                                       const wire::PathPacket& packet);
  [[nodiscard]] Verdict on_heartbeat_2(const Datagram& segment, const wire::PathPacket& packet);
  [[nodiscard]] Verdict on_stream_packet(Instant now, const Datagram& segment,
                                         const wire::PathPacket& packet);
  [[nodiscard]] Verdict on_control(Instant now, const Datagram& segment,
                                   const wire::PathPacket& packet);
  void on_path_changed(std::size_t path, bool first);
  [[nodiscard]] std::optional<std::size_t> stream_of(const Datagram& buffer) const;
  [[nodiscard]] std::optional<std::size_t> identify(const Datagram& segment,
                                                    const wire::PathPacket& packet) const;

  // path_port.cpp
  void on_data_message(Instant now, const Message& message);
  void start_test(const TestPlan& plan);
  void on_round_trip(Duration round_trip);
  void tell_when_ready();
  void tell_when_done();
  void report_totals(Instant now);
  void nudge_silent_paths(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_heartbeat(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_control(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_report(Instant now);
  [[nodiscard]] std::optional<Transmit> poll_data(Instant now, std::size_t most);
  [[nodiscard]] std::optional<PathTarget> target(std::size_t path) const;
  [[nodiscard]] bool all_proven() const;
  // The body stands in packet_ already, behind the prefix.
  [[nodiscard]] Transmit make_packet(wire::PathType type, ChannelId channel, std::size_t body_size,
                                     const PathTarget& target);
  [[nodiscard]] MutableByteView body_space();
  void drop(wire::DropReason reason, std::uint64_t datagrams = 1);

  PortConfig config_;
  Mail mail_;
  PacketGuard guard_;
  std::optional<ClientPaths> client_paths_;
  std::optional<ServerPaths> server_paths_;
  std::unique_ptr<TestControl> control_;  // of the control port alone
  std::unique_ptr<StreamSet> streams_;    // while there is a test
  DropCounts drops_{};
  SilenceWatch silence_;
  std::optional<Duration> least_round_trip_;
  Instant next_look_;                    // after the client's paths, while a test runs
  std::vector<std::uint64_t> next_seq_;  // by channel; data counts for itself
  bool ready_told_ = false;
  bool heartbeats_done_ = false;
  std::array<std::byte, wire::kMaxPacketSize> packet_{};
};

}  // namespace wyndrvr::engine
