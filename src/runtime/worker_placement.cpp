#include "runtime/worker_placement.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/check.hpp"
#include "engine/message_rules.hpp"
#include "os/seqpacket.hpp"
#include "runtime/port_socket.hpp"
#include "runtime/port_worker.hpp"

namespace wyndrvr::runtime {

using engine::PortKind;

WorkerPlacement::WorkerPlacement(const PlacementContext& context, StartBody start_body,
                                 PlacementListener& listener)
    : context_(context), start_body_(start_body), listener_(listener) {}

void WorkerPlacement::launch(PortSockets sockets, const PortConfigs& configs) {
  side_ = configs.front().side;
  if (const auto started = start_workers(std::move(sockets), configs); !started) {
    // The ones that did start have no set-up yet, so they have sent nothing.
    for (auto& worker : workers_) worker.reset();
    listener_.on_launch_failed(started.error().message);
    return;
  }
  for (const PortKind kind : engine::kPortKinds) {
    const std::size_t i = engine::index_of(kind);
    workers_[i]->send(PortSetup{configs[i], context_.loop.tuning(), context_.cpus.of_port(kind)});
  }
}

Result<void> WorkerPlacement::start_workers(PortSockets sockets, const PortConfigs& configs) {
  // By port: its sockets, then its ends of the channels to its siblings.
  std::array<std::vector<os::Fd>, engine::kPortCount> descriptors;
  for (const PortKind kind : engine::kPortKinds) {
    const std::size_t i = engine::index_of(kind);
    WYNDRVR_CHECK(sockets[i].size() == socket_count(configs[i]));
    for (os::UdpSocket& socket : sockets[i]) descriptors[i].push_back(socket.release());
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
    auto started =
        workers_[i]->start(start_body_, to_string(configs[i].peer), std::move(descriptors[i]));
    if (!started) return started;
  }
  return {};
}

void WorkerPlacement::post(PortKind to, const engine::Message& message) {
  if (const auto& worker = workers_[engine::index_of(to)]) {
    worker->send(ipc::Letter{engine::Mailbox::kCoordinator, message, engine::mailbox_of(to)});
  }
}

void WorkerPlacement::stop() {
  stopping_ = true;
  stop_workers();
}

void WorkerPlacement::stop_workers() {
  for (const auto& worker : workers_) {
    if (worker) worker->stop();
  }
  tell_when_gone();
}

std::vector<WorkerFact> WorkerPlacement::workers() const {
  std::vector<WorkerFact> facts;
  for (const PortKind kind : engine::kPortKinds) {
    const auto& worker = workers_[engine::index_of(kind)];
    const auto pid = worker ? worker->pid() : std::nullopt;
    if (pid) facts.push_back({kind, *pid});
  }
  return facts;
}

PortKind WorkerPlacement::port_of(const Worker& worker) const {
  const auto found = std::ranges::find(workers_, &worker, &std::unique_ptr<Worker>::get);
  WYNDRVR_CHECK(found != workers_.end());
  return static_cast<PortKind>(found - workers_.begin());
}

bool WorkerPlacement::on_worker_frame(Worker& worker, Frame frame) {
  const auto* letter = std::get_if<ipc::Letter>(&frame);
  if (letter == nullptr) return false;
  // Whose letter it is, and to whom, follows from the channel and not from what it says of itself.
  const PortKind port = port_of(worker);
  const engine::Route route{side_, engine::mailbox_of(port), engine::Mailbox::kCoordinator};
  // It runs its loop only once it is prepared.
  if (!prepared_[engine::index_of(port)] || !engine::may_send(route, letter->message)) return false;
  listener_.on_port_message(port, letter->message);
  return true;
}

// Only when all are there may one begin.
void WorkerPlacement::on_worker_prepared(Worker& worker) {
  prepared_[engine::index_of(port_of(worker))] = true;
  if (stopping_ || !std::ranges::all_of(prepared_, std::identity{})) return;
  launched_ = true;
  // Told first: whoever dies after a client has heard a port was a part of a launched session.
  listener_.on_launched();
  for (const auto& each : workers_) each->send(Begin{});
}

void WorkerPlacement::on_worker_lost(Worker& worker, const WorkerLoss& loss) {
  if (launched_) {
    listener_.on_port_lost(port_of(worker), loss);
  } else if (why_failed_.empty()) {
    why_failed_ = loss.text();
    stop_workers();
  }
}

void WorkerPlacement::on_worker_gone(Worker& /*worker*/) {
  tell_when_gone();
}

void WorkerPlacement::tell_when_gone() {
  const bool all_gone =
      std::ranges::all_of(workers_, [](const auto& worker) { return !worker || worker->gone(); });
  if (!all_gone) return;
  if (stopping_) {
    if (!std::exchange(told_stopped_, true)) listener_.on_placement_stopped();
  } else if (!why_failed_.empty()) {
    if (!std::exchange(told_failed_, true)) listener_.on_launch_failed(why_failed_);
  }
}

}  // namespace wyndrvr::runtime
