// The server: its main socket, the acceptor, and all sessions; carries out the acceptor's effects.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "engine/acceptor.hpp"
#include "os/receive_batch.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/hosted_session.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::runtime {

class ServerSupervisor final : public EventSource, public SessionListener {
 public:
  // Sessions that have not ended by themselves this long after `shut_down` are cut off.
  static constexpr Duration kShutdownTimeout = 2s;

  ServerSupervisor(EventLoop& loop, const ServerRun& run, ReportSink& sink);
  ~ServerSupervisor() override;
  ServerSupervisor(const ServerSupervisor&) = delete;
  ServerSupervisor& operator=(const ServerSupervisor&) = delete;

  // Binds the main socket and begins to serve. Returns the address in use.
  [[nodiscard]] Result<Endpoint> start();
  // Ends all sessions in order, then the loop.
  void shut_down();
  [[nodiscard]] ServerOutcome outcome() const;

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;
  void on_session_proven(engine::SessionId id) override;
  void on_resend_assignment(engine::SessionId id) override;
  void on_session_over(engine::SessionId id) override;
  void on_session_report(const engine::Report& report) override;

 private:
  // Bound of one turn on the main socket, in receives.
  static constexpr int kMaxReceives = 4;

  void receive();
  void carry_out();
  void bind_ports(const engine::BindPorts& bind);
  void launch(const engine::LaunchSession& launch);
  void send(const engine::SendFromMain& answer);
  void release(engine::SessionId id);

  EventLoop& loop_;
  ServerRun run_;
  ReportSink& sink_;
  base::Random random_;
  engine::Acceptor acceptor_;
  os::ReceiveBuffer receive_buffer_;
  std::optional<os::UdpSocket> socket_;
  std::optional<EventLoop::Id> id_;
  std::unordered_map<std::uint64_t, PortSockets> bound_;  // between BindPorts and LaunchSession
  std::unordered_map<std::uint64_t, std::unique_ptr<HostedSession>> sessions_;
  bool shutting_down_ = false;
  bool carrying_out_ = false;
};

}  // namespace wyndrvr::runtime
