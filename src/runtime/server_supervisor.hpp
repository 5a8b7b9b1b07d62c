// The server: its main sockets, the acceptor, and all sessions; carries out the acceptor's effects.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "engine/acceptor.hpp"
#include "engine/gap_ledger.hpp"
#include "os/receive_batch.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/pending_session.hpp"
#include "runtime/placement.hpp"
#include "runtime/run.hpp"
#include "runtime/server_sockets.hpp"

namespace wyndrvr::runtime {

class ServerSupervisor final : public EventSource,
                               public ServerSockets::Listener,
                               public SessionListener,
                               public PendingSession::Listener {
 public:
  // Sessions that have not ended by themselves this long after `shut_down` are cut off: the time
  // for their last words, and for all of a StopLadder.
  static constexpr Duration kShutdownTimeout = 3s;

  ServerSupervisor(EventLoop& loop, const ServerRun& run, ReportSink& sink);
  ~ServerSupervisor() override;
  ServerSupervisor(const ServerSupervisor&) = delete;
  ServerSupervisor& operator=(const ServerSupervisor&) = delete;

  // Binds the main sockets and begins to serve. Returns the addresses in use.
  [[nodiscard]] Result<std::vector<Endpoint>> start();
  // Ends all sessions in order, then the loop.
  void shut_down();
  [[nodiscard]] ServerOutcome outcome() const;

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;
  void on_main_datagrams(std::span<const os::Received> batch) override;
  void on_session_launched(engine::SessionId id) override;
  void on_session_launch_failed(engine::SessionId id, const std::string& why) override;
  void on_session_proven(engine::SessionId id) override;
  void on_resend_assignment(engine::SessionId id) override;
  void on_client_extended(engine::SessionId id) override;
  void on_tell_ended(engine::SessionId id, const engine::TellEnded& end) override;
  void on_test_under_way(engine::SessionId id, Duration duration) override;
  void on_session_report(const engine::Report& report) override;
  void on_session_over(engine::SessionId id) override;
  void on_session_lost(engine::SessionId id, const WorkerLoss& loss) override;
  void on_pending_awake(engine::SessionId id) override;
  void on_pending_expired(engine::SessionId id) override;
  void on_pending_ignored(std::uint64_t datagrams) override;

 private:
  void carry_out();
  void bind_ports(const engine::BindPorts& bind);
  void on_bind_failed(engine::SessionId id, engine::PortKind port, const os::OpenError& error);
  void wait_for_client(const engine::SessionSetup& setup);
  void launch(PendingSession& pending);
  void end_session(engine::SessionId id, engine::SessionEnd reason);
  void give_up_pending(engine::SessionId id, engine::SessionEnd reason);
  // Nothing of it is left.
  void forget_session(engine::SessionId id);
  void send(const engine::SendFromMain& answer);
  void stop_when_empty();

  EventLoop& loop_;
  ServerRun run_;
  ReportSink& sink_;
  base::Random random_;
  engine::Acceptor acceptor_;
  os::ReceiveBuffer receive_buffer_;
  ServerSockets main_;
  std::optional<EventLoop::Id> id_;
  // By session id: between BindPorts and LaunchSession; until a client writes to them; from then
  // on.
  std::unordered_map<std::uint64_t, PortSockets> bound_;
  std::unordered_map<std::uint64_t, std::unique_ptr<PendingSession>> pending_;
  std::unordered_map<std::uint64_t, std::unique_ptr<PlacedSession>> sessions_;
  engine::GapLedger gaps_;  // of the sessions
  CpuPlan cpus_;
  std::uint32_t launched_ = 0;
  bool shutting_down_ = false;
  bool carrying_out_ = false;
};

}  // namespace wyndrvr::runtime
