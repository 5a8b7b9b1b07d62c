#include "app/client_route.hpp"

#include <algorithm>

#include "app/printable.hpp"
#include "os/route_mtu.hpp"
#include "wire/data_body.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::uint32_t kShortestDatagram = wire::SessionFields::kMinPayload.value;

// Octets of UDP payload in one datagram that is not fragmented.
std::uint32_t largest_payload(const Route& route) {
  if (!route.mtu) return wire::SessionFields::kMaxPayload.value;
  return os::max_udp_payload(*route.mtu, route.server.address.is_v6());
}

void shrink_payload(engine::ClientConfig& config, std::span<const Route> routes) {
  std::uint32_t largest = config.terms.payload_bytes;
  for (const Route& route : routes) largest = std::min(largest, largest_payload(route));
  config.terms.payload_bytes = std::max(largest, kShortestDatagram);
  if (!config.upload) return;
  const auto around = static_cast<std::uint32_t>(wire::data_packet_size(0));
  const std::uint32_t filling = config.terms.payload_bytes - around;
  config.upload->payload_bytes = std::min(config.upload->payload_bytes, filling);
}

}  // namespace

Result<std::vector<Endpoint>> servers_from(const std::optional<IpAddress>& local,
                                           std::vector<Endpoint> servers, std::string_view host) {
  if (!local) return servers;
  std::erase_if(servers,
                [&](const Endpoint& server) { return server.address.family != local->family; });
  if (!servers.empty()) return servers;
  return fail("--bind {}: {} has no {} address to send to from there", to_string(*local),
              printable(host), local->is_v6() ? "IPv6" : "IPv4");
}

Result<void> fit_payload(engine::ClientConfig& config, std::span<const Route> routes,
                         const std::string& chosen) {
  if (config.terms.fragment || config.terms.directions == wire::Directions::kLatencyOnly) return {};
  if (chosen.empty()) {
    shrink_payload(config, routes);
    return {};
  }
  const Route* widest = nullptr;
  std::vector<Endpoint> wide_enough;
  for (const Route& route : routes) {
    if (widest == nullptr || largest_payload(route) > largest_payload(*widest)) widest = &route;
    if (largest_payload(route) >= config.terms.payload_bytes) wide_enough.push_back(route.server);
  }
  if (widest == nullptr) return {};
  if (wide_enough.empty()) {
    return fail(
        "{}: a datagram of {} octets does not fit the way to {}, whose MTU is {}: at most {} "
        "octets of UDP payload do, or let IP fragment it with --fragment",
        chosen, config.terms.payload_bytes, to_string(widest->server.address), *widest->mtu,
        largest_payload(*widest));
  }
  config.servers = std::move(wide_enough);
  return {};
}

}  // namespace wyndrvr::app
