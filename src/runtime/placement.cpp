#include "runtime/placement.hpp"

#include <algorithm>

#include "os/cpu_affinity.hpp"
#include "runtime/hosted_session.hpp"
#include "runtime/port_socket.hpp"
#include "runtime/single_placement.hpp"
#include "runtime/worker_placement.hpp"
#include "runtime/worker_process.hpp"
#include "runtime/worker_session.hpp"
#include "runtime/worker_thread.hpp"

namespace wyndrvr::runtime {
namespace {

// What carries a worker in this mode; nothing where there are no workers.
StartBody body_of(PlacementMode mode) {
  switch (mode) {
    case PlacementMode::kSingle:
      break;
    case PlacementMode::kThread:
      return start_worker_thread;
    case PlacementMode::kProcess:
      return start_worker_process;
  }
  return nullptr;
}

}  // namespace

PlacementMode mode_for(PlacementMode wanted, const std::optional<engine::PathSetup>& path) {
  return has_single_port(path) ? PlacementMode::kSingle : wanted;
}

std::uint32_t receive_buffer_of(const PortSockets& sockets, engine::PortKind kind) {
  // On a single port, the first has them all.
  const auto& own = sockets[engine::index_of(kind)];
  return (own.empty() ? sockets.front() : own).front().receive_buffer_granted();
}

std::unique_ptr<PortPlacement> make_placement(PlacementMode wanted,
                                              const std::optional<engine::PathSetup>& path,
                                              const PlacementContext& context,
                                              PlacementListener& listener) {
  const StartBody body = body_of(mode_for(wanted, path));
  if (body == nullptr) return std::make_unique<SinglePlacement>(context, listener);
  return std::make_unique<WorkerPlacement>(context, body, listener);
}

std::unique_ptr<PlacedSession> make_session(PlacementMode mode, const PlacementContext& context,
                                            const SessionPlan& plan,
                                            const engine::ServerConfig& config,
                                            SessionListener& listener) {
  const StartBody body = body_of(mode);
  if (body == nullptr) return std::make_unique<HostedSession>(context, plan, config, listener);
  return std::make_unique<WorkerSession>(context, body, plan, config, listener);
}

Result<void> pin_main_loop(const std::vector<unsigned>& cpus,
                           std::initializer_list<PlacementMode> modes) {
  const CpuPlan plan{.chosen = cpus, .allowed = {}};
  const bool carries_data =
      std::ranges::all_of(modes, [](PlacementMode mode) { return mode == PlacementMode::kSingle; });
  const auto mine = carries_data ? plan.of_session() : plan.of_coordinator();
  if (mine.empty()) return {};
  return os::pin_thread(mine);
}

os::Confinement needs_of(PlacementMode ports) {
  return {.threads = ports == PlacementMode::kThread,
          .processes = ports == PlacementMode::kProcess};
}

}  // namespace wyndrvr::runtime
