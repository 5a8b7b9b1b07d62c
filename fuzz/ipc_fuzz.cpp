// Any octets read as a letter, a report or a set-up write back to the same octets, or are refused.
// The first octet chooses what they are read as.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.hpp"
#include "ipc/message_fields.hpp"
#include "ipc/report_fields.hpp"
#include "ipc/setup_fields.hpp"

using namespace wyndrvr;

namespace {

template <class T>
void check(ByteView octets) {
  const auto value = ipc::read_frame<T>(octets);
  if (!value) return;
  std::vector<std::byte> again;
  ipc::write_frame(*value, again);
  WYNDRVR_CHECK(std::ranges::equal(again, octets));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView octets = std::as_bytes(std::span(data + 1, size - 1));
  switch (data[0] % 6) {
    case 0:
      check<ipc::Letter>(octets);
      break;
    case 1:
      check<engine::Report>(octets);
      break;
    case 2:
      check<engine::PortConfig>(octets);
      break;
    case 3:
      check<engine::SessionSetup>(octets);
      break;
    case 4:
      check<engine::ServerLimits>(octets);
      break;
    default:
      check<std::vector<Endpoint>>(octets);
      break;
  }
  return 0;
}
