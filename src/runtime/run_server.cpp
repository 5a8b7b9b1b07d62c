#include <utility>

#include "os/descriptor_limit.hpp"
#include "os/signals.hpp"
#include "runtime/interrupt.hpp"
#include "runtime/orphan_reaper.hpp"
#include "runtime/placement.hpp"
#include "runtime/run.hpp"
#include "runtime/server_supervisor.hpp"

namespace wyndrvr::runtime {

Result<ServerOutcome> run_server(const ServerRun& run, ReportSink& sink,
                                 const std::function<void(const Endpoint&)>& on_started) {
  os::ignore_write_signals();
  os::raise_descriptor_limit();
  if (const auto pinned = pin_main_loop(run.cpus, {run.ports, run.sessions}); !pinned) {
    return std::unexpected(pinned.error());
  }
  auto loop = EventLoop::create(run.tuning);
  if (!loop) return std::unexpected(loop.error());
  ServerSupervisor server(*loop, run, sink);
  auto interrupt = Interrupt::create(*loop, [&] { server.shut_down(); });
  if (!interrupt) return std::unexpected(interrupt.error());
  const auto reaper = OrphanReaper::create_where_needed(*loop);
  if (!reaper) return std::unexpected(reaper.error());
  const auto bound = server.start();
  if (!bound) return std::unexpected(bound.error());
  for (const Endpoint& endpoint : *bound) on_started(endpoint);
  if (const auto result = loop->run(); !result) return std::unexpected(result.error());
  ServerOutcome outcome = server.outcome();
  outcome.interrupted = (*interrupt)->first();
  return outcome;
}

}  // namespace wyndrvr::runtime
