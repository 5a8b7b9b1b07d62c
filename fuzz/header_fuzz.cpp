// Any datagram parses to a packet that writes back to the same octets, or is dropped.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.hpp"
#include "wire/header.hpp"

using namespace wyndrvr;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView datagram = std::as_bytes(std::span(data, size));
  const auto packet = wire::parse_packet(datagram);
  if (!packet) {
    WYNDRVR_CHECK(size < wire::kHeaderSize || size > wire::kMaxPacketSize || data[0] > 7);
    return 0;
  }
  WYNDRVR_CHECK(packet->body.size() + wire::kHeaderSize == size);
  std::array<std::byte, wire::kHeaderSize> again{};
  wire::write_header(again.data(), packet->header);
  WYNDRVR_CHECK(std::ranges::equal(again, datagram.first(wire::kHeaderSize)));
  return 0;
}
