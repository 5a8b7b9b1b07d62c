// An answer of the main port that parses writes back to one that parses to the same.
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/check.hpp"
#include "wire/connect.hpp"

using namespace wyndrvr;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView datagram = std::as_bytes(std::span(data, size));
  const auto answer = wire::parse_connect_answer(datagram);
  if (wire::is_connect(datagram)) WYNDRVR_CHECK(!answer);
  if (!answer) return 0;
  std::vector<std::byte> again(wire::kMaxConnectAnswerSize);
  again.resize(std::visit(
      [&again](const auto& value) { return wire::write_connect_answer(again, value); }, *answer));
  WYNDRVR_CHECK(wire::parse_connect_answer(again) == *answer);
  // Assignments have one spelling only, but for the white space around them.
  const bool assignment = std::holds_alternative<wire::Assignment>(*answer);
  if (assignment) WYNDRVR_CHECK(as_text(datagram).contains(as_text(again)));
  // An ENDED has one spelling, and that is printable.
  if (std::holds_alternative<wire::Ended>(*answer)) {
    WYNDRVR_CHECK(as_text(datagram) == as_text(again));
    for (const char character : as_text(again)) {
      WYNDRVR_CHECK(character >= ' ' && character <= '~');
    }
  }
  return 0;
}
