// Each of a session's three ports in a worker of its own: a thread or a process, as `start_body`
// has it.
//
// The supervisor has a channel to each worker, and control has one to each of its siblings, so that
// what the ports of a test have to say to each other passes nobody else.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "runtime/placement.hpp"
#include "runtime/worker.hpp"

namespace wyndrvr::runtime {

class WorkerPlacement final : public PortPlacement, public Worker::Listener {
 public:
  WorkerPlacement(const PlacementContext& context, StartBody start_body,
                  PlacementListener& listener);

  void launch(PortSockets sockets, const PortConfigs& configs) override;
  void post(engine::PortKind to, const engine::Message& message) override;
  void stop() override;
  [[nodiscard]] bool apart() const override { return true; }
  [[nodiscard]] std::vector<WorkerFact> workers() const override;

  void on_worker_prepared(Worker& worker) override;
  [[nodiscard]] bool on_worker_frame(Worker& worker, Frame frame) override;
  void on_worker_lost(Worker& worker, const WorkerLoss& loss) override;
  void on_worker_gone(Worker& worker) override;

 private:
  [[nodiscard]] engine::PortKind port_of(const Worker& worker) const;
  [[nodiscard]] Result<void> start_workers(PortSockets sockets, const PortConfigs& configs);
  void stop_workers();
  void tell_when_gone();

  PlacementContext context_;
  StartBody start_body_;
  PlacementListener& listener_;
  std::array<std::unique_ptr<Worker>, engine::kPortCount> workers_;
  std::array<bool, engine::kPortCount> prepared_{};
  engine::Side side_ = engine::Side::kClient;
  std::string why_failed_;  // empty: it has not
  bool launched_ = false;
  bool stopping_ = false;
  bool told_stopped_ = false;
  bool told_failed_ = false;
};

}  // namespace wyndrvr::runtime
