// The server's host: carries out what the real Acceptor wants, and hosts the sessions that it makes
// (SessionHost), with the truth about each.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/acceptor.hpp"
#include "engine/gap_ledger.hpp"
#include "sim/address_budget.hpp"
#include "sim/host.hpp"
#include "sim/network.hpp"
#include "sim/session_host.hpp"
#include "sim/truth.hpp"

namespace wyndrvr::sim {

class ServerHost : public Host, public Socket, private SessionHost::Listener {
 public:
  // The truth about the client at this endpoint; none of strangers.
  using FindClient = std::function<ClientTruth*(const Endpoint& client)>;

  ServerHost(Environment& environment, FindClient find_client);

  void on_arrival(PacketPtr packet) override;  // at the main socket
  void on_unreachable(const Endpoint& /*by*/) override {}
  // Ends all sessions and serves no more.
  void shut_down();
  // One of the sessions that run now suffers it, if there is any.
  void lose(const SessionLoss& loss);

  [[nodiscard]] const engine::Acceptor& acceptor() const { return acceptor_; }
  [[nodiscard]] std::vector<const SessionTruth*> sessions() const;
  [[nodiscard]] std::vector<Port> bound_ports() const { return {held_.begin(), held_.end()}; }
  [[nodiscard]] std::size_t live_sessions() const { return live_.size(); }
  [[nodiscard]] std::size_t most_sessions() const { return most_sessions_; }
  [[nodiscard]] bool is_shut_down() const { return shut_down_; }
  [[nodiscard]] std::uint64_t times_limit_was_said() const { return times_limit_was_said_; }

 private:
  void read(const Packet& packet);
  void settle_acceptor();
  void carry_out(const engine::AcceptorEffect& effect);
  void bind_ports(const engine::BindPorts& wanted);
  void on_bound(engine::SessionId id);
  void launch(const engine::SessionSetup& setup);
  void send(const engine::SendFromMain& answer);
  void end(engine::SessionId id, engine::SessionEnd reason);
  void note_ended(const engine::SendFromMain& answer, const wire::Ended& ended);
  void note_close(const engine::SendFromMain& answer, const wire::Close& close);

  void on_proven(SessionHost& session) override;
  void on_resend_assignment(SessionHost& session) override;
  void on_extended(SessionHost& session) override;
  void on_tell_ended(SessionHost& session, const engine::TellEnded& end) override;
  void on_test_under_way(SessionHost& session, Duration duration) override;
  void on_over(SessionHost& session, engine::SessionEnd reason) override;
  void on_launch_failed(SessionHost& session, const std::string& why) override;
  void on_lost(SessionHost& session, const std::string& cause) override;
  void on_report(const engine::Report& report) override;
  // A session is over, one way or another: its ports are free, and its truth complete.
  void forget(SessionHost& session, engine::SessionEnd reason);
  [[nodiscard]] SessionTruth* live_session_of(const Endpoint& client);

  engine::ServerConfig config_;
  FindClient find_client_;
  Endpoint main_;
  engine::Acceptor acceptor_;
  AddressBudget budget_;
  engine::GapLedger gaps_;
  std::vector<std::unique_ptr<SessionHost>> sessions_;  // all that there ever were
  std::map<std::uint64_t, SessionHost*> live_;
  std::set<Port> held_;  // from BindPorts to the end of the session
  bool settling_acceptor_ = false;
  bool shut_down_ = false;
  bool limit_said_ = false;
  bool limit_may_be_said_ = false;  // again, once what the acceptor has said by now is heard
  std::uint64_t times_limit_was_said_ = 0;
  std::size_t most_sessions_ = 0;
};

}  // namespace wyndrvr::sim
