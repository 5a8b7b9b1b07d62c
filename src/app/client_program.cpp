#include "app/client_program.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/client_route.hpp"
#include "app/client_terms.hpp"
#include "app/client_text.hpp"
#include "app/console.hpp"
#include "app/load_settings.hpp"
#include "app/messages.hpp"
#include "app/printable.hpp"
#include "app/result_json.hpp"
#include "app/run_config.hpp"
#include "base/random.hpp"
#include "os/clock.hpp"
#include "os/cpu_affinity.hpp"
#include "os/entropy.hpp"
#include "os/file.hpp"
#include "os/host_info.hpp"
#include "os/resolver.hpp"
#include "os/route_mtu.hpp"
#include "os/udp_setup.hpp"

namespace wyndrvr::app {
namespace {

// A server's default idle_timeout.
constexpr Duration kServersUsualPatience = engine::ServerLimits{}.idle_timeout;

// Found out before the run rather than after it.
Result<void> check_json_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string folder = path.substr(0, slash);
  const auto kind = os::file_kind(folder);
  if (kind && *kind == os::FileKind::kFolder) return {};
  return fail("--json {}: there is no folder {}", printable(path), printable(folder));
}

RunFacts start_facts(std::string target, const Settings& settings) {
  base::Random random(os::entropy64());
  RunFacts facts;
  facts.started_at = os::wall_now();
  facts.run_id = base::make_uuid_v7(random, facts.started_at);
  facts.target = std::move(target);
  facts.kernel = os::kernel_release();
  facts.cpu_count = os::cpu_count();
  facts.ports = settings.mode(Key::kPortParallelability);
  // A client has one session, in a process of its own in any mode: it is as asked for.
  facts.connections = settings.mode(Key::kConnectionParallelibility);
  // With `auto`, dialect 1 is asked for first.
  const bool original = settings.dialect(Key::kDialect) == engine::DialectChoice::kOriginal;
  facts.dialect = original ? engine::Dialect::kOriginal : engine::Dialect::kOne;
  facts.ecn = settings.boolean(Key::kEcn);
  return facts;
}

Result<void> write_document(const CommandLine& command, const std::string& text) {
  if (!command.json_path) {
    if (!write_stdout(text)) return fail("cannot write the result to stdout");
    return {};
  }
  if (auto written = os::write_file_atomically(*command.json_path, text); !written) return written;
  Console::standard().err(fmt::format("Result written to {}", *command.json_path));
  return {};
}

wire::Nonce fresh_nonce() {
  const std::array<std::uint64_t, 2> random = {os::entropy64(), os::entropy64()};
  return std::bit_cast<wire::Nonce>(random);
}

// What is valid but most likely not what was meant.
void warn_of_slips(Console& console, const runtime::ClientRun& run, const Settings& settings) {
  if (run.engine.protocol.heartbeat_interval >= kServersUsualPatience) {
    console.err(fmt::format(
        "wyndrvr: warning: --heartbeat-rate {}: a server drops clients that are silent for its "
        "idle_timeout, {} ms unless it says otherwise",
        run.engine.protocol.heartbeat_interval / 1ms, kServersUsualPatience / 1ms));
  }
  if (settings.origin(Key::kBindAddr) == Origin::option("--bind-addr")) {
    console.err(
        "wyndrvr: warning: --bind-addr is where a server listens; a client's own address is "
        "--bind");
  }
}

// What a run needs from outside of the settings, but for the server's address.
Result<void> complete_run(runtime::ClientRun& run, const CommandLine& command,
                          const Settings& settings) {
  if (command.json_path) {
    if (auto checked = check_json_folder(*command.json_path); !checked) return checked;
  }
  if (auto checked = os::check_offloads(run.tuning.offloads); !checked) return checked;
  run.engine.nonce = fresh_nonce();
  const auto keys = load_keys(settings);
  if (!keys) return std::unexpected(keys.error());
  if (!keys->empty()) run.engine.key = keys->front();
  return {};
}

std::vector<Route> routes_of(const runtime::ClientRun& run) {
  std::vector<Route> routes;
  for (const Endpoint& server : run.engine.servers) {
    const auto mtu = os::route_mtu(server, run.sockets.bind, run.sockets.interface);
    routes.push_back({.server = server, .mtu = mtu ? std::optional(*mtu) : std::nullopt});
  }
  return routes;
}

// The server's addresses, and what the ways to them ask of the run.
Result<void> choose_servers(runtime::ClientRun& run, std::vector<Endpoint> resolved,
                            std::string_view host, const Settings& settings) {
  auto servers = servers_from(run.sockets.bind, std::move(resolved), host);
  if (!servers) return std::unexpected(servers.error());
  run.engine.servers = *std::move(servers);
  const auto key = payload_key(settings);
  return fit_payload(run.engine, routes_of(run), key ? settings.describe(*key) : "");
}

}  // namespace

ExitCode exit_code_of(const engine::SessionResult& result, wire::Directions directions) {
  if (directions != wire::Directions::kLatencyOnly) {
    const std::size_t wanted = directions == wire::Directions::kBoth ? 2 : 1;
    const bool complete = result.tests.size() >= wanted &&
                          std::ranges::all_of(result.tests, &engine::TestOutcome::has_result);
    return result.valid && complete ? ExitCode::kDone : ExitCode::kFailed;
  }
  const bool answered = std::ranges::any_of(result.ports, [](const auto& port) {
    return port && port->idle.received + port->loaded.received > 0;
  });
  return result.valid && answered ? ExitCode::kDone : ExitCode::kFailed;
}

ExitCode run_client_program(const CommandLine& command, const Settings& settings) {
  auto run = make_client_run(settings,
                             {.directions = command.directions,
                              .heartbeat_count = command.count,
                              .progress_interval = command.progress_interval},
                             os::allowed_cpus());
  if (!run) return report_bad_usage(run.error());
  if (auto completed = complete_run(*run, command, settings); !completed) {
    return report_bad_usage(completed.error());
  }
  const std::string host = command.target.host.value_or(std::string(kDefaultHost));
  const Port port = command.target.port.value_or(kDefaultPort);
  auto servers = os::resolve(host, port);
  if (!servers) return report_failure(servers.error());
  if (auto chosen = choose_servers(*run, *std::move(servers), host, settings); !chosen) {
    return report_bad_usage(chosen.error());
  }

  Console console = Console::standard(command.json && !command.json_path);
  ClientText text(console, {.terminal = os::stderr_is_terminal(),
                            .columns = os::terminal_width(),
                            .verbose = settings.boolean(Key::kTestVerbose),
                            .directions = command.directions,
                            .ports = run->ports});
  warn_of_slips(console, *run, settings);
  const RunFacts facts = start_facts(join_host_port(host, port), settings);
  const auto outcome = runtime::run_client(*run, text);
  console.clear_live();
  if (!outcome) return report_failure(outcome.error());

  text.show_result(outcome->result);
  if (command.json) {
    const std::string document = document_text(result_document(*outcome, facts));
    if (auto written = write_document(command, document); !written) {
      return report_failure(written.error());
    }
  }
  return exit_code_of(outcome->result, command.directions);
}

}  // namespace wyndrvr::app
