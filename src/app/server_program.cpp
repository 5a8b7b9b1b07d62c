#include "app/server_program.hpp"

#include <optional>
#include <utility>

#include "app/load_settings.hpp"
#include "app/messages.hpp"
#include "app/output.hpp"
#include "app/patience.hpp"
#include "app/run_config.hpp"
#include "app/scope.hpp"
#include "app/server_text.hpp"
#include "os/cpu_affinity.hpp"
#include "os/signals.hpp"
#include "os/udp_setup.hpp"

namespace wyndrvr::app {
namespace {

// Where somebody has chosen no address, one family is all of that family.
std::string host_to_bind(const CommandLine& command, const Settings& settings) {
  const bool v6 = command.family == IpAddress::Family::kV6;
  return v6 && !settings.is_chosen(Key::kBindAddr) ? "::" : settings.host(Key::kBindAddr);
}

// The addresses to listen on, and the interface where a zone names one.
Result<void> settle_addresses(runtime::ServerRun& run, const CommandLine& command,
                              const Settings& settings) {
  Scope scope = scope_of(run.interface);
  const std::string host = host_to_bind(command, settings);
  const auto endpoints = locate({.host = host, .port = run.port, .family = command.family}, scope);
  if (!endpoints) return std::unexpected(endpoints.error());
  for (const Endpoint& endpoint : *endpoints) run.addresses.push_back(endpoint.address);
  run.interface = scope.interface;
  run.v6_only = command.family == IpAddress::Family::kV6;
  return {};
}

Result<void> settle_guests(runtime::ServerRun& run, const Settings& settings) {
  for (const auto& [key, networks] :
       {std::pair(Key::kAllow, &run.engine.allow), std::pair(Key::kDeny, &run.engine.deny)}) {
    auto settled = settle(settings.networks(key));
    if (!settled) return fail("{}: {}", settings.describe(key), settled.error().message);
    *networks = *std::move(settled);
  }
  return {};
}

}  // namespace

ExitCode run_server_program(const CommandLine& command, const Settings& settings) {
  auto run = make_server_run(settings, os::allowed_cpus());
  if (!run) return report_bad_usage(run.error());
  if (auto checked = os::check_offloads(run->tuning.offloads); !checked) {
    return report_bad_usage(checked.error());
  }
  auto keys = load_keys(settings);
  if (!keys) return report_bad_usage(keys.error());
  run->engine.keys = *std::move(keys);
  if (auto settled = settle_guests(*run, settings); !settled) {
    return report_bad_usage(settled.error());
  }
  if (auto settled = settle_addresses(*run, command, settings); !settled) {
    return parse_zoned_ip(settings.host(Key::kBindAddr)) ? report_bad_usage(settled.error())
                                                         : report_failure(settled.error());
  }

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
