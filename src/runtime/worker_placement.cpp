#include "runtime/worker_placement.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "os/seqpacket.hpp"
#include "runtime/port_worker.hpp"

namespace wyndrvr::runtime {

using engine::PortKind;

WorkerPlacement::WorkerPlacement(const PlacementContext& context, StartBody start_body,
                                 PlacementListener& listener)
    : context_(context), start_body_(start_body), listener_(listener) {}

Result<void> WorkerPlacement::launch(PortSockets sockets, const PortConfigs& configs) {
  // By port: its socket, then its ends of the channels to its siblings.
  std::array<std::vector<os::Fd>, engine::kPortCount> descriptors;
  for (const PortKind kind : engine::kPortKinds) {
    descriptors[engine::index_of(kind)].push_back(sockets[engine::index_of(kind)]->release());
  }
  for (const PortKind sibling : siblings_of(PortKind::kControl)) {
    auto pair = os::open_channel_pair();
    if (!pair) return std::unexpected(pair.error());
    descriptors[engine::index_of(PortKind::kControl)].push_back(std::move(pair->a));
    descriptors[engine::index_of(sibling)].push_back(std::move(pair->b));
  }
  for (const PortKind kind : engine::kPortKinds) {
    const std::size_t i = engine::index_of(kind);
    workers_[i] = std::make_unique<Worker>(context_.loop, std::string(engine::name(kind)), *this);
    auto started = workers_[i]->start(
        start_body_, to_string(configs[i].peer), std::move(descriptors[i]),
        PortSetup{configs[i], context_.loop.tuning(), context_.cpus.of_port(kind)});
    if (!started) return started;
  }
  return {};
}

void WorkerPlacement::post(PortKind to, const engine::Message& message) {
  workers_[engine::index_of(to)]->send(ipc::Letter{engine::Mailbox::kCoordinator, message});
}

void WorkerPlacement::stop() {
  stopping_ = true;
  for (const auto& worker : workers_) worker->stop();
  tell_when_stopped();
}

std::vector<WorkerFact> WorkerPlacement::workers() const {
  std::vector<WorkerFact> facts;
  for (const PortKind kind : engine::kPortKinds) {
    const auto pid = workers_[engine::index_of(kind)]->pid();
    if (pid) facts.push_back({kind, *pid});
  }
  return facts;
}

PortKind WorkerPlacement::port_of(const Worker& worker) const {
  const auto found = std::ranges::find(workers_, &worker, &std::unique_ptr<Worker>::get);
  WYNDRVR_CHECK(found != workers_.end());
  return static_cast<PortKind>(found - workers_.begin());
}

void WorkerPlacement::on_worker_frame(Worker& worker, Frame frame) {
  // Anything else is not for a port to say, and is not listened to.
  const auto* letter = std::get_if<ipc::Letter>(&frame);
  if (letter != nullptr) listener_.on_port_message(port_of(worker), letter->message);
}

void WorkerPlacement::on_worker_lost(Worker& worker, const std::string& cause) {
  listener_.on_port_lost(port_of(worker), cause);
}

void WorkerPlacement::on_worker_gone(Worker& /*worker*/) {
  tell_when_stopped();
}

void WorkerPlacement::tell_when_stopped() {
  const bool all_gone =
      std::ranges::all_of(workers_, [](const auto& worker) { return worker->gone(); });
  if (!stopping_ || told_ || !all_gone) return;
  told_ = true;
  listener_.on_placement_stopped();
}

}  // namespace wyndrvr::runtime
