#include "base/endpoint.hpp"

#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace wyndrvr {

std::optional<IpAddress> parse_ip(std::string_view text) {
  IpAddress address;
  const std::size_t percent = text.find('%');
  const std::string host(text.substr(0, percent));
  if (percent == std::string_view::npos && inet_pton(AF_INET, host.c_str(), &address.octets) == 1) {
    return address;
  }
  address = {};
  address.family = IpAddress::Family::kV6;
  if (inet_pton(AF_INET6, host.c_str(), &address.octets) != 1) return std::nullopt;
  if (percent == std::string_view::npos) return address;
  const std::string_view zone = text.substr(percent + 1);
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), address.scope);
  if (error != std::errc{} || end != zone.data() + zone.size()) return std::nullopt;
  return address;
}

bool is_link_local(const IpAddress& address) {
  return address.is_v6() && address.octets[0] == 0xfe && (address.octets[1] & 0xc0U) == 0x80;
}

std::string to_string(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const int family = address.is_v6() ? AF_INET6 : AF_INET;
  inet_ntop(family, address.octets.data(), buffer.data(), buffer.size());
  std::string text(buffer.data());
  if (address.scope != 0) text += fmt::format("%{}", address.scope);
  return text;
}

std::string to_string(const Endpoint& endpoint) {
  const std::string host = to_string(endpoint.address);
  return endpoint.address.is_v6() ? fmt::format("[{}]:{}", host, endpoint.port.value)
                                  : fmt::format("{}:{}", host, endpoint.port.value);
}

}  // namespace wyndrvr
