// What a link on the way that ICMP tells of leaves to a datagram
// (docs/adr/0023-narrow-links.md).
#pragma once

#include <cstdint>
#include <optional>

namespace wyndrvr::engine {

// Octets of a packet that every host takes (RFC 791) or every link carries (RFC 8200): a message
// that tells of less is not believed.
inline constexpr std::uint32_t kLeastMtuV4 = 576;
inline constexpr std::uint32_t kLeastMtuV6 = 1280;

// IP header without options or extensions, and UDP header.
[[nodiscard]] constexpr std::uint32_t header_octets(bool v6) {
  return (v6 ? 40 : 20) + 8;
}

// No datagram is made shorter than this because of a link.
inline constexpr std::uint32_t kLeastShortened = kLeastMtuV4 - header_octets(false);

// UDP payload of a packet of `mtu` octets; nothing for an MTU that is not believed.
[[nodiscard]] constexpr std::optional<std::uint32_t> payload_through(std::uint32_t mtu, bool v6) {
  if (mtu < (v6 ? kLeastMtuV6 : kLeastMtuV4)) return std::nullopt;
  return mtu - header_octets(v6);
}

}  // namespace wyndrvr::engine
