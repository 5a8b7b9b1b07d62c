// This host's network interfaces, by name and by number. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace wyndrvr::os {

// Of an interface's name, or of its number as text; a name goes before a number. Error: this host
// has none of that name and number.
[[nodiscard]] Result<std::uint32_t> interface_index(std::string_view name_or_number);
[[nodiscard]] Result<std::string> interface_name(std::uint32_t index);

}  // namespace wyndrvr::os
