#include "app/target.hpp"

#include <algorithm>

#include "app/parse_number.hpp"
#include "app/printable.hpp"
#include "app/zone.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::size_t kMaxHostName = 253;  // RFC 1035 section 2.3.4, as text

bool is_decimal_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_character(char c) {
  return is_decimal_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_';
}

// An interface may follow '%'; app/scope knows what it means.
bool is_ip(std::string_view text) {
  return parse_zoned_ip(text).has_value();
}

Result<Port> parse_port(std::string_view text) {
  const auto value = parse_number<std::uint16_t>(text);
  if (!value) {
    return fail("'{}' is not a port: must be a whole number up to 65535", printable(text));
  }
  return Port{*value};
}

// What follows the host: nothing, ":" or ":port".
Result<std::optional<Port>> parse_port_part(std::string_view rest) {
  if (rest.empty() || rest == ":") return std::nullopt;
  if (rest.front() != ':') return fail("'{}' where ':' and a port should be", printable(rest));
  const auto port = parse_port(rest.substr(1));
  if (!port) return std::unexpected(port.error());
  return *port;
}

Result<Target> parse_bracketed(std::string_view text) {
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) return fail("']' is missing in '{}'", printable(text));
  const std::string_view host = text.substr(1, close - 1);
  if (!is_ip(host)) return fail("'{}' between brackets is not an address", printable(host));
  const auto port = parse_port_part(text.substr(close + 1));
  if (!port) return std::unexpected(port.error());
  return Target{.host = std::string(host), .port = *port};
}

}  // namespace

Result<std::string> parse_host(std::string_view text) {
  if (is_ip(text)) return std::string(text);
  if (text.empty()) return fail("a host name or an address is missing");
  if (std::ranges::all_of(text, is_decimal_digit)) {
    return fail("'{0}' is not a host: a port is written :{0}", printable(text));
  }
  const bool numeric =
      std::ranges::all_of(text, [](char c) { return is_decimal_digit(c) || c == '.'; });
  if (numeric) return fail("'{}' is not an IPv4 address", printable(text));
  const bool named = std::ranges::all_of(text, is_name_character) && text.front() != '-';
  if (!named || text.size() > kMaxHostName) {
    return fail("'{}' is not a host name or an address", printable(text));
  }
  return std::string(text);
}

Result<Target> parse_target(std::string_view text) {
  if (text.empty()) return fail("an empty target: must be [addr]:[port]");
  if (text.front() == '[') return parse_bracketed(text);
  const std::size_t colon = text.find(':');
  if (colon != text.rfind(':')) {  // only a bare IPv6 address has more than one
    if (is_ip(text)) return Target{.host = std::string(text), .port = {}};
    return fail("'{}' is neither host:port nor an IPv6 address: with a port, write [addr]:port",
                printable(text));
  }
  const auto port = parse_port_part(colon == std::string_view::npos ? "" : text.substr(colon));
  if (!port) return std::unexpected(port.error());
  if (colon == 0) return Target{.host = {}, .port = *port};
  auto host = parse_host(text.substr(0, colon));
  if (!host) return std::unexpected(host.error());
  return Target{.host = *std::move(host), .port = *port};
}

std::string join_host_port(std::string_view host, Port port) {
  const bool brackets = host.find(':') != std::string_view::npos;
  return brackets ? fmt::format("[{}]:{}", host, port.value)
                  : fmt::format("{}:{}", host, port.value);
}

}  // namespace wyndrvr::app
