#include "app/setting_value.hpp"

#include <algorithm>
#include <optional>

#include "app/parse_number.hpp"
#include "app/quantity.hpp"
#include "app/target.hpp"
#include "app/text_list.hpp"
#include "engine/client_filter.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::uint32_t kFewestPorts = 3;  // one client's
constexpr std::size_t kMostRanges = 256;
constexpr std::size_t kMostNetworks = engine::ClientFilter::kMostNetworks;

std::unexpected<Error> not_allowed(const KeySpec& spec) {
  return fail("must be {}", describe_allowed(spec));
}

// `10s` of a key in ms is 10000; nothing where it is no time, or no whole number of the key's unit.
std::optional<std::uint64_t> whole_units(const KeySpec& spec, std::string_view text) {
  const auto unit = length_of(spec.unit);
  const auto time = unit ? parse_duration(text, *unit) : std::nullopt;
  if (!time || *time % *unit != Duration(0)) return std::nullopt;
  return static_cast<std::uint64_t>(*time / *unit);
}

bool ends_in_letter(std::string_view text) {
  const char last = text.empty() ? '0' : text.back();
  return (last >= 'a' && last <= 'z') || (last >= 'A' && last <= 'Z');
}

Result<Value> parse_integer(const KeySpec& spec, std::string_view text) {
  const auto value =
      ends_in_letter(text) ? whole_units(spec, text) : parse_number<std::uint64_t>(text);
  if (!value) return not_allowed(spec);
  const auto magnitude = static_cast<double>(*value);
  if (magnitude < spec.low || magnitude > spec.high) return not_allowed(spec);
  return *value;
}

Result<Value> parse_decimal(const KeySpec& spec, std::string_view text) {
  auto value = parse_number<double>(text);
  const auto unit = length_of(spec.unit);
  if (unit && ends_in_letter(text)) {
    const auto time = parse_duration(text, *unit);
    value = time ? std::optional(to_seconds(*time) / to_seconds(*unit)) : std::nullopt;
  }
  // Written so that a NaN fails too.
  if (!value || !(*value >= spec.low && *value <= spec.high)) return not_allowed(spec);
  return *value;
}

Result<Value> parse_boolean(const KeySpec& spec, std::string_view text) {
  const std::string word = lower_case(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return not_allowed(spec);
}

Result<Value> parse_mode(const KeySpec& spec, std::string_view text) {
  using enum runtime::PlacementMode;
  for (const auto mode : {kSingle, kThread, kProcess}) {
    if (lower_case(text) == lower_case(runtime::name(mode))) return mode;
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

Result<Value> parse_dialect(const KeySpec& spec, std::string_view text) {
  using enum engine::DialectChoice;
  for (const auto choice : {kAuto, kOne, kOriginal}) {
    if (lower_case(text) == name(choice)) return choice;
  }
  return not_allowed(spec);
}

Result<Value> parse_offload(const KeySpec& spec, std::string_view text) {
  const std::string word = lower_case(text);
  if (word == "auto") return os::Offload::kAuto;
  if (word == "on") return os::Offload::kOn;
  if (word == "off") return os::Offload::kOff;
  return not_allowed(spec);
}

// A rate of kRate is `max` where there is none, that of kRateBound is 0.
Result<Value> parse_rate(const KeySpec& spec, std::string_view text) {
  if (spec.kind == ValueKind::kRate && lower_case(text) == "max") return std::optional<BitRate>();
  const auto rate = parse_bit_rate(text);
  if (!rate) return not_allowed(spec);
  if (spec.kind == ValueKind::kRateBound && rate->bps == 0) return std::optional<BitRate>();
  if (!(*rate >= kLowestRate && *rate <= kHighestRate)) return not_allowed(spec);
  return rate;
}

Result<Value> parse_octet_bound(const KeySpec& spec, std::string_view text) {
  const auto octets = parse_octets(text);
  if (!octets) return not_allowed(spec);
  return octets->value == 0 ? std::optional<ByteCount>() : octets;
}

Result<Value> parse_code_point(const KeySpec& spec, std::string_view text) {
  const auto value = parse_dscp(text);
  if (!value) return not_allowed(spec);
  return std::uint64_t{*value};
}

Result<Value> parse_hop_limit(const KeySpec& spec, std::string_view text) {
  if (text.empty()) return std::optional<std::uint8_t>();
  const auto value = parse_number<std::uint8_t>(text);
  if (!value || *value == 0) return not_allowed(spec);
  return value;
}

Result<Value> parse_address(const KeySpec& spec, std::string_view text) {
  if (text.empty()) return std::optional<ZonedAddress>();
  const auto address = parse_zoned_ip(text);
  if (!address) return not_allowed(spec);
  return address;
}

// Empty for none.
Result<Value> parse_interface(const KeySpec& spec, std::string_view text) {
  if (!text.empty() && !may_be_interface(text)) return not_allowed(spec);
  return std::string(text);
}

Result<Value> parse_path(const KeySpec& spec, std::string_view text) {
  if (text.contains('\0')) return not_allowed(spec);
  return std::string(text);
}

Result<Value> parse_networks(std::string_view text) {
  Networks networks;
  if (trim(text).empty()) return networks;
  for (const std::string_view item : split_list(text)) {
    const auto network = parse_zoned_network(item);
    if (!network) return std::unexpected(network.error());
    if (networks.size() >= kMostNetworks) return fail("has more than {} networks", kMostNetworks);
    networks.push_back(*network);
  }
  return networks;
}

}  // namespace

std::string_view name(engine::DialectChoice choice) {
  switch (choice) {
    case engine::DialectChoice::kAuto:
      return "auto";
    case engine::DialectChoice::kOne:
      return "1";
    case engine::DialectChoice::kOriginal:
      return "0.14";
  }
  return "";
}

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
    case ValueKind::kDialect:
      return parse_dialect(spec, text);
    case ValueKind::kOffload:
      return parse_offload(spec, text);
    case ValueKind::kRate:
    case ValueKind::kRateBound:
      return parse_rate(spec, text);
    case ValueKind::kOctetBound:
      return parse_octet_bound(spec, text);
    case ValueKind::kDscp:
      return parse_code_point(spec, text);
    case ValueKind::kHopLimit:
      return parse_hop_limit(spec, text);
    case ValueKind::kAddress:
      return parse_address(spec, text);
    case ValueKind::kInterface:
      return parse_interface(spec, text);
    case ValueKind::kPath:
      return parse_path(spec, text);
    case ValueKind::kNetworks:
      return parse_networks(text);
  }
  return not_allowed(spec);
}

}  // namespace wyndrvr::app
