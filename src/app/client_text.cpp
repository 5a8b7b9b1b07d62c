#include "app/client_text.hpp"

#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "app/port_workers.hpp"
#include "app/printable.hpp"
#include "app/si_format.hpp"
#include "app/summary_text.hpp"

namespace wyndrvr::app {
namespace {

constexpr unsigned kConnectAttempts = 5;  // protocol 0.14 section 1

}  // namespace

void ClientText::on_report(const engine::Report& report) {
  std::visit([this](const auto& event) { show(event); }, report);
}

void ClientText::show_result(const engine::SessionResult& result) {
  console_.clear_live();
  for (const std::string& line : average_lines(result)) console_.err(line);
  for (const std::string& line : summary_lines(result)) console_.out(line);
}

void ClientText::show(const engine::Connecting& event) {
  if (event.attempt == 1) {
    console_.out(fmt::format("Connecting to server {}", to_string(event.server)));
    return;
  }
  console_.err(fmt::format("No answer yet from {}, attempt {} of {}", to_string(event.server),
                           event.attempt, kConnectAttempts));
}

void ClientText::show(const engine::Assigned& event) {
  std::string line = "Received port assignment:";
  for (const engine::PortKind port : engine::kPortKinds) {
    const std::size_t i = engine::index_of(port);
    line += fmt::format("{} {} {}", i == 0 ? "" : ",", name(port), event.ports[i].value);
  }
  console_.out(line);
}

void ClientText::show(const engine::Connected& /*event*/) {
  console_.out("Client connected successfully");
}

void ClientText::show(const engine::Refused& event) {
  console_.err(fmt::format("The server refused: {}", printable(event.reason)));
}

void ClientText::show(const engine::NoAnswer& /*event*/) {
  console_.err("Timeout waiting for server response");
}

void ClientText::show(const engine::LatencySample& event) {
  console_.err(fmt::format("Client latency {:<9}: {}", label(event.port), format_rtt(event.rtt)));
}

void ClientText::show(const engine::UploadStarted& event) {
  console_.out(fmt::format("Upload test started on channel {}, {:g} s", event.channel.value,
                           to_seconds(event.duration)));
}

void ClientText::show(const engine::UploadProgress& event) {
  const ProgressFigures figures = meter_.update(event);
  if (options_.terminal) {
    console_.live(progress_bar(figures, options_.columns));
  } else {
    console_.err(progress_text(figures));
  }
}

void ClientText::show(const engine::UploadDraining& /*event*/) {
  console_.err("Time is over; waiting for the server's result");
}

void ClientText::show(const engine::UploadResultArrived& event) {
  console_.err(
      fmt::format("Result received; acknowledging repeats for {:g} s", to_seconds(event.linger)));
}

void ClientText::show(const engine::TraceLine& event) {
  using enum engine::TraceKind;
  switch (event.kind) {
    case kBwupSent:
      console_.err(fmt::format("Client sent BWUP packet on channel {}", event.channel.value));
      return;
    case kBwupAckReceived:
      console_.err("Client received BWUP ack from server");
      return;
    case kFlowControlReceived:
      console_.err(fmt::format("Client received FLOW_CONTROL on channel {}", event.channel.value));
      return;
    case kBwupReceived:
    case kUcmSent:
    case kUcmDeleted:
    case kUploadTestStarted:
    case kFlowControlSent:
      return;  // the server's
  }
}

void ClientText::show(const engine::PortsStarted& /*event*/) {
  const std::string_view workers = port_workers(options_.ports);
  if (!options_.verbose || workers.empty()) return;
  console_.err(fmt::format("Client started port {} ({} mode)", workers, name(options_.ports)));
}

void ClientText::show(const engine::PortLost& event) {
  console_.err(fmt::format("wyndrvr: {}", printable(event.cause, kMaxPrintableSentence)));
}

}  // namespace wyndrvr::app
