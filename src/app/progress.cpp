#include "app/progress.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "app/si_format.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::size_t kShortestBar = 8;  // characters; a shorter one says nothing
constexpr std::size_t kLongestBar = 40;

// Totals of one receiver never shrink, save `lost` when a late datagram fills a gap.
std::uint64_t grown(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

std::optional<double> percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return std::min(100.0, 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::optional<double> rate(std::uint64_t bytes, Duration time) {
  if (time <= Duration::zero()) return std::nullopt;
  return rate_of({bytes}, time).bps;
}

void add_receiver(ProgressFigures& figures, const engine::ReceiverTotals& before,
                  const engine::ReceiverTotals& now) {
  figures.at_receiver = true;
  figures.rate_bps = rate(grown(before.bytes, now.bytes), now.elapsed - before.elapsed);
  figures.loss_percent =
      percent(grown(before.lost(), now.lost()), grown(before.expected, now.expected));
}

void add_sender(ProgressFigures& figures, const engine::TestProgress& before,
                const engine::TestProgress& now) {
  figures.rate_bps =
      rate(grown(before.sender.bytes, now.sender.bytes), now.elapsed - before.elapsed);
  figures.loss_percent = percent(grown(before.sender.reported_lost, now.sender.reported_lost),
                                 grown(before.sender.packets, now.sender.packets));
}

std::string rate_text(const ProgressFigures& figures) {
  if (figures.rate_bps) return format_rate(*figures.rate_bps);
  return figures.direction == engine::PortKind::kDownload ? "nothing received"
                                                          : "no report from the server";
}

std::string loss_text(const ProgressFigures& figures) {
  return figures.loss_percent ? fmt::format("loss {:.1f} %", *figures.loss_percent) : "loss -";
}

std::string figures_text(const ProgressFigures& figures) {
  return fmt::format("{}{}  {}  retransmitted {}", figures.at_receiver ? "" : "sent ",
                     rate_text(figures), loss_text(figures), figures.retransmitted);
}

std::size_t room_in(unsigned columns) {
  return columns > 0 ? columns - 1 : 0;  // the last column would wrap
}

std::string bar_text(const ProgressFigures& figures, std::size_t length) {
  const double share = figures.duration > Duration::zero()
                           ? to_seconds(figures.elapsed) / to_seconds(figures.duration)
                           : 1;
  const double filled = std::round(std::clamp(share, 0.0, 1.0) * static_cast<double>(length));
  const auto done = static_cast<std::size_t>(filled);
  return fmt::format("[{}{}]", std::string(done, '#'), std::string(length - done, '-'));
}

}  // namespace

std::string clock_text(Duration elapsed, Duration duration) {
  const std::string whole = fmt::format("{:.1f}", to_seconds(duration));
  return fmt::format("[{:>{}.1f}/{} s]", to_seconds(elapsed), whole.size() + 1, whole);
}

std::string_view direction_name(engine::PortKind direction) {
  return direction == engine::PortKind::kDownload ? "down" : "up";
}

ProgressFigures ProgressMeter::update(const engine::TestProgress& event) {
  ProgressFigures figures;
  figures.direction = event.direction;
  // The last event of a test may come a little after its time.
  figures.elapsed = std::min(event.elapsed, event.duration);
  figures.duration = event.duration;
  figures.retransmitted = grown(previous_.sender.retransmitted, event.sender.retransmitted);
  if (event.receiver) {
    add_receiver(figures, previous_.receiver.value_or(engine::ReceiverTotals{}), *event.receiver);
  } else {
    add_sender(figures, previous_, event);
  }
  previous_ = event;
  return figures;
}

std::string progress_text(const ProgressFigures& figures) {
  return fmt::format("{}  {}", clock_text(figures.elapsed, figures.duration),
                     figures_text(figures));
}

std::string directed_progress_text(const ProgressFigures& figures) {
  return fmt::format("{:<4} {}", direction_name(figures.direction), progress_text(figures));
}

std::string progress_bar(const ProgressFigures& figures, unsigned columns) {
  const std::size_t room = room_in(columns);
  const std::string plain = progress_text(figures);
  const std::size_t around = plain.size() + 3;  // a blank and the brackets
  if (around + kShortestBar > room) return plain.substr(0, room);
  const std::size_t length = std::min(kLongestBar, room - around);
  return fmt::format("{} {}  {}", clock_text(figures.elapsed, figures.duration),
                     bar_text(figures, length), figures_text(figures));
}

std::string both_progress(const std::optional<ProgressFigures>& up,
                          const std::optional<ProgressFigures>& down, unsigned columns) {
  std::string line;
  for (const auto* figures : {&up, &down}) {
    if (!*figures) continue;
    if (line.empty()) line = clock_text((*figures)->elapsed, (*figures)->duration);
    line += fmt::format("  {} {}, {}", direction_name((*figures)->direction), rate_text(**figures),
                        loss_text(**figures));
  }
  return line.substr(0, room_in(columns));
}

}  // namespace wyndrvr::app
