// One client's session in this loop: carries out what its coordinator decides.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/server_session.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/placement.hpp"

namespace wyndrvr::runtime {

class HostedSession final : public PlacedSession, public EventSource, public PlacementListener {
 public:
  HostedSession(const PlacementContext& context, const SessionPlan& plan,
                const engine::ServerConfig& config, SessionListener& listener);
  ~HostedSession() override;
  HostedSession(const HostedSession&) = delete;
  HostedSession& operator=(const HostedSession&) = delete;

  void launch(PortSockets sockets) override;
  void end(engine::SessionEnd reason) override;

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;
  void on_port_message(engine::PortKind from, const engine::Message& message) override;
  void on_launched() override;
  void on_launch_failed(const std::string& why) override;
  void on_port_lost(engine::PortKind port, const WorkerLoss& loss) override;
  void on_placement_stopped() override;

 private:
  void carry_out();
  void carry_out(const engine::ServerSessionEffect& effect);

  PlacementContext context_;
  PlacementMode ports_;
  std::uint64_t seed_;
  SessionListener& listener_;
  engine::ServerSession session_;
  std::unique_ptr<PortPlacement> placement_;
  std::optional<EventLoop::Id> timer_;
};

}  // namespace wyndrvr::runtime
