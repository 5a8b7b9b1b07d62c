#include "app/si_format.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include <fmt/format.h>

namespace wyndrvr::app {
namespace {

struct Scale {
  double factor;
  std::string_view unit;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// In the largest unit that leaves at least 1, with `digits` significant digits.
std::string scaled(double value, std::span<const Scale> scales, int digits) {
  const Scale* chosen = &scales.back();
  for (const Scale& scale : scales) {
    // What would be rounded up to the next unit belongs to it: 999.99 us is 1.00 ms.
    const double margin = 1 - 0.5 * std::pow(10.0, -digits);
    if (std::abs(value) >= scale.factor * margin) {
      chosen = &scale;
      break;
    }
  }
  if (value == 0) return fmt::format("0 {}", chosen->unit);
  std::string number;
  for (int decimals = digits - 1; decimals >= 0; --decimals) {
    number = fmt::format("{:.{}f}", value / chosen->factor, decimals);
    if (std::ranges::count_if(number, is_digit) <= digits) break;
  }
  return fmt::format("{} {}", number, chosen->unit);
}

}  // namespace

std::string format_duration(Duration duration) {
  static constexpr std::array<Scale, 3> kScales = {{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}}};
  return scaled(static_cast<double>(duration.count()), kScales, 3);
}

std::string format_rtt(Duration rtt) {
  const double milliseconds = to_milliseconds(rtt);
  return fmt::format("{:.{}f} ms", milliseconds, milliseconds >= 10 ? 2 : 3);
}

std::string format_rate(double bps) {
  static constexpr std::array<Scale, 4> kScales = {
      {{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}, {1, "bit/s"}}};
  return scaled(bps, kScales, 4);
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array<Scale, 4> kScales = {
      {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}}};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  return scaled(static_cast<double>(bytes), kScales, 4);
}

std::string format_seconds(Duration duration) {
  return fmt::format("{:.2f} s", to_seconds(duration));
}

std::string format_share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  if (part == 0) return "0.0 %";
  if (percent < 0.001) return "<0.001 %";
  if (percent < 1) return fmt::format("{:.3f} %", percent);
  return fmt::format("{:.{}f} %", percent, percent < 10 ? 2 : 1);
}

}  // namespace wyndrvr::app
