#include "app/settings.hpp"

#include "app/printable.hpp"
#include "base/check.hpp"

namespace wyndrvr::app {
namespace {

// "--heartbeat-rate x" or "heartbeat_rate=x (file PATH:LINE)"
std::string quote(const KeySpec& spec, std::string_view text, const Origin& origin) {
  if (origin.kind == Origin::Kind::kOption) {
    return fmt::format("{} {}", origin.place, printable(text));
  }
  return fmt::format("{}={} ({})", spec.name, printable(text), origin.describe());
}

}  // namespace

Origin Origin::file(std::string_view path, std::size_t line) {
  return {.kind = Kind::kFile, .place = fmt::format("{}:{}", printable(path), line)};
}

Origin Origin::option(std::string_view name) {
  return {.kind = Kind::kOption, .place = std::string(name)};
}

std::string Origin::describe() const {
  switch (kind) {
    case Kind::kDefault:
      return "default";
    case Kind::kFile:
      return "file " + place;
    case Kind::kOption:
      return "option " + place;
  }
  return place;
}

Settings::Settings() {
  for (const KeySpec& spec : all_keys()) {
    const auto set_default = set(spec.key, spec.default_text, {});
    WYNDRVR_CHECK(set_default.has_value());
  }
}

Result<void> Settings::set(Key key, std::string_view text, const Origin& origin) {
  const KeySpec& spec = spec_of(key);
  auto value = parse_value(spec, text);
  if (!value) return fail("{}: {}", quote(spec, text, origin), value.error().message);
  entries_[static_cast<std::size_t>(key)] = {*std::move(value), std::string(text), origin};
  return {};
}

template <class T>
const T& Settings::value_as(Key key) const {
  const T* const value = std::get_if<T>(&entry(key).value);
  WYNDRVR_CHECK(value != nullptr);
  return *value;
}

const std::string& Settings::host(Key key) const {
  return value_as<std::string>(key);
}

const PortRanges& Settings::port_ranges(Key key) const {
  return value_as<PortRanges>(key);
}

runtime::PlacementMode Settings::mode(Key key) const {
  return value_as<runtime::PlacementMode>(key);
}

std::uint64_t Settings::integer(Key key) const {
  return value_as<std::uint64_t>(key);
}

double Settings::decimal(Key key) const {
  return value_as<double>(key);
}

bool Settings::boolean(Key key) const {
  return value_as<bool>(key);
}

const CpuList& Settings::cpus(Key key) const {
  return value_as<CpuList>(key);
}

const std::string& Settings::string(Key key) const {
  return value_as<std::string>(key);
}

engine::DialectChoice Settings::dialect(Key key) const {
  return value_as<engine::DialectChoice>(key);
}

os::Offload Settings::offload(Key key) const {
  return value_as<os::Offload>(key);
}

std::optional<BitRate> Settings::rate(Key key) const {
  return value_as<std::optional<BitRate>>(key);
}

std::optional<ByteCount> Settings::octets(Key key) const {
  return value_as<std::optional<ByteCount>>(key);
}

std::optional<std::uint8_t> Settings::hop_limit(Key key) const {
  return value_as<std::optional<std::uint8_t>>(key);
}

const std::optional<ZonedAddress>& Settings::address(Key key) const {
  return value_as<std::optional<ZonedAddress>>(key);
}

const Networks& Settings::networks(Key key) const {
  return value_as<Networks>(key);
}

bool Settings::is_chosen(Key key) const {
  switch (origin(key).kind) {
    case Origin::Kind::kDefault:
      return false;
    case Origin::Kind::kOption:
      return true;
    case Origin::Kind::kFile:
      break;
  }
  const KeySpec& spec = spec_of(key);
  const auto default_value = parse_value(spec, spec.default_text);
  WYNDRVR_CHECK(default_value.has_value());
  return entry(key).value != *default_value;
}

Duration Settings::duration(Key key) const {
  const KeySpec& spec = spec_of(key);
  const auto unit = length_of(spec.unit);
  WYNDRVR_CHECK(unit.has_value());
  if (spec.kind == ValueKind::kDecimal) return from_seconds(decimal(key) * to_seconds(*unit));
  return static_cast<std::int64_t>(integer(key)) * *unit;
}

std::string Settings::describe(Key key) const {
  return fmt::format("{}={} ({})", spec_of(key).name, printable(text(key)), origin(key).describe());
}

}  // namespace wyndrvr::app
