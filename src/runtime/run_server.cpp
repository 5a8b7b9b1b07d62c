#include <utility>

#include "os/descriptor_limit.hpp"
#include "os/signals.hpp"
#include "runtime/interrupt.hpp"
#include "runtime/run.hpp"
#include "runtime/server_supervisor.hpp"

namespace wyndrvr::runtime {

Result<ServerOutcome> run_server(const ServerRun& run, ReportSink& sink,
                                 void (*on_started)(const Endpoint& bound)) {
  for (const PlacementMode mode : {run.ports, run.sessions}) {
    if (mode != PlacementMode::kSingle) {
      return fail("{} mode is not available yet: this version runs SINGLE only", name(mode));
    }
  }
  os::ignore_broken_pipes();
  os::raise_descriptor_limit();
  auto loop = EventLoop::create(run.tuning);
  if (!loop) return std::unexpected(loop.error());
  ServerSupervisor server(*loop, run, sink);
  auto interrupt = Interrupt::create(*loop, [&] { server.shut_down(); });
  if (!interrupt) return std::unexpected(interrupt.error());
  const auto bound = server.start();
  if (!bound) return std::unexpected(bound.error());
  on_started(*bound);
  if (const auto result = loop->run(); !result) return std::unexpected(result.error());
  return server.outcome();
}

}  // namespace wyndrvr::runtime
