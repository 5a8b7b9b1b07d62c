#include "app/zone.hpp"

#include <algorithm>
#include <cstddef>

#include "app/printable.hpp"

namespace wyndrvr::app {

bool may_be_interface(std::string_view name) {
  constexpr std::size_t kLongest = 15;  // IFNAMSIZ less the end
  const bool plain = std::ranges::none_of(
      name, [](char c) { return c <= ' ' || c == 0x7f || c == '/' || c == ':' || c == '%'; });
  return plain && !name.empty() && name.size() <= kLongest && name != "." && name != "..";
}

std::optional<ZonedAddress> parse_zoned_ip(std::string_view text) {
  const std::size_t percent = text.find('%');
  const auto address = parse_ip(text.substr(0, percent));
  if (!address) return std::nullopt;
  if (percent == std::string_view::npos) return ZonedAddress{*address, {}};
  const std::string_view zone = text.substr(percent + 1);
  if (!address->is_v6() || !may_be_interface(zone)) return std::nullopt;
  return ZonedAddress{*address, std::string(zone)};
}

// The zone stands before the slash: fe80::%eth0/64 (RFC 4007 section 11.7).
Result<ZonedNetwork> parse_zoned_network(std::string_view text) {
  const std::size_t percent = text.find('%');
  if (percent == std::string_view::npos) {
    const auto network = parse_network(text);
    if (!network) return std::unexpected(network.error());
    return ZonedNetwork{*network, {}};
  }
  const std::size_t slash = std::min(text.find('/', percent), text.size());
  const auto zoned = parse_zoned_ip(text.substr(0, slash));
  if (!zoned) {
    return fail("'{}' is not a network such as fe80::%eth0/64", printable(text));
  }
  const auto network =
      parse_network(std::string(text.substr(0, percent)) + std::string(text.substr(slash)));
  if (!network) return std::unexpected(network.error());
  return ZonedNetwork{*network, zoned->zone};
}

}  // namespace wyndrvr::app
