#include "crypto/endpoint_octets.hpp"

#include <span>

#include "base/bytes.hpp"

namespace wyndrvr::crypto {

std::array<std::byte, kEndpointOctetsSize> endpoint_octets(const Endpoint& endpoint) {
  constexpr std::size_t kIpv4Size = 4;
  const ByteView address = std::as_bytes(std::span(endpoint.address.octets));
  std::array<std::byte, kEndpointOctetsSize> octets{};
  base::ByteWriter writer(octets);
  if (endpoint.address.is_v6()) {
    writer.put(6, 1);
    writer.put_bytes(address);
  } else {
    writer.put(4, 1);
    writer.put(0, 8);
    writer.put(0xffff, 4);
    writer.put_bytes(address.first(kIpv4Size));
  }
  writer.put(endpoint.address.scope, 4);
  writer.put(endpoint.port.value, 2);
  return octets;
}

}  // namespace wyndrvr::crypto
