#include "base/ip_network.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

namespace wyndrvr {
namespace {

constexpr std::size_t kBitsPerOctet = 8;
constexpr std::uint8_t kIpv4Bits = 32;
constexpr std::uint8_t kIpv6Bits = 128;
// ::ffff:0:0/96, RFC 4291 section 2.5.5.2.
constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t kMappedBits = kMappedPrefix.size() * kBitsPerOctet;

std::uint8_t bits_of(const IpAddress& address) {
  return address.is_v6() ? kIpv6Bits : kIpv4Bits;
}

bool is_mapped(const IpAddress& address) {
  return address.is_v6() &&
         std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.octets.begin());
}

IpAddress without_mapping(const IpAddress& address) {
  if (!is_mapped(address)) return address;
  IpAddress original;
  std::copy(address.octets.begin() + kMappedPrefix.size(), address.octets.end(),
            original.octets.begin());
  return original;
}

IpAddress cut_behind(IpAddress address, std::uint8_t prefix) {
  for (std::size_t i = 0; i < address.octets.size(); ++i) {
    const std::size_t first_bit = i * kBitsPerOctet;
    const std::size_t kept = prefix <= first_bit ? 0 : std::min(prefix - first_bit, kBitsPerOctet);
    address.octets[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
  return address;
}

// Decimal, without a sign and leading zeros.
std::optional<std::uint8_t> parse_prefix(std::string_view text, std::uint8_t most) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint8_t prefix = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), prefix);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && prefix <= most ? std::optional(prefix) : std::nullopt;
}

}  // namespace

Result<IpNetwork> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return fail("'{}' is not a network such as 10.0.0.0/8 or 2001:db8::/32", text);
  IpNetwork network{*address, bits_of(*address)};
  if (slash != std::string_view::npos) {
    const auto prefix = parse_prefix(text.substr(slash + 1), network.prefix);
    if (!prefix) return fail("'{}' needs a prefix of 0 to {} bits", text, network.prefix);
    network.prefix = *prefix;
  }
  const IpNetwork cut{cut_behind(network.address, network.prefix), network.prefix};
  if (cut != network) {
    return fail("'{}' has bits set behind its prefix: the network is {}", text, to_string(cut));
  }
  if (is_mapped(network.address) && network.prefix >= kMappedBits) {
    network.address = without_mapping(network.address);
    network.prefix = static_cast<std::uint8_t>(network.prefix - kMappedBits);
  }
  return network;
}

std::string to_string(const IpNetwork& network) {
  return fmt::format("{}/{}", to_string(network.address), network.prefix);
}

bool contains(const IpNetwork& network, const IpAddress& address, std::uint32_t interface) {
  IpAddress cut = cut_behind(without_mapping(address), network.prefix);
  const std::uint32_t link = cut.scope != 0 ? cut.scope : interface;
  if (network.address.scope == 0 || link == 0) {
    cut.scope = network.address.scope;
  } else {
    cut.scope = link;
  }
  return cut == network.address;
}

bool is_group_address(const IpAddress& address) {
  constexpr std::uint8_t kMulticastV6 = 0xff;  // ff00::/8
  constexpr std::uint8_t kMulticastV4 = 0xe0;  // 224.0.0.0/4
  constexpr std::uint8_t kMulticastMask = 0xf0;
  const IpAddress original = without_mapping(address);
  if (original.is_v6()) return original.octets[0] == kMulticastV6;
  const bool broadcast = std::all_of(original.octets.begin(), original.octets.begin() + 4,
                                     [](std::uint8_t octet) { return octet == 0xff; });
  return broadcast || (original.octets[0] & kMulticastMask) == kMulticastV4;
}

IpNetwork network_of(const IpAddress& address) {
  constexpr std::uint8_t kIpv4Site = 24;
  constexpr std::uint8_t kIpv6Site = 64;
  const IpAddress original = without_mapping(address);
  const std::uint8_t prefix = original.is_v6() ? kIpv6Site : kIpv4Site;
  return {cut_behind(original, prefix), prefix};
}

}  // namespace wyndrvr
