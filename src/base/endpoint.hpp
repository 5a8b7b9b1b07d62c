// IP address and endpoint (address and UDP port) as plain values, IPv4 and IPv6.
//
// Holds no socket and resolves no names (that is os/resolver). An IPv4 address keeps its own
// family here; an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) is turned into it by `os`,
// so that one host never has two identities.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace wyndrvr {

struct IpAddress {
  enum class Family : std::uint8_t { kV4, kV6 };

  std::array<std::uint8_t, 16> octets{};  // IPv4 uses the first four
  std::uint32_t scope = 0;                // interface index of a link-local IPv6 address, else 0
  Family family = Family::kV4;

  auto operator<=>(const IpAddress&) const = default;
  [[nodiscard]] bool is_v6() const { return family == Family::kV6; }
  [[nodiscard]] bool is_unspecified() const { return octets == std::array<std::uint8_t, 16>{}; }
};

struct Endpoint {
  IpAddress address;
  Port port;
  auto operator<=>(const Endpoint&) const = default;
};

// fe80::/10 (RFC 4291 section 2.5.6): of one link, which the scope names.
[[nodiscard]] bool is_link_local(const IpAddress& address);

// Numeric text to address: dotted quad, or IPv6 with an optional %index zone (numeric).
[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);
// "192.0.2.7", "2001:db8::1", "fe80::1%2".
[[nodiscard]] std::string to_string(const IpAddress& address);
// "192.0.2.7:6711", "[2001:db8::1]:6711".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

struct HashIp {
  std::size_t operator()(const IpAddress& address) const noexcept {
    const std::string_view bytes(reinterpret_cast<const char*>(address.octets.data()),
                                 address.octets.size());
    return std::hash<std::string_view>{}(bytes) ^ address.scope;
  }
};
struct HashEndpoint {
  std::size_t operator()(const Endpoint& endpoint) const noexcept {
    return HashIp{}(endpoint.address) * 1000003U ^ endpoint.port.value;
  }
};

}  // namespace wyndrvr
