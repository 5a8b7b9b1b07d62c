#include "app/setting_value.hpp"

#include <algorithm>
#include <optional>

#include "app/parse_number.hpp"
#include "app/target.hpp"
#include "app/text_list.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::uint32_t kFewestPorts = 3;  // one client's
constexpr std::size_t kMostRanges = 256;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

std::unexpected<Error> not_allowed(const KeySpec& spec) {
  return fail("must be {}", describe_allowed(spec));
}

Result<Value> parse_integer(const KeySpec& spec, std::string_view text) {
  const auto value = parse_number<std::uint64_t>(text);
  if (!value) return not_allowed(spec);
  const auto magnitude = static_cast<double>(*value);
  if (magnitude < spec.low || magnitude > spec.high) return not_allowed(spec);
  return *value;
}

Result<Value> parse_decimal(const KeySpec& spec, std::string_view text) {
  const auto value = parse_number<double>(text);
  // Written so that a NaN fails too.
  if (!value || !(*value >= spec.low && *value <= spec.high)) return not_allowed(spec);
  return *value;
}

Result<Value> parse_boolean(const KeySpec& spec, std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "1") return true;
  if (word == "false" || word == "no" || word == "0") return false;
  return not_allowed(spec);
}

Result<Value> parse_mode(const KeySpec& spec, std::string_view text) {
  using enum runtime::PlacementMode;
  for (const auto mode : {kSingle, kThread, kProcess}) {
    if (lower(text) == lower(runtime::name(mode))) return mode;
  }
  return not_allowed(spec);
}

std::optional<engine::PortRange> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number<std::uint16_t>(trim(text.substr(0, dash)));
  const auto last = dash == std::string_view::npos
                        ? first
                        : parse_number<std::uint16_t>(trim(text.substr(dash + 1)));
  if (!first || !last || *first == 0) return std::nullopt;
  return engine::PortRange{{*first}, {*last}};
}

// Each by itself is sound; together they must not overlap and must be enough for one client.
Result<Value> check_ranges(const KeySpec& spec, const PortRanges& ranges) {
  PortRanges sorted = ranges;
  std::ranges::sort(sorted);
  std::uint32_t ports = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i > 0 && sorted[i].first <= sorted[i - 1].last) {
      return fail("port {} stands in two of the ranges", sorted[i].first.value);
    }
    ports += static_cast<std::uint32_t>(sorted[i].last.value - sorted[i].first.value) + 1;
  }
  if (ports < kFewestPorts) return not_allowed(spec);
  return ranges;
}

Result<Value> parse_ranges(const KeySpec& spec, std::string_view text) {
  PortRanges ranges;
  for (const std::string_view item : split_list(text)) {
    const auto range = parse_range(item);
    if (!range || ranges.size() >= kMostRanges) return not_allowed(spec);
    if (range->first > range->last) {
      return fail("the range {0}-{1} ends before it begins: write {1}-{0}", range->first.value,
                  range->last.value);
    }
    ranges.push_back(*range);
  }
  return check_ranges(spec, ranges);
}

}  // namespace

Result<Value> parse_value(const KeySpec& spec, std::string_view text) {
  switch (spec.kind) {
    case ValueKind::kHost: {
      auto host = parse_host(text);
      if (!host) return fail("must be {}", describe_allowed(spec));
      return *std::move(host);
    }
    case ValueKind::kPortRanges:
      return parse_ranges(spec, text);
    case ValueKind::kMode:
      return parse_mode(spec, text);
    case ValueKind::kInteger:
      return parse_integer(spec, text);
    case ValueKind::kDecimal:
      return parse_decimal(spec, text);
    case ValueKind::kBoolean:
      return parse_boolean(spec, text);
    case ValueKind::kCpuList:
      return parse_cpu_list(text);
  }
  return not_allowed(spec);
}

}  // namespace wyndrvr::app
