#include "app/scope.hpp"

#include <algorithm>

#include "app/printable.hpp"
#include "os/network_interface.hpp"
#include "os/resolver.hpp"
#include "os/socket_address.hpp"

namespace wyndrvr::app {
namespace {

std::string_view family_name(IpAddress::Family family) {
  return family == IpAddress::Family::kV6 ? "IPv6" : "IPv4";
}

// Whether two names, or a name and a number, are the same interface.
bool same_interface(std::string_view name, std::uint32_t index) {
  const auto other = os::interface_index(name);
  return other && *other == index;
}

Result<IpAddress> with_zone(const ZonedAddress& written, Scope& scope) {
  const auto index = os::interface_index(written.zone);
  if (!index) return std::unexpected(index.error());
  if (!scope.interface.empty() && !same_interface(scope.interface, *index)) {
    return fail("%{} is another interface than {}", printable(written.zone),
                printable(scope.interface));
  }
  IpAddress address = os::unmapped(written.address);
  if (is_link_local(address)) {
    if (scope.link != 0 && scope.link != *index) {
      return fail("%{} is another interface than that of the other address",
                  printable(written.zone));
    }
    scope.link = *index;
    address.scope = *index;
    return address;
  }
  if (scope.interface.empty()) {
    auto name = os::interface_name(*index);
    if (!name) return std::unexpected(name.error());
    scope.interface = *std::move(name);
  }
  return address;
}

}  // namespace

Scope scope_of(const std::string& interface) {
  if (interface.empty()) return {};
  return {.interface = interface, .link = os::interface_index(interface).value_or(0)};
}

Result<IpAddress> settle(const ZonedAddress& written, Scope& scope) {
  if (!written.zone.empty()) return with_zone(written, scope);
  IpAddress address = os::unmapped(written.address);
  if (!is_link_local(address)) return address;
  if (scope.link == 0) {
    return fail(
        "a link-local address is of one interface: name it, as in {}%eth0 or by --interface",
        to_string(address));
  }
  address.scope = scope.link;
  return address;
}

std::optional<Result<std::vector<Endpoint>>> locate_numeric(const Locating& wanted, Scope& scope) {
  const auto numeric = parse_zoned_ip(wanted.host);
  if (!numeric) return std::nullopt;
  const auto address = settle(*numeric, scope);
  if (!address) return fail("{}: {}", printable(wanted.host), address.error().message);
  return place(wanted, {Endpoint{*address, wanted.port}}, scope);
}

Result<std::vector<Endpoint>> place(const Locating& wanted, std::vector<Endpoint> resolved,
                                    const Scope& scope) {
  if (wanted.family) {
    std::erase_if(resolved, [&](const Endpoint& endpoint) {
      return endpoint.address.family != *wanted.family;
    });
    if (resolved.empty()) {
      return fail("{} has no {} address (-{})", printable(wanted.host), family_name(*wanted.family),
                  *wanted.family == IpAddress::Family::kV6 ? 6 : 4);
    }
  }
  const auto unscoped = [](const Endpoint& endpoint) {
    return is_link_local(endpoint.address) && endpoint.address.scope == 0;
  };
  for (Endpoint& endpoint : resolved) {
    if (unscoped(endpoint)) endpoint.address.scope = scope.link;
  }
  const IpAddress first = resolved.front().address;
  std::erase_if(resolved, unscoped);
  if (resolved.empty()) {
    return fail("{} is {}, a link-local address: name its interface by --interface",
                printable(wanted.host), to_string(first));
  }
  return resolved;
}

Result<std::vector<Endpoint>> locate(const Locating& wanted, Scope& scope) {
  if (auto numeric = locate_numeric(wanted, scope)) return *std::move(numeric);
  auto resolved = os::resolve(wanted.host, wanted.port);
  if (!resolved) return resolved;
  return place(wanted, *std::move(resolved), scope);
}

Result<std::vector<IpNetwork>> settle(const Networks& written) {
  std::vector<IpNetwork> networks;
  networks.reserve(written.size());
  for (const ZonedNetwork& one : written) {
    IpNetwork network = one.network;
    if (!one.zone.empty()) {
      const auto index = os::interface_index(one.zone);
      if (!index) return fail("{}: {}", to_string(network), index.error().message);
      network.address.scope = *index;
    }
    networks.push_back(network);
  }
  return networks;
}

}  // namespace wyndrvr::app
