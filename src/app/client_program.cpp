#include "app/client_program.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/client_route.hpp"
#include "app/client_terms.hpp"
#include "app/client_text.hpp"
#include "app/document.hpp"
#include "app/load_settings.hpp"
#include "app/messages.hpp"
#include "app/output.hpp"
#include "app/patience.hpp"
#include "app/resolve_aside.hpp"
#include "app/result_json.hpp"
#include "app/run_config.hpp"
#include "app/scope.hpp"
#include "base/random.hpp"
#include "engine/interval_log.hpp"
#include "os/clock.hpp"
#include "os/cpu_affinity.hpp"
#include "os/entropy.hpp"
#include "os/host_info.hpp"
#include "os/route_mtu.hpp"
#include "os/signals.hpp"
#include "os/udp_setup.hpp"

namespace wyndrvr::app {
namespace {

// A server's default idle_timeout.
constexpr Duration kServersUsualPatience = engine::ServerLimits{}.idle_timeout;

// Why a run does not begin, or not come to a result.
struct Failure {
  ExitCode code = ExitCode::kFailed;
  engine::Problem problem;
};

std::unexpected<Failure> cannot_begin(const Error& error) {
  return std::unexpected(Failure{.code = ExitCode::kBadUsage,
                                 .problem = {engine::ProblemCode::kNotBegun, error.message}});
}

// Octets of a document at the most, as far as that can be told beforehand.
std::size_t expected_size(const engine::ClientConfig& config) {
  constexpr std::size_t kWithoutIntervals = 12'288;
  constexpr std::size_t kInterval = 200;
  const Duration length = config.upload ? config.upload->duration : config.terms.duration;
  const Duration step = std::max<Duration>(config.progress_interval, 1ms);
  const auto intervals = std::min<std::size_t>(static_cast<std::size_t>(length / step),
                                               engine::IntervalLog::kMaxIntervals);
  return kWithoutIntervals + kInterval * intervals;
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

wire::Nonce fresh_nonce() {
  const std::array<std::uint64_t, 2> random = {os::entropy64(), os::entropy64()};
  return std::bit_cast<wire::Nonce>(random);
}

// What is valid but most likely not what was meant.
void warn_of_slips(Console& console, const runtime::ClientRun& run) {
  if (run.engine.protocol.heartbeat_interval >= kServersUsualPatience) {
    console.err(fmt::format(
        "wyndrvr: warning: --heartbeat-rate {}: a server drops clients that are silent for its "
        "idle_timeout, {} ms unless it says otherwise",
        run.engine.protocol.heartbeat_interval / 1ms, kServersUsualPatience / 1ms));
  }
}

// What a run needs from outside of the settings, but for the server's address.
Result<void> complete_run(runtime::ClientRun& run, const Settings& settings) {
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

// The address to send from, and the interface where its zone names one.
Result<void> settle_bind(runtime::ClientRun& run, const Settings& settings, Scope& scope) {
  const auto& written = settings.address(Key::kBind);
  if (!written) return {};
  const auto address = settle(*written, scope);
  if (!address) return fail("{}: {}", settings.describe(Key::kBind), address.error().message);
  run.sockets.bind = *address;
  return {};
}

std::string host_of(const CommandLine& command) {
  const bool v6 = command.family == IpAddress::Family::kV6;
  return command.target.host.value_or(std::string(v6 ? kDefaultHostV6 : kDefaultHost));
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

struct Job {
  const CommandLine& command;
  const Settings& settings;
  std::string host;
  Port port;
};

std::expected<void, Failure> prepare(runtime::ClientRun& run, const Job& job,
                                     os::SignalFd& signals) {
  using enum engine::ProblemCode;
  if (auto completed = complete_run(run, job.settings); !completed) {
    return cannot_begin(completed.error());
  }
  Scope scope = scope_of(run.sockets.interface);
  if (auto settled = settle_bind(run, job.settings, scope); !settled) {
    return cannot_begin(settled.error());
  }
  const Locating wanted{.host = job.host, .port = job.port, .family = job.command.family};
  auto servers = locate_numeric(wanted, scope);
  if (servers && !*servers) return cannot_begin(servers->error());
  if (!servers) {
    auto resolved = resolve_aside(job.host, job.port, signals);
    if (!resolved) {
      return std::unexpected(
          Failure{.problem = {kInterrupted, "interrupted before the server's name was resolved"}});
    }
    servers = *std::move(resolved);
    if (*servers) servers = place(wanted, **std::move(servers), scope);
    if (!*servers) {
      return std::unexpected(Failure{.problem = {kNotResolved, servers->error().message}});
    }
  }
  run.sockets.interface = scope.interface;
  if (auto chosen = choose_servers(run, **std::move(servers), job.host, job.settings); !chosen) {
    return cannot_begin(chosen.error());
  }
  return {};
}

std::expected<runtime::ClientOutcome, Failure> measure(runtime::ClientRun& run, const Job& job,
                                                       os::SignalFd& signals, Output& output) {
  if (auto prepared = prepare(run, job, signals); !prepared) {
    return std::unexpected(prepared.error());
  }
  warn_of_slips(output.console(), run);
  ClientText text(output.console(), {.terminal = os::stderr_is_terminal(),
                                     .columns = os::terminal_width(),
                                     .verbose = job.settings.boolean(Key::kTestVerbose),
                                     .directions = job.command.directions,
                                     .ports = run.ports});
  run.lost_output = output.losses();
  auto outcome = runtime::run_client(run, text);
  output.end_run();
  output.console().clear_live();
  if (!outcome) {
    return std::unexpected(
        Failure{.problem = {engine::ProblemCode::kLocalFailure, outcome.error().message}});
  }
  text.show_result(outcome->result);
  return *std::move(outcome);
}

// A run that has not come to measure anything.
runtime::ClientOutcome outcome_of(const Failure& failure, WallTime started) {
  runtime::ClientOutcome outcome;
  outcome.result.valid = false;
  outcome.result.duration = std::max<Duration>(os::wall_now() - started, Duration(0));
  outcome.result.problems.push_back(failure.problem);
  return outcome;
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
  std::optional<Document> document;
  if (command.json) {
    auto prepared = Document::prepare(command.json_path, expected_size(run->engine));
    if (!prepared && command.json_path) return report_bad_usage(prepared.error());
    if (!prepared) return report_failure(prepared.error());
    document = *std::move(prepared);
  }
  const bool in_file = document && !document->on_stdout();
  auto signals = os::watch_end_signals();
  if (!signals) return report_failure(signals.error());

  const Job job{command, settings, host_of(command), command.target.port.value_or(kDefaultPort)};
  const RunFacts facts = start_facts(join_host_port(job.host, job.port), settings);
  Output output({.out_to_stderr = document && !in_file, .out_optional = in_file});
  const auto measured = measure(*run, job, *signals, output);
  output.end_run();
  const runtime::ClientOutcome outcome =
      measured ? *measured : outcome_of(measured.error(), facts.started_at);
  ExitCode code = measured ? exit_code_of(outcome.result, command.directions)
                           : report(output.console(), {measured.error().problem.message},
                                    measured.error().code);

  Patience patience(*signals, outcome.interrupted);
  if (document) {
    const std::string text = document_text(result_document(outcome, facts));
    if (auto written = document->write(text, output, patience); !written) {
      code = report(output.console(), written.error(), ExitCode::kFailed);
    }
  }
  const bool lost = !output.finish(patience).empty();
  return lost && code == ExitCode::kDone ? ExitCode::kFailed : code;
}

}  // namespace wyndrvr::app
