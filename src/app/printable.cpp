#include "app/printable.hpp"

#include <fmt/format.h>

namespace wyndrvr::app {

std::string printable(std::string_view text, std::size_t limit) {
  std::string shown;
  for (const char c : text) {
    if (shown.size() >= limit) return shown + "...";
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7f) {
      shown += c;
    } else {
      shown += fmt::format("\\x{:02x}", octet);
    }
  }
  return shown;
}

}  // namespace wyndrvr::app
