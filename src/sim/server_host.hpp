// The server's host: carries out what the real Acceptor and ServerSessions want, with three real
// actors for each session, and keeps the truth about each.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "engine/acceptor.hpp"
#include "engine/server_session.hpp"
#include "sim/address_budget.hpp"
#include "sim/host.hpp"
#include "sim/mailroom.hpp"
#include "sim/network.hpp"
#include "sim/port_host.hpp"
#include "sim/truth.hpp"

namespace wyndrvr::sim {

class ServerHost : public Host, public Socket {
 public:
  // Which upload a session that this endpoint asked for would receive; none for strangers.
  using FindUpload = std::function<UploadTruth*(const Endpoint& client)>;

  ServerHost(Environment& environment, FindUpload find_upload);

  void on_arrival(PacketPtr packet) override;  // at the main socket
  void on_unreachable(const Endpoint& /*by*/) override {}
  // Ends all sessions and serves no more.
  void shut_down();

  [[nodiscard]] const engine::Acceptor& acceptor() const { return acceptor_; }
  [[nodiscard]] std::vector<const SessionTruth*> sessions() const;
  [[nodiscard]] std::vector<Port> bound_ports() const { return {held_.begin(), held_.end()}; }
  [[nodiscard]] std::size_t live_sessions() const { return live_.size(); }
  [[nodiscard]] std::size_t most_sessions() const { return most_sessions_; }
  [[nodiscard]] bool is_shut_down() const { return shut_down_; }
  [[nodiscard]] std::uint64_t times_limit_was_said() const { return times_limit_was_said_; }

 private:
  struct Session {
    Session(ServerHost& host, const engine::SessionSetup& setup);

    engine::ServerSession coordinator;
    Mailroom mail;
    Alarm alarm;
    std::array<std::unique_ptr<PortHost>, engine::kPortCount> ports;
    SessionTruth truth;
    bool over = false;
  };

  void read(const Packet& packet);
  void settle_acceptor();
  void carry_out(const engine::AcceptorEffect& effect);
  void bind_ports(const engine::BindPorts& wanted);
  void on_bound(engine::SessionId id);
  void launch(const engine::SessionSetup& setup);
  void send(const engine::SendFromMain& answer);
  void end(engine::SessionId id, engine::SessionEnd reason);
  void note_report(const engine::Report& report);

  void settle(Session& session);
  void carry_out(Session& session, const engine::ServerSessionEffect& effect);
  void on_letter(Session& session, engine::Mailbox from, engine::Mailbox to,
                 const engine::Message& message);
  void release(Session& session, engine::SessionEnd reason);

  engine::ServerConfig config_;
  FindUpload find_upload_;
  Endpoint main_;
  engine::Acceptor acceptor_;
  AddressBudget budget_;
  std::vector<std::unique_ptr<Session>> sessions_;  // all that there ever were
  std::map<std::uint64_t, Session*> live_;
  std::set<Port> held_;  // from BindPorts to the end of the session
  bool settling_acceptor_ = false;
  bool shut_down_ = false;
  bool limit_said_ = false;
  std::uint64_t times_limit_was_said_ = 0;
  std::size_t most_sessions_ = 0;
};

}  // namespace wyndrvr::sim
