#include "app/server_text.hpp"

#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "app/port_workers.hpp"
#include "app/printable.hpp"
#include "app/si_format.hpp"
#include "app/test_figures.hpp"
#include "wire/connect.hpp"

namespace wyndrvr::app {
namespace {

std::string_view describe(engine::SessionEnd reason) {
  using enum engine::SessionEnd;
  switch (reason) {
    case kResultDelivered:
      return "test done";
    case kIdle:
      return "silent for idle_timeout";
    case kUnproven:
      return "did not use all of its ports";
    case kResultUndelivered:
      return "never acknowledged its result";
    case kShutdown:
      return "server stops";
    case kEvicted:
      return "made room for another client";
    case kFailed:
      return "ended by a failure on this host";
    case kClosed:
      return "closed by the client";
    case kTimeOver:
      return "its time is over, see max_session_duration";
  }
  return "unknown";
}

// The acceptor's words for a limit of dialect 1 that 0.14 has no refusal for.
constexpr std::string_view kTotalRate = "total rate";

// The keys behind a limit, which goes by the words of the refusal that the client gets.
std::string_view remedy(std::string_view limit) {
  using enum wire::RefusalReason;
  if (limit == wire::text(kAddressLimit)) return "raise max_sessions_per_address";
  if (limit == wire::text(kNetworkLimit)) return "raise max_sessions_per_network";
  if (limit == kTotalRate) return "raise max_total_rate";
  if (limit == wire::text(kServerFull)) return "raise max_sessions or max_unproven_sessions";
  return "see the keys max_...";
}

}  // namespace

void ServerText::on_report(const engine::Report& report) {
  std::visit([this](const auto& event) { show(event); }, report);
}

void ServerText::show_started(const Endpoint& bound) {
  console_.out(fmt::format("Server started on {}", to_string(bound)));
}

void ServerText::show_outcome(const runtime::ServerOutcome& outcome) {
  console_.out(fmt::format("Server stopped: {} clients served, {} refused, {} datagrams ignored",
                           outcome.sessions, outcome.refused, outcome.ignored_datagrams));
}

void ServerText::show(const engine::ClientConnected& event) {
  console_.out(fmt::format("Client connected: {}", to_string(event.client)));
}

bool ServerText::shows_latency_of(const Endpoint& client) {
  if (options_.verbose) return true;
  const Instant now = options_.clock();
  if (limits_.size() == kMaxClients && !limits_.contains(client)) return total_.allow(now);
  LineLimit& limit = limits_.try_emplace(client, kClientBurst, kClientRate).first->second;
  return limit.allow(now) && (total_.allow(now) || limit.refuse());
}

void ServerText::show_left_out(const Endpoint& client) {
  const auto found = limits_.find(client);
  const std::uint64_t count = found == limits_.end() ? 0 : found->second.take_left_out();
  if (count == 0) return;
  console_.err(fmt::format("Server latency lines of {} left out: {} (--test-verbose shows all)",
                           to_string(client), count));
}

void ServerText::forget(const Endpoint& client) {
  show_left_out(client);
  limits_.erase(client);
}

void ServerText::show(const engine::ServerLatencySample& event) {
  if (!shows_latency_of(event.client)) return;
  show_left_out(event.client);
  console_.err(fmt::format("Server latency on {:<9} to {}: {}", label(event.port),
                           to_string(event.client), format_rtt(event.rtt)));
}

void ServerText::show(const engine::ClientGone& event) {
  forget(event.client);
  for (const engine::PortKind port : engine::kPortKinds) {
    const auto& mean = event.mean_rtt[engine::index_of(port)];
    if (!mean) continue;
    console_.err(fmt::format("Server average latency on {:<9} to {}: {}", label(port),
                             to_string(event.client), format_rtt(*mean)));
  }
  if (!event.was_connected) return;
  console_.out(
      fmt::format("Client left: {} ({})", to_string(event.client), describe(event.reason)));
}

void ServerText::show(const engine::ServerTestResult& event) {
  const engine::ReceiverTotals& totals = event.totals;
  const auto measured = totals.rate();
  const std::string rate = measured ? format_rate(measured->bps) + ", " : "";
  console_.out(fmt::format(
      "{} test of {}: {}{} in {}, {} datagrams, lost {} ({}), retransmitted {}",
      test_name(event.direction), to_string(event.client), rate, format_bytes(totals.bytes),
      format_seconds(totals.first_to_last), totals.packets, totals.lost(),
      format_share(totals.lost(), totals.expected), totals.retransmitted));
}

void ServerText::show(const engine::PortsExhausted& /*event*/) {
  console_.err("All ports are in use, so new clients are refused: widen port_ranges");
}

void ServerText::show(const engine::LimitReached& event) {
  // A fault of this host's, which says itself what to do.
  if (event.limit.starts_with(wire::text(wire::RefusalReason::kNoWorker))) {
    console_.err(
        fmt::format("New clients are refused: {}", printable(event.limit, kMaxPrintableSentence)));
    return;
  }
  console_.err(fmt::format("A limit is reached ({}), so new clients are refused: {}",
                           printable(event.limit), remedy(event.limit)));
}

void ServerText::show(const engine::TraceLine& event) {
  using enum engine::TraceKind;
  const std::uint32_t channel = event.channel.value;
  const std::string detail = event.detail.empty() ? "" : " " + printable(event.detail);
  switch (event.kind) {
    case kBwupReceived:
      console_.err(fmt::format("Server received BWUP packet from {}", to_string(event.client)));
      return;
    case kUcmSent:
      console_.err(fmt::format("Server sent UCM{}", detail));
      return;
    case kUcmDeleted:
      console_.err(fmt::format("Server deleted UCM{} (ack=0)", detail));
      return;
    case kUploadTestStarted:
      console_.err(fmt::format("Server started upload bandwidth test on channel {}", channel));
      return;
    case kFlowControlSent:
      console_.err(fmt::format("Server sent FLOW_CONTROL on channel {}", channel));
      return;
    case kBwupSent:
    case kBwupAckReceived:
    case kFlowControlReceived:
      return;  // the client's
  }
}

void ServerText::show(const engine::PortsStarted& event) {
  const std::string_view workers = port_workers(options_.ports);
  if (!options_.verbose || workers.empty()) return;
  console_.err(fmt::format("Started port {} for client {}", workers, to_string(event.client)));
}

void ServerText::show(const engine::PortLost& event) {
  show_loss(event.client, event.cause);
}

void ServerText::show(const engine::SessionLost& event) {
  forget(event.client);
  show_loss(event.client, event.cause);
}

void ServerText::show_loss(const Endpoint& client, std::string_view cause) {
  console_.err(
      fmt::format("Client {}: {}", to_string(client), printable(cause, kMaxPrintableSentence)));
}

}  // namespace wyndrvr::app
