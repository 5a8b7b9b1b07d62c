#include "app/server_program.hpp"

#include <utility>

#include "app/console.hpp"
#include "app/load_settings.hpp"
#include "app/messages.hpp"
#include "app/run_config.hpp"
#include "app/server_text.hpp"
#include "os/cpu_affinity.hpp"
#include "os/resolver.hpp"
#include "os/udp_setup.hpp"

namespace wyndrvr::app {
namespace {

// A plain function, since that is what run_server calls back.
void show_started(const Endpoint& bound) {
  Console console = Console::standard();
  ServerText(console).show_started(bound);
}

}  // namespace

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

  Console console = Console::standard();
  ServerText text(console, {.verbose = settings.boolean(Key::kTestVerbose), .ports = run->ports});
  const auto outcome = runtime::run_server(*run, text, show_started);
  if (!outcome) return report_failure(outcome.error());
  text.show_outcome(*outcome);
  return ExitCode::kDone;
}

}  // namespace wyndrvr::app
