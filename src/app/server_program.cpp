#include "app/server_program.hpp"

#include <optional>
#include <utility>

#include "app/load_settings.hpp"
#include "app/messages.hpp"
#include "app/output.hpp"
#include "app/patience.hpp"
#include "app/run_config.hpp"
#include "app/server_text.hpp"
#include "os/cpu_affinity.hpp"
#include "os/resolver.hpp"
#include "os/signals.hpp"
#include "os/udp_setup.hpp"

namespace wyndrvr::app {
ExitCode run_server_program(const Settings& settings) {
  auto run = make_server_run(settings, os::allowed_cpus());
  if (!run) return report_bad_usage(run.error());
  if (auto checked = os::check_offloads(run->tuning.offloads); !checked) {
    return report_bad_usage(checked.error());
  }
  auto keys = load_keys(settings);
  if (!keys) return report_bad_usage(keys.error());
  run->engine.keys = *std::move(keys);
  const auto addresses = os::resolve(settings.host(Key::kBindAddr), run->bind.port);
  if (!addresses) return report_failure(addresses.error());
  run->bind = addresses->front();

  auto signals = os::watch_end_signals();
  if (!signals) return report_failure(signals.error());
  Output output({.out_optional = true, .tells_failures = true});
  ServerText text(output.console(),
                  {.verbose = settings.boolean(Key::kTestVerbose), .ports = run->ports});
  const auto outcome =
      runtime::run_server(*run, text, [&text](const Endpoint& bound) { text.show_started(bound); });
  output.end_run();
  ExitCode code = ExitCode::kDone;
  if (outcome) {
    text.show_outcome(*outcome);
  } else {
    code = report(output.console(), outcome.error(), ExitCode::kFailed);
  }
  // A log that nobody reads is no failure of the server.
  Patience patience(*signals, outcome ? outcome->interrupted : std::nullopt);
  (void)output.finish(patience);
  return code;
}

}  // namespace wyndrvr::app
