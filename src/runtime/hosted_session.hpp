// One client's session at the server: carries out what its coordinator decides.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/server_session.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/placement.hpp"

namespace wyndrvr::runtime {

// The server's side of a session.
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  virtual void on_session_proven(engine::SessionId id) = 0;
  virtual void on_resend_assignment(engine::SessionId id) = 0;
  // The last word: the session may be destroyed once the present turn is over.
  virtual void on_session_over(engine::SessionId id) = 0;
  virtual void on_session_report(const engine::Report& report) = 0;
};

using PortSockets = std::array<std::optional<os::UdpSocket>, engine::kPortCount>;

class HostedSession final : public EventSource, public PlacementListener {
 public:
  struct Options {
    PlacementMode mode = PlacementMode::kSingle;
    PlacementContext context;
    SessionListener& listener;
    std::uint64_t seed = 0;
  };

  HostedSession(const Options& options, const engine::ServerConfig& config,
                const engine::SessionSetup& setup);
  ~HostedSession() override;
  HostedSession(const HostedSession&) = delete;
  HostedSession& operator=(const HostedSession&) = delete;

  [[nodiscard]] Result<void> launch(PortSockets sockets);
  void end(engine::SessionEnd reason);

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;
  void on_port_message(engine::PortKind from, const engine::Message& message) override;

 private:
  void carry_out();

  Options options_;
  engine::ServerSession session_;
  std::unique_ptr<PortPlacement> placement_;
  std::optional<EventLoop::Id> timer_;
};

}  // namespace wyndrvr::runtime
