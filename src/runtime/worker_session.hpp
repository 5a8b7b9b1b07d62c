// A session in a worker of its own, as the server sees it. The other side is session_worker.hpp.
#pragma once

#include <string>

#include "engine/acceptor.hpp"
#include "runtime/placement.hpp"
#include "runtime/session_claims.hpp"
#include "runtime/worker.hpp"

namespace wyndrvr::runtime {

class WorkerSession final : public PlacedSession, public Worker::Listener {
 public:
  WorkerSession(const PlacementContext& context, StartBody start_body, const SessionPlan& plan,
                const engine::ServerConfig& config, SessionListener& listener);

  void launch(PortSockets sockets) override;
  void end(engine::SessionEnd reason) override;

  void on_worker_prepared(Worker& worker) override;
  [[nodiscard]] bool on_worker_frame(Worker& worker, Frame frame) override;
  void on_worker_lost(Worker& worker, const WorkerLoss& loss) override;
  void on_worker_gone(Worker& worker) override;

 private:
  StartBody start_body_;
  SessionStart start_;
  SessionListener& listener_;
  Worker worker_;
  SessionClaims claims_;
  bool launched_ = false;
  std::optional<WorkerLoss> lost_;
};

}  // namespace wyndrvr::runtime
