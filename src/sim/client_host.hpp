// A client's host: carries out what the real ClientSession wants, with three real actors.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/client_session.hpp"
#include "sim/host.hpp"
#include "sim/mailroom.hpp"
#include "sim/network.hpp"
#include "sim/port_host.hpp"
#include "sim/truth.hpp"

namespace wyndrvr::sim {

class ClientHost : public Host, public Socket {
 public:
  ClientHost(Environment& environment, std::size_t index);

  // What the world makes happen.
  void start();
  void stop();
  // The loop of one of its ports ends here and now.
  void lose(engine::PortKind port);
  // A NAT between gives the flows of one of its ports other ports.
  void rebind(engine::PortKind port);
  void on_arrival(PacketPtr packet) override;  // at the main socket
  void on_unreachable(const Endpoint& by) override;

  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] const ClientScenario& scenario() const {
    return environment().scenario.clients[index_];
  }
  [[nodiscard]] const Endpoint& main_endpoint() const { return main_; }
  [[nodiscard]] std::vector<Endpoint> open_ports() const;
  // Nothing before its start.
  [[nodiscard]] const std::optional<engine::ClientSession>& session() const { return session_; }
  [[nodiscard]] bool finished() const { return finished_at_.has_value(); }
  [[nodiscard]] std::optional<TrueTime> finished_at() const { return finished_at_; }
  [[nodiscard]] const engine::SessionResult& result() const { return session_->result(); }
  // Whether an answer of the server reached it.
  [[nodiscard]] bool was_answered() const { return was_answered_; }
  // Whether an ENDED or a CLOSE reached it, from wherever.
  [[nodiscard]] bool heard_ended() const { return heard_ended_; }
  // Of which its coordinator has heard.
  [[nodiscard]] const PortLossTruth* loss() const {
    return loss_ && finished() && loss_->told <= *finished_at_ ? &*loss_ : nullptr;
  }
  [[nodiscard]] static std::string cause_of_loss(engine::PortKind port);
  [[nodiscard]] ClientTruth& truth() { return truth_; }
  [[nodiscard]] const ClientTruth& truth() const { return truth_; }
  [[nodiscard]] const UploadTruth& upload() const { return truth_.upload; }
  [[nodiscard]] Link& uplink() const { return *uplink_; }
  // That carries this port; nothing before there are ports.
  [[nodiscard]] PortHost* port(engine::PortKind kind) const;

 private:
  void settle();
  void carry_out(const engine::ClientSessionEffect& effect);
  void send_main(const engine::SendMain& datagram);
  void open_ports(const engine::OpenPorts& wanted);
  void make_port(const std::vector<engine::PortKind>& kinds);
  [[nodiscard]] PortWatch::Options watch_options(const engine::PortConfig& config);
  // Where the ports have sockets, and an actor, of their own.
  [[nodiscard]] bool has_single_port() const;
  void note_handshake(const Packet& packet);
  void on_letter(engine::Mailbox from, engine::Mailbox to, const engine::Message& message);
  void note_report(const engine::Report& report);
  void on_ended(const Packet& packet, const wire::Ended& ended);
  void tell_loss();
  void finish();
  // There is neither a result nor an end yet.
  [[nodiscard]] bool measuring() const { return !draining_ && !result_arrived_ && !finished(); }

  std::size_t index_;
  Endpoint main_;
  Link* uplink_ = nullptr;
  ClientTruth truth_;
  std::optional<engine::ClientSession> session_;
  Mailroom mail_;
  Alarm alarm_;
  std::array<std::unique_ptr<PortHost>, engine::kPortCount> ports_;
  std::optional<TrueTime> finished_at_;
  std::optional<std::uint32_t> key_;  // of its assignment
  std::optional<PortLossTruth> loss_;
  std::array<bool, engine::kPortCount> reported_{};
  std::uint16_t next_port_;  // for the next flow
  std::uint16_t next_outside_port_;
  bool was_answered_ = false;
  bool heard_ended_ = false;
  bool result_arrived_ = false;
  bool draining_ = false;
};

}  // namespace wyndrvr::sim
