#include <utility>

#include "os/signals.hpp"
#include "runtime/client_supervisor.hpp"
#include "runtime/interrupt.hpp"
#include "runtime/orphan_reaper.hpp"
#include "runtime/output_watch.hpp"
#include "runtime/placement.hpp"
#include "runtime/run.hpp"

namespace wyndrvr::runtime {

Result<ClientOutcome> run_client(const ClientRun& run, ReportSink& sink) {
  os::ignore_write_signals();
  if (const auto pinned = pin_main_loop(run.cpus, {run.ports}); !pinned) {
    return std::unexpected(pinned.error());
  }
  auto loop = EventLoop::create(run.tuning);
  if (!loop) return std::unexpected(loop.error());
  ClientSupervisor client(*loop, run, sink);
  using engine::StopCause;
  auto interrupt = Interrupt::create(*loop, [&] { client.stop(StopCause::kUser); });
  if (!interrupt) return std::unexpected(interrupt.error());
  OutputWatch output(*loop, run.lost_output, [&] { client.stop(StopCause::kOutputLost); });
  const auto reaper = OrphanReaper::create_where_needed(*loop);
  if (!reaper) return std::unexpected(reaper.error());
  if (const auto started = client.start(); !started) return std::unexpected(started.error());
  if (const auto result = loop->run(); !result) return std::unexpected(result.error());
  ClientOutcome outcome = client.outcome();
  outcome.interrupted = (*interrupt)->first();
  return outcome;
}

}  // namespace wyndrvr::runtime
