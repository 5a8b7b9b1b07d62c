#include "app/summary_text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "app/printable.hpp"
#include "app/si_format.hpp"
#include "app/test_figures.hpp"
#include "app/unreachable_text.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::size_t kLabelWidth = 9;  // protocol 0.14 section 7
constexpr std::size_t kNameWidth = 14;
constexpr std::size_t kColumns = 10;
using Row = std::array<std::string, kColumns>;

constexpr std::string_view kNotMeasured = "-";

std::string duration_or_dash(const std::optional<Duration>& duration) {
  return duration ? format_duration(*duration) : std::string(kNotMeasured);
}

Row latency_row(std::string label, const engine::LatencyTotals& totals) {
  Row row = {std::move(label), fmt::format("{}", totals.sent), fmt::format("{}", totals.received),
             format_share(totals.lost, totals.sent)};
  std::fill(row.begin() + 4, row.end(), std::string(kNotMeasured));
  if (totals.rtt) {
    row[4] = format_duration(totals.rtt->min);
    row[5] = format_duration(totals.rtt->p50);
    row[6] = format_duration(totals.rtt->p99);
    row[7] = format_duration(totals.rtt->max);
  }
  row[8] = duration_or_dash(totals.jitter);
  if (totals.network_rtt) row[9] = format_duration(totals.network_rtt->p50);
  return row;
}

// The first column to the left, the others to the right.
std::vector<std::string> align(const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<std::string> lines;
  for (const Row& row : rows) {
    std::string line = fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < kColumns; ++i) line += fmt::format("  {:>{}}", row[i], widths[i]);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string test_line(std::string_view name, std::string_view value) {
  return fmt::format("  {:<{}}  {}", name, kNameWidth, value);
}

std::string datagram_counts(const TestFigures& figures) {
  std::vector<std::string> parts;
  const auto add = [&parts](std::string_view name, const std::optional<std::uint64_t>& count) {
    if (count) parts.push_back(fmt::format("{} {}", name, *count));
  };
  add("sent", figures.sent);
  add("received", figures.received);
  if (figures.lost) {
    parts.push_back(fmt::format("lost {} ({})", *figures.lost,
                                format_share(*figures.lost, figures.sent.value_or(0))));
  }
  add("duplicate", figures.duplicate);
  add("reordered", figures.reordered);
  add("retransmitted", figures.retransmitted);
  if (figures.ecn_ce.value_or(0) > 0) add("marked CE", figures.ecn_ce);
  return fmt::to_string(fmt::join(parts, ", "));
}

// What was asked for, where it is not the usual.
std::vector<std::string> wish_lines(const engine::TestOutcome& outcome) {
  std::vector<std::string> lines;
  if (outcome.requested_rate) {
    lines.push_back(test_line("asked for", format_rate(outcome.requested_rate->bps)));
  }
  if (outcome.streams > 1)
    lines.push_back(test_line("streams", fmt::format("{}", outcome.streams)));
  return lines;
}

void append(std::vector<std::string>& lines, const std::vector<std::string>& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace

std::vector<std::string> average_lines(const engine::SessionResult& result) {
  std::vector<std::string> lines;
  for (const engine::PortKind port : engine::kPortKinds) {
    const auto& totals = result.ports[engine::index_of(port)];
    if (!totals) continue;
    double sum = 0;
    double count = 0;
    for (const engine::LatencyTotals* phase : {&totals->idle, &totals->loaded}) {
      if (!phase->rtt) continue;
      const auto samples = static_cast<double>(phase->rtt->count);
      sum += static_cast<double>(phase->rtt->mean.count()) * samples;
      count += samples;
    }
    if (count == 0) continue;
    lines.push_back(fmt::format("Client average latency {:<{}}: {}", label(port), kLabelWidth,
                                format_rtt(Duration(static_cast<std::int64_t>(sum / count)))));
  }
  return lines;
}

std::vector<std::string> latency_table(const engine::SessionResult& result) {
  std::vector<Row> rows = {{"port", "sent", "received", "loss", "min", "median", "p99", "max",
                            "jitter", "network median"}};
  for (const bool loaded : {false, true}) {
    for (const engine::PortKind port : engine::kPortKinds) {
      const auto& totals = result.ports[engine::index_of(port)];
      if (!totals) continue;
      const engine::LatencyTotals& phase = loaded ? totals->loaded : totals->idle;
      if (phase.sent == 0 && phase.received == 0) continue;
      rows.push_back(
          latency_row(fmt::format("{}{}", label(port), loaded ? " in test" : ""), phase));
    }
  }
  if (rows.size() == 1) return {};
  std::vector<std::string> lines = {"Round trips"};
  append(lines, align(rows));
  return lines;
}

std::vector<std::string> test_table(const engine::TestOutcome& outcome,
                                    const std::optional<Endpoint>& server) {
  const TestFigures figures = figures_of(outcome, server);
  std::vector<std::string> lines = {fmt::format("{} test{}", test_name(outcome.direction),
                                                outcome.both ? ", both directions at once" : "")};
  append(lines, wish_lines(outcome));
  const auto add_rate = [&lines](std::string_view name, const std::optional<double>& bps) {
    if (bps) lines.push_back(test_line(name, format_rate(*bps)));
  };
  add_rate("rate", figures.rate_bps);
  add_rate("goodput", figures.goodput_bps);
  add_rate("IP-layer rate", figures.ip_rate_bps);
  if (figures.bytes_received) {
    lines.push_back(test_line("received", format_bytes(*figures.bytes_received)));
  }
  if (figures.duration) lines.push_back(test_line("duration", format_seconds(*figures.duration)));
  if (figures.jitter) lines.push_back(test_line("jitter", format_duration(*figures.jitter)));
  if (const std::string counts = datagram_counts(figures); !counts.empty()) {
    lines.push_back(test_line("datagrams", counts));
  }
  if (figures.causes) {
    lines.push_back(
        test_line("lost where",
                  fmt::format("network {}, receiver socket {}, sender {}", figures.causes->network,
                              figures.causes->receiver_socket, figures.causes->sender_local)));
  }
  if (!outcome.has_result) {
    lines.push_back(std::string(outcome.direction == engine::PortKind::kDownload
                                    ? "  the result is missing"
                                    : "  the server's result is missing") +
                    (outcome.receiver ? ": these are the figures so far" : ""));
  }
  return lines;
}

std::vector<std::string> problem_lines(const engine::SessionResult& result) {
  std::vector<std::string> lines;
  for (const engine::Problem& problem : problems_of(result)) {
    lines.push_back(fmt::format("{}: {}", code_of(problem.code),
                                printable(problem_text(problem), kMaxPrintableSentence)));
  }
  return lines;
}

std::vector<std::string> summary_lines(const engine::SessionResult& result) {
  std::vector<std::string> lines = latency_table(result);
  for (const engine::TestOutcome& outcome : result.tests) {
    append(lines, test_table(outcome, result.server));
  }
  append(lines, problem_lines(result));
  return lines;
}

}  // namespace wyndrvr::app
