// A session in a worker of its own, as the server sees it. The other side is session_worker.hpp.
#pragma once

#include <string>

#include "engine/acceptor.hpp"
#include "runtime/placement.hpp"
#include "runtime/worker.hpp"

namespace wyndrvr::runtime {

class WorkerSession final : public PlacedSession, public Worker::Listener {
 public:
  WorkerSession(const PlacementContext& context, StartBody start_body, const SessionPlan& plan,
                const engine::ServerConfig& config, SessionListener& listener);

  void launch(PortSockets sockets) override;
  void end(engine::SessionEnd reason) override;

  void on_worker_prepared(Worker& worker) override;
  void on_worker_frame(Worker& worker, Frame frame) override;
  void on_worker_lost(Worker& worker, const std::string& cause) override;
  void on_worker_gone(Worker& worker) override;

 private:
  StartBody start_body_;
  SessionStart start_;
  SessionListener& listener_;
  Worker worker_;
  bool launched_ = false;
  std::string lost_;  // the cause; empty: not lost
};

}  // namespace wyndrvr::runtime
