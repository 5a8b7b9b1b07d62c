#include "app/result_json.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "app/test_figures.hpp"
#include "app/unreachable_text.hpp"

namespace wyndrvr::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "wyndrvr-result/1";

template <class T>
void put(Json& object, const char* key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

void put_ns(Json& object, const char* key, const std::optional<Duration>& value) {
  if (value) object[key] = value->count();
}

void put_summary(Json& object, const char* key,
                 const std::optional<stats::LatencySummary>& summary) {
  if (!summary) return;
  Json json = {{"min", summary->min.count()}, {"mean", summary->mean.count()}};
  put_ns(json, "stddev", summary->stddev);
  json["p50"] = summary->p50.count();
  json["p90"] = summary->p90.count();
  json["p95"] = summary->p95.count();
  json["p99"] = summary->p99.count();
  json["p99_9"] = summary->p99_9.count();
  json["max"] = summary->max.count();
  object[key] = std::move(json);
}

Json latency_of_port(const engine::LatencyTotals& totals) {
  Json json = {{"sent", totals.sent},
               {"received", totals.received},
               {"lost", totals.lost},
               {"skipped", totals.skipped}};
  put_summary(json, "rtt_ns", totals.rtt);
  put_summary(json, "application_rtt_ns", totals.application_rtt);
  put_summary(json, "network_rtt_ns", totals.network_rtt);
  put_ns(json, "jitter_ns", totals.jitter);
  return json;
}

// Ports that sent nothing in this phase measured nothing.
Json latency(const engine::SessionResult& result,
             engine::LatencyTotals engine::PortTotals::* phase) {
  Json json = Json::object();
  for (const engine::PortKind port : engine::kPortKinds) {
    const auto& totals = result.ports[engine::index_of(port)];
    if (!totals || ((*totals).*phase).sent == 0) continue;
    json[std::string(name(port))] = latency_of_port((*totals).*phase);
  }
  return json;
}

// Datagrams that were ignored, by port and reason; only what occurred.
Json ignored(const engine::SessionResult& result) {
  Json json = Json::object();
  for (const engine::PortKind port : engine::kPortKinds) {
    const auto& totals = result.ports[engine::index_of(port)];
    if (!totals) continue;
    for (std::size_t i = 0; i < totals->drops.size(); ++i) {
      if (totals->drops[i] == 0) continue;
      const std::string_view reason = wire::name(static_cast<wire::DropReason>(i));
      json[std::string(name(port))][std::string(reason)] = totals->drops[i];
    }
  }
  return json;
}

Json intervals(const engine::TestOutcome& outcome) {
  Json json = Json::array();
  for (const engine::Interval& interval : outcome.intervals) {
    Json entry = {{"start_s", to_seconds(interval.start)},
                  {"end_s", to_seconds(interval.end)},
                  {"bytes", interval.bytes},
                  {"packets", interval.packets},
                  {"lost", interval.lost}};
    const Duration length = interval.end - interval.start;
    if (length > Duration::zero()) entry["rate_bps"] = rate_of({interval.bytes}, length).bps;
    json.push_back(std::move(entry));
  }
  return json;
}

// Marks are told where there were some, or could have been.
Json packets(const TestFigures& figures, bool ecn) {
  Json json = Json::object();
  put(json, "sent", figures.sent);
  put(json, "received", figures.received);
  put(json, "unique", figures.unique);
  put(json, "lost", figures.lost);
  put(json, "duplicate", figures.duplicate);
  put(json, "reordered", figures.reordered);
  put(json, "retransmitted", figures.retransmitted);
  if (ecn || figures.ecn_ce.value_or(0) > 0) put(json, "ecn_ce", figures.ecn_ce);
  return json;
}

std::string_view method(const engine::TestOutcome& outcome) {
  if (outcome.requested_rate) return "fixed";
  return outcome.dialect == engine::Dialect::kOriginal ? "0.14" : "max";
}

Json test_head(const engine::TestOutcome& outcome) {
  const std::string_view direction = name(outcome.direction);
  Json json = {{"kind", outcome.both ? "bidirectional" : direction},
               {"direction", direction},
               {"method", method(outcome)},
               {"streams", outcome.streams},
               {"payload_bytes", outcome.payload_bytes}};
  if (outcome.requested_rate) json["requested_rate_bps"] = outcome.requested_rate->bps;
  json["requested_duration_s"] = to_seconds(outcome.requested);
  return json;
}

Json test(const engine::TestOutcome& outcome, const engine::SessionResult& result,
          const RunFacts& facts) {
  const TestFigures figures = figures_of(outcome, result.server);
  Json json = test_head(outcome);
  if (figures.duration) json["duration_s"] = to_seconds(*figures.duration);
  json["packets"] = packets(figures, facts.ecn);
  if (outcome.sender.blocked > 0) json["send_blocked"] = outcome.sender.blocked;
  if (figures.causes) {
    json["lost_by_cause"] = {{"network", figures.causes->network},
                             {"receiver_socket", figures.causes->receiver_socket},
                             {"sender_local", figures.causes->sender_local}};
  }
  put(json, "bytes_received", figures.bytes_received);
  put(json, "rate_bps", figures.rate_bps);
  put(json, "ip_rate_bps", figures.ip_rate_bps);
  put(json, "goodput_bps", figures.goodput_bps);
  if (figures.jitter) json["jitter_ns"] = {{"rfc3550", figures.jitter->count()}};
  Json loaded = latency(result, &engine::PortTotals::loaded);
  if (!loaded.empty()) json["latency"] = std::move(loaded);
  json["intervals"] = intervals(outcome);
  return json;
}

// The processes that ports have of their own.
Json workers(const std::vector<runtime::WorkerFact>& facts) {
  Json json = Json::array();
  for (const runtime::WorkerFact& worker : facts) {
    json.push_back({{"port", name(worker.port)}, {"pid", worker.pid}});
  }
  return json;
}

Json host_facts(const std::optional<runtime::HostFacts>& host, const RunFacts& facts) {
  Json json = {{"kernel", facts.kernel}, {"cpu_count", facts.cpu_count}};
  if (!host) return json;
  if (host->receive_buffer_bytes > 0) json["receive_buffer_bytes"] = host->receive_buffer_bytes;
  if (host->send_buffer_bytes > 0) json["send_buffer_bytes"] = host->send_buffer_bytes;
  json["gso"] = host->gso;
  json["gro"] = host->gro;
  json["timestamp_source"] = host->timestamp_source;
  return json;
}

// By port: in a mode where they share a loop, each tells of the same one.
Json loop_lag(const engine::SessionResult& result) {
  Json json = Json::object();
  for (const engine::PortKind port : engine::kPortKinds) {
    const auto& totals = result.ports[engine::index_of(port)];
    if (totals) put_summary(json, std::string(name(port)).c_str(), totals->loop_lag);
  }
  return json;
}

Json problems(const engine::SessionResult& result) {
  Json json = Json::array();
  for (const engine::Problem& problem : problems_of(result)) {
    Json one = {{"code", code_of(problem.code)}, {"message", problem_text(problem)}};
    if (problem.cause) one["cause"] = name_of(*problem.cause);
    if (problem.count > 1) one["count"] = problem.count;
    json.push_back(std::move(one));
  }
  return json;
}

}  // namespace

nlohmann::ordered_json result_document(const runtime::ClientOutcome& outcome,
                                       const RunFacts& facts) {
  const engine::SessionResult& result = outcome.result;
  Json json = {{"schema", kSchema},
               {"run_id", base::to_string(facts.run_id)},
               {"started_at", format_rfc3339(facts.started_at)},
               {"duration_s", to_seconds(result.duration)}};
  json["tool"] = {{"name", "wyndrvr"}, {"version", WYNDRVR_VERSION}};
  json["dialect"] = name(result.dialect.value_or(facts.dialect));
  json["target"] = facts.target;
  if (result.server) json["server"] = to_string(*result.server);
  json["mode"] = {{"port", runtime::name(facts.ports)},
                  {"connection", runtime::name(facts.connections)}};
  if (!outcome.workers.empty()) json["workers"] = workers(outcome.workers);
  json["host"] = host_facts(outcome.host, facts);
  if (Json lag = loop_lag(result); !lag.empty()) json["host"]["loop_lag_ns"] = std::move(lag);
  json["valid"] = result.valid;
  json["problems"] = problems(result);
  json["latency"] = latency(result, &engine::PortTotals::idle);
  json["tests"] = Json::array();
  for (const engine::TestOutcome& tested : result.tests) {
    json["tests"].push_back(test(tested, result, facts));
  }
  Json drops = ignored(result);
  if (!drops.empty()) json["ignored_datagrams"] = std::move(drops);
  return json;
}

std::string document_text(const nlohmann::ordered_json& document) {
  constexpr int kIndent = 2;
  return document.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string format_rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto since_epoch = floor<milliseconds>(time.time_since_epoch());
  const sys_time<milliseconds> instant(since_epoch);
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss clock(instant - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace wyndrvr::app
