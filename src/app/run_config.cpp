#include "app/run_config.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "app/client_terms.hpp"
#include "engine/admission_limits.hpp"

namespace wyndrvr::app {
namespace {

constexpr Duration kShortestReportInterval = 1ms;

Result<void> check_report_interval(const Settings& settings) {
  const Duration delay = settings.duration(Key::kAdjustmentDelay);
  const auto rate = static_cast<std::int64_t>(settings.integer(Key::kFlowControlRate));
  if (delay / rate >= kShortestReportInterval) return {};
  return fail("{} / {} is less than 1 ms: make adjustment_delay at least {}",
              settings.describe(Key::kAdjustmentDelay), settings.describe(Key::kFlowControlRate),
              rate);
}

bool contains(const engine::PortRange& range, Port port) {
  return range.first <= port && port <= range.last;
}

Port bind_port(const Settings& settings) {
  return {static_cast<std::uint16_t>(settings.integer(Key::kBindPort))};
}

// Ranges that somebody chose must not hold the main port. The default ones give way instead, even
// where a file spells them out: who says `--server :7000` has contradicted nobody.
Result<void> check_main_port(const Settings& settings) {
  const Port port = bind_port(settings);
  const PortRanges& ranges = settings.port_ranges(Key::kPortRanges);
  const auto holds_port = [port](const engine::PortRange& range) { return contains(range, port); };
  if (ranges == Settings().port_ranges(Key::kPortRanges) ||
      std::ranges::none_of(ranges, holds_port)) {
    return {};
  }
  return fail("{} contains {}: the server's own port cannot be a client's",
              settings.describe(Key::kPortRanges), settings.describe(Key::kBindPort));
}

PortRanges ranges_without(const PortRanges& ranges, Port port) {
  PortRanges result;
  for (const engine::PortRange& range : ranges) {
    if (!contains(range, port)) {
      result.push_back(range);
      continue;
    }
    if (range.first < port) {
      result.push_back({range.first, {static_cast<std::uint16_t>(port.value - 1)}});
    }
    if (port < range.last) {
      result.push_back({{static_cast<std::uint16_t>(port.value + 1)}, range.last});
    }
  }
  return result;
}

// Before anything is started, rather than when a loop is pinned.
Result<void> check_cpus(const Settings& settings, const CpuList& allowed) {
  if (allowed.empty()) return {};
  CpuList refused;
  for (const unsigned cpu : settings.cpus(Key::kCpu)) {
    if (std::ranges::find(allowed, cpu) == allowed.end()) refused.push_back(cpu);
  }
  if (refused.empty()) return {};
  return fail("{}: this process may not use CPU {}, only {}", settings.describe(Key::kCpu),
              format_cpu_list(std::move(refused)), format_cpu_list(allowed));
}

engine::ProtocolConfig protocol_config(const Settings& settings) {
  return {
      .heartbeat_interval = settings.duration(Key::kHeartbeatRate),
      .adjustment_delay = settings.duration(Key::kAdjustmentDelay),
      .flow_control_rate = static_cast<std::uint32_t>(settings.integer(Key::kFlowControlRate)),
      .control_resend_interval = settings.duration(Key::kUcmDelay),
      .result_resend_interval = settings.duration(Key::kUcmRate),
      .trace = settings.boolean(Key::kTestVerbose),
  };
}

runtime::LoopTuning loop_tuning(const Settings& settings, Key block_time) {
  return {
      .gather = settings.duration(Key::kIncomingBlockingLevel),
      .incoming_sleep = settings.duration(Key::kIncomingSleep),
      .send_sleep = settings.duration(Key::kSendSleep),
      .max_send_time = settings.duration(Key::kMaxSendTime),
      .block_limit = settings.duration(block_time),
      .test_delay = settings.duration(Key::kTestDelay),
      .drop_probability = settings.decimal(Key::kTestDropRate),
      .offloads = {.gso = settings.offload(Key::kGso), .gro = settings.offload(Key::kGro)},
  };
}

// `ranges`: the ports that are left for clients.
engine::ServerLimits server_limits(const Settings& settings, const PortRanges& ranges) {
  const engine::SessionShares shares = engine::shares_of(ranges);
  const auto count = [&](Key key, std::size_t share) {
    const std::size_t chosen = settings.integer(key);
    return chosen == 0 ? share : chosen;
  };
  engine::ServerLimits limits;
  limits.idle_timeout = settings.duration(Key::kIdleTimeout);
  limits.max_session_duration = settings.duration(Key::kMaxSessionDuration);
  limits.max_sessions = settings.integer(Key::kMaxSessions);
  limits.max_sessions_per_address = count(Key::kMaxSessionsPerAddress, shares.per_address);
  limits.max_sessions_per_network = count(Key::kMaxSessionsPerNetwork, shares.per_network);
  limits.max_unproven_sessions = count(Key::kMaxUnprovenSessions, shares.unproven);
  limits.max_test_duration = settings.duration(Key::kMaxTestDuration);
  limits.max_rate = settings.rate(Key::kMaxRate);
  limits.max_total_rate = settings.rate(Key::kMaxTotalRate);
  limits.max_test_bytes = settings.octets(Key::kMaxTestBytes);
  limits.max_streams = static_cast<std::uint8_t>(settings.integer(Key::kMaxStreams));
  limits.max_payload = static_cast<std::uint32_t>(settings.integer(Key::kMaxPayload));
  return limits;
}

runtime::SocketWishes socket_wishes(const Settings& settings) {
  return {
      .interface = settings.string(Key::kInterface),
      .hop_limit = settings.hop_limit(Key::kTtl),
      .traffic_class = traffic_class(settings),
      .never_fragment = !settings.boolean(Key::kFragment),
  };
}

// What a client wants of the server, in either dialect.
Result<void> add_wishes(engine::ClientConfig& config, const Settings& settings,
                        const ClientWishes& wishes) {
  config.dialect = settings.dialect(Key::kDialect);
  config.terms = test_terms(settings, wishes.directions);
  config.not_in_original = beyond_original(settings, wishes.directions);
  if (config.dialect == engine::DialectChoice::kOriginal && !config.not_in_original.empty()) {
    return fail("{} does not go with {}", settings.describe(Key::kDialect), config.not_in_original);
  }
  if (wishes.directions == wire::Directions::kLatencyOnly) {
    if (settings.origin(Key::kDuration).kind == Origin::Kind::kOption) {
      config.latency_duration = settings.duration(Key::kDuration);
    }
  } else if (config.not_in_original.empty()) {
    config.upload = upload_request(settings);
  }
  return {};
}

}  // namespace

Result<void> check_consistent(const Settings& settings, Role role) {
  if (auto checked = check_report_interval(settings); !checked) return checked;
  if (auto checked = check_dialect_keys(settings, role); !checked) return checked;
  return role == Role::kClient ? Result<void>{} : check_main_port(settings);
}

namespace {

Result<void> check_run(const Settings& settings, Role role, const CpuList& allowed) {
  if (auto checked = check_consistent(settings, role); !checked) return checked;
  return check_cpus(settings, allowed);
}

}  // namespace

Result<runtime::ClientRun> make_client_run(const Settings& settings, const ClientWishes& wishes,
                                           const CpuList& allowed) {
  if (auto checked = check_run(settings, Role::kClient, allowed); !checked) {
    return std::unexpected(checked.error());
  }
  runtime::ClientRun run;
  run.engine.protocol = protocol_config(settings);
  run.engine.heartbeat_count = wishes.heartbeat_count;
  run.engine.progress_interval = wishes.progress_interval;
  if (auto added = add_wishes(run.engine, settings, wishes); !added) {
    return std::unexpected(added.error());
  }
  run.sockets = socket_wishes(settings);
  run.tuning = loop_tuning(settings, Key::kClientBlockTime);
  run.ports = settings.mode(Key::kPortParallelability);
  run.cpus = settings.cpus(Key::kCpu);
  return run;
}

Result<runtime::ServerRun> make_server_run(const Settings& settings, const CpuList& allowed) {
  if (auto checked = check_run(settings, Role::kServer, allowed); !checked) {
    return std::unexpected(checked.error());
  }
  runtime::ServerRun run;
  run.engine.protocol = protocol_config(settings);
  run.engine.port_ranges =
      ranges_without(settings.port_ranges(Key::kPortRanges), bind_port(settings));
  run.engine.limits = server_limits(settings, run.engine.port_ranges);
  run.engine.dialect = settings.dialect(Key::kDialect);
  run.engine.key_required = settings.boolean(Key::kRequireKey);
  run.tuning = loop_tuning(settings, Key::kServerBlockTime);
  run.port = bind_port(settings);
  run.interface = settings.string(Key::kInterface);
  run.ports = settings.mode(Key::kPortParallelability);
  run.cpus = settings.cpus(Key::kCpu);
  run.sessions = settings.mode(Key::kConnectionParallelibility);
  return run;
}

}  // namespace wyndrvr::app
