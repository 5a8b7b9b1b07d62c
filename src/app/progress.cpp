#include "app/progress.hpp"

#include <algorithm>
#include <cmath>

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

void add_sender(ProgressFigures& figures, const engine::UploadProgress& before,
                const engine::UploadProgress& now) {
  figures.rate_bps =
      rate(grown(before.sender.bytes, now.sender.bytes), now.elapsed - before.elapsed);
  figures.loss_percent = percent(grown(before.sender.reported_lost, now.sender.reported_lost),
                                 grown(before.sender.packets, now.sender.packets));
}

std::string clock_text(const ProgressFigures& figures) {
  const std::string whole = fmt::format("{:.1f}", to_seconds(figures.duration));
  return fmt::format("[{:>{}.1f}/{} s]", to_seconds(figures.elapsed), whole.size() + 1, whole);
}

std::string figures_text(const ProgressFigures& figures) {
  const std::string rate_text =
      figures.rate_bps ? format_rate(*figures.rate_bps) : "no report from the server";
  const std::string loss_text =
      figures.loss_percent ? fmt::format("{:.1f} %", *figures.loss_percent) : "-";
  return fmt::format("{}{}  loss {}  retransmitted {}", figures.at_receiver ? "" : "sent ",
                     rate_text, loss_text, figures.retransmitted);
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

ProgressFigures ProgressMeter::update(const engine::UploadProgress& event) {
  ProgressFigures figures;
  figures.elapsed = event.elapsed;
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
  return fmt::format("{}  {}", clock_text(figures), figures_text(figures));
}

std::string progress_bar(const ProgressFigures& figures, unsigned columns) {
  const std::size_t room = columns > 0 ? columns - 1 : 0;  // the last column would wrap
  const std::string plain = progress_text(figures);
  const std::size_t around = plain.size() + 3;  // a blank and the brackets
  if (around + kShortestBar > room) return plain.substr(0, room);
  const std::size_t length = std::min(kLongestBar, room - around);
  return fmt::format("{} {}  {}", clock_text(figures), bar_text(figures, length),
                     figures_text(figures));
}

}  // namespace wyndrvr::app
