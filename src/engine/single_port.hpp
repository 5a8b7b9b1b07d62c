// SinglePort: the three ports of a dialect-1 session on one socket (docs/PROTOCOL.md, "Single
// port"). Each datagram goes to the one that its type and channel name.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "engine/path_port.hpp"
#include "engine/port_actor.hpp"

namespace wyndrvr::engine {

class SinglePort final : public PortActor {
 public:
  // Of all three, in the order of PortKind.
  explicit SinglePort(std::span<const PortConfig, kPortCount> configs);

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
  [[nodiscard]] std::optional<Outgoing> poll_message() override;
  [[nodiscard]] std::optional<Deadline> poll_deadline(Instant now) const override;
  // Of all three together.
  [[nodiscard]] DropCounts drops() const override;

 private:
  [[nodiscard]] PathPort& port_for(ByteView datagram);

  Side side_;
  std::array<PathPort, kPortCount> ports_;
  std::size_t last_data_ = 0;  // that sent data last
  std::size_t first_asked_ = 0;
};

}  // namespace wyndrvr::engine
