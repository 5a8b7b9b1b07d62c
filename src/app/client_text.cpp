#include "app/client_text.hpp"

#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "app/port_workers.hpp"
#include "app/printable.hpp"
#include "app/si_format.hpp"
#include "app/summary_text.hpp"
#include "app/test_figures.hpp"
#include "app/unreachable_text.hpp"

namespace wyndrvr::app {
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
  if (event.addresses > 1) {
    console_.err(fmt::format("No answer yet; asking {} of {} addresses, the last of them {}",
                             event.asked, event.addresses, to_string(event.server)));
    return;
  }
  console_.err(fmt::format("No answer yet from {}, attempt {} of {}", to_string(event.server),
                           event.attempt, event.attempts));
}

void ClientText::show(const engine::ServerBusy& event) {
  // Asked every few seconds, told less often.
  const bool first = event.waited == Duration(0);
  if (!first && event.waited < busy_told_ + kBusyInterval) return;
  busy_told_ = event.waited;
  const std::string so_far =
      first ? "" : fmt::format(", {:.0f} s so far", to_seconds(event.waited));
  console_.err(
      fmt::format("The server is busy; asking again in {:.1f} s{} (it expects to be free in {:g} s "
                  "at the latest)",
                  to_seconds(event.asking_again_in), so_far, to_seconds(event.at_latest)));
}

void ClientText::show(const engine::ServerUnreachable& event) {
  console_.err(fmt::format("{}: {}", to_string(event.server), words_of(event.cause)));
}

void ClientText::show(const engine::NothingReceived& event) {
  const std::string silence =
      fmt::format("nothing received for {:.0f} s", to_seconds(event.silent));
  if (!event.direction) return console_.err(silence);
  std::string line = fmt::format("{}  {}", clock_text(event.elapsed, event.duration), silence);
  if (event.elapsed >= event.duration) {
    line += *event.direction == engine::PortKind::kDownload ? "; waiting for the server's figures"
                                                            : "; waiting for the server's result";
  }
  if (options_.directions == wire::Directions::kBoth) {
    line = fmt::format("{:<4} {}", direction_name(*event.direction), line);
  }
  if (options_.terminal) {
    console_.live(line.substr(0, options_.columns > 0 ? options_.columns - 1 : 0));
  } else {
    console_.err(line);
  }
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

void ClientText::show(const engine::TestBegun& event) {
  console_.out(fmt::format("{} test started on channel {}, {:g} s", test_name(event.direction),
                           event.channel.value, to_seconds(event.duration)));
}

void ClientText::show(const engine::TestProgress& event) {
  const ProgressFigures figures = meters_[engine::index_of(event.direction)].update(event);
  if (options_.directions == wire::Directions::kBoth) {
    show_both(figures);
  } else if (options_.terminal) {
    console_.live(progress_bar(figures, options_.columns));
  } else {
    console_.err(progress_text(figures));
  }
}

void ClientText::show_both(const ProgressFigures& figures) {
  latest_[engine::index_of(figures.direction)] = figures;
  if (!options_.terminal) {
    console_.err(directed_progress_text(figures));
    return;
  }
  console_.live(both_progress(latest_[engine::index_of(engine::PortKind::kUpload)],
                              latest_[engine::index_of(engine::PortKind::kDownload)],
                              options_.columns));
}

void ClientText::show(const engine::TestDraining& /*event*/) {
  // What was downloaded is counted here.
  console_.err(options_.directions == wire::Directions::kDownload
                   ? "Time is over; waiting for the last datagrams"
                   : "Time is over; waiting for the server's result");
}

void ClientText::show(const engine::TestResultArrived& event) {
  const std::string repeats =
      event.linger > Duration::zero()
          ? fmt::format("; acknowledging repeats for {:g} s", to_seconds(event.linger))
          : "";
  console_.err("Result received" + repeats);
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
