#include "app/quantity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include "app/parse_number.hpp"
#include "app/text_list.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::uint64_t kHighestCodePoint = 63;  // six bits (RFC 2474)

struct ScaledNumber {
  double value = 0;
  std::string suffix;  // lower case
};

// The suffix begins behind the last digit. Nothing for a negative number, and for "inf" and "nan",
// which have no digit.
std::optional<ScaledNumber> split_number(std::string_view text) {
  const std::size_t last = text.find_last_of("0123456789");
  if (last == std::string_view::npos) return std::nullopt;
  const auto value = parse_number<double>(text.substr(0, last + 1));
  if (!value || !(*value >= 0)) return std::nullopt;
  return ScaledNumber{.value = *value, .suffix = lower_case(text.substr(last + 1))};
}

// 1 for no letter, `step` for k, its square for m, and so on; nothing for another letter.
std::optional<double> power_of(std::string_view letter, double step) {
  constexpr std::string_view kLetters = "kmgt";
  if (letter.empty()) return 1;
  const std::size_t at = letter.size() == 1 ? kLetters.find(letter) : std::string_view::npos;
  if (at == std::string_view::npos) return std::nullopt;
  return std::pow(step, static_cast<double>(at + 1));
}

// 33.3 x 1000 is a little less than 33300.
double whole_or_exact(double product) {
  constexpr double kRounding = 0x1p-50;
  const double whole = std::round(product);
  return std::abs(product - whole) <= whole * kRounding ? whole : product;
}
struct TimeUnit {
  std::string_view name;
  Duration length;
};
constexpr std::array<TimeUnit, 5> kTimeUnits = {
    {{"us", 1us}, {"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}}};

struct CodePoint {
  std::string_view name;
  std::uint8_t value;
};
// IANA, "Differentiated Services Field Codepoints"; the class selectors are calculated.
constexpr std::array<CodePoint, 16> kCodePoints = {{
    {"df", 0},
    {"le", 1},
    {"af11", 10},
    {"af12", 12},
    {"af13", 14},
    {"af21", 18},
    {"af22", 20},
    {"af23", 22},
    {"af31", 26},
    {"af32", 28},
    {"af33", 30},
    {"af41", 34},
    {"af42", 36},
    {"af43", 38},
    {"ef", 46},
    {"voice-admit", 44},
}};

}  // namespace

std::optional<BitRate> parse_bit_rate(std::string_view text) {
  const auto number = split_number(text);
  if (!number) return std::nullopt;
  const auto factor = power_of(number->suffix, 1000);
  if (!factor) return std::nullopt;
  return BitRate{number->value * *factor};
}

std::optional<ByteCount> parse_octets(std::string_view text) {
  const auto number = split_number(text);
  if (!number) return std::nullopt;
  std::string_view suffix = number->suffix;
  if (suffix.ends_with('b')) suffix.remove_suffix(1);
  const bool binary = suffix.size() > 1 && suffix.ends_with('i');
  if (binary) suffix.remove_suffix(1);
  const auto factor = power_of(suffix, binary ? 1024 : 1000);
  if (!factor) return std::nullopt;
  const double octets = whole_or_exact(number->value * *factor);
  if (!(octets <= static_cast<double>(kMostOctets.value))) return std::nullopt;
  return ByteCount{static_cast<std::uint64_t>(octets)};
}

std::optional<Duration> parse_duration(std::string_view text, Duration bare) {
  const auto number = split_number(text);
  if (!number) return std::nullopt;
  Duration unit = bare;
  if (!number->suffix.empty()) {
    const auto* const found = std::ranges::find(kTimeUnits, number->suffix, &TimeUnit::name);
    if (found == kTimeUnits.end()) return std::nullopt;
    unit = found->length;
  }
  const double nanoseconds = number->value * static_cast<double>(unit.count());
  if (!(nanoseconds <= static_cast<double>(kLongestTime.count()))) return std::nullopt;
  return Duration(std::llround(nanoseconds));
}

std::optional<std::uint8_t> parse_dscp(std::string_view text) {
  if (const auto number = parse_number<std::uint8_t>(text)) {
    return *number <= kHighestCodePoint ? number : std::nullopt;
  }
  const std::string name = lower_case(text);
  const auto* const found = std::ranges::find(kCodePoints, name, &CodePoint::name);
  if (found != kCodePoints.end()) return found->value;
  const bool selector = name.size() == 3 && name.starts_with("cs");
  if (!selector || name[2] < '0' || name[2] > '7') return std::nullopt;
  return static_cast<std::uint8_t>((name[2] - '0') << 3);
}

}  // namespace wyndrvr::app
