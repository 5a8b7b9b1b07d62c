#include "os/resolver.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include <net/if.h>
#include <netdb.h>

#include "os/socket_address.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

struct Lookup {
  int code = 0;  // EAI_*, 0 for success
  int system_error = 0;
  AddressList list{nullptr, &freeaddrinfo};
};

Lookup look_up(const std::string& name, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  Lookup lookup;
  lookup.code = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  lookup.system_error = errno;
  if (lookup.code == 0) lookup.list.reset(list);
  return lookup;
}

std::vector<Endpoint> endpoints_of(const addrinfo* list, Port port) {
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    auto endpoint = to_endpoint(*entry->ai_addr);
    if (!endpoint) continue;
    endpoint->port = port;
    if (std::ranges::find(endpoints, *endpoint) == endpoints.end()) endpoints.push_back(*endpoint);
  }
  return endpoints;
}

std::string advice_for(int code) {
  if (code == EAI_AGAIN) return "check that the DNS server in /etc/resolv.conf can be reached";
  return "check the spelling, or give the numeric address";
}

// "fe80::1%eth0", whose zone is an interface's name; nothing when it is no such text.
std::optional<Result<IpAddress>> with_named_zone(std::string_view host) {
  const std::size_t percent = host.find('%');
  if (percent == std::string_view::npos) return std::nullopt;
  auto address = parse_ip(host.substr(0, percent));
  if (!address || !address->is_v6()) return std::nullopt;
  const std::string zone(host.substr(percent + 1));
  address->scope = if_nametoindex(zone.c_str());
  if (address->scope == 0) {
    return fail("address '{}': this host has no network interface '{}' (`ip link` lists them)",
                host, zone);
  }
  return *address;
}

}  // namespace

Result<std::vector<Endpoint>> resolve(std::string_view host, Port port) {
  if (host.empty() || host.find('\0') != std::string_view::npos) {
    return fail("the host is empty: give a name or an address");
  }
  if (const auto numeric = parse_ip(host)) {
    return std::vector{Endpoint{unmapped(*numeric), port}};
  }
  if (const auto zoned = with_named_zone(host)) {
    if (!*zoned) return std::unexpected(zoned->error());
    return std::vector{Endpoint{**zoned, port}};
  }
  const std::string name(host);
  // ADDRCONFIG leaves out families that this host has no address of, and loopback does not count:
  // without a network even "localhost" would yield nothing.
  Lookup lookup = look_up(name, AI_ADDRCONFIG);
  if (lookup.code != 0) lookup = look_up(name, 0);
  if (lookup.code != 0) {
    const std::string cause =
        lookup.code == EAI_SYSTEM ? error_text(lookup.system_error) : gai_strerror(lookup.code);
    return fail("cannot resolve host '{}': getaddrinfo: {}; {}", host, cause,
                advice_for(lookup.code));
  }
  auto endpoints = endpoints_of(lookup.list.get(), port);
  if (endpoints.empty()) return fail("host '{}' has no IPv4 or IPv6 address", host);
  return endpoints;
}

}  // namespace wyndrvr::os
