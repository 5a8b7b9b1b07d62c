// UUIDs (RFC 9562): version 4 for protocol messages, version 7 for run ids. 16 octets, and the
// usual text of 36 characters. Pure: randomness and time are arguments.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/time.hpp"

namespace wyndrvr::base {

struct Uuid {
  static constexpr std::size_t kTextLength = 36;
  std::array<std::byte, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
};

[[nodiscard]] Uuid make_uuid_v4(Random& random);
[[nodiscard]] Uuid make_uuid_v7(Random& random, WallTime now);
[[nodiscard]] std::string to_string(const Uuid& uuid);
// Writes exactly Uuid::kTextLength characters.
void write_text(const Uuid& uuid, char* out);
// Accepts either case; nothing for any other form than 8-4-4-4-12 hexadecimal digits.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace wyndrvr::base
