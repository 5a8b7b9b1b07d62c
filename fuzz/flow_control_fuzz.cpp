// A FLOW_CONTROL body that parses writes back to the same octets, and its ranges are sane.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.hpp"
#include "wire/flow_control.hpp"

using namespace wyndrvr;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView body = std::as_bytes(std::span(data, size));
  std::array<wire::ClosedRange, wire::kMaxRanges> storage{};
  const auto ranges = wire::parse_flow_control(body, storage);
  if (!ranges) return 0;
  for (std::size_t i = 0; i < ranges->size(); ++i) {
    WYNDRVR_CHECK((*ranges)[i].begin <= (*ranges)[i].end);
    WYNDRVR_CHECK(i == 0 || (*ranges)[i - 1].end < (*ranges)[i].begin);
  }
  std::vector<std::byte> again(wire::flow_control_size(ranges->size()));
  WYNDRVR_CHECK(wire::write_flow_control(again, *ranges) == again.size());
  WYNDRVR_CHECK(std::ranges::equal(again, body));
  return 0;
}
