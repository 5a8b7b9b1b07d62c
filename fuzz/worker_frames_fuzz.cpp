// Any octets on a worker's channel decode to a frame that encodes to the same octets, or are
// refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.hpp"
#include "runtime/worker_frames.hpp"

using namespace wyndrvr;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView octets = std::as_bytes(std::span(data, size));
  const auto frame = runtime::decode_frame(octets);
  if (!frame) return 0;
  std::vector<std::byte> again;
  runtime::encode(*frame, again);
  WYNDRVR_CHECK(std::ranges::equal(again, octets));
  return 0;
}
