// The value of one configuration key, parsed: text in, a valid value or the reason why not out.
//
// Knows nothing of files, options or other keys. Booleans and modes are read in any case of
// letters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/cpu_list.hpp"
#include "app/setting_table.hpp"
#include "base/result.hpp"
#include "engine/config.hpp"
#include "runtime/placement_mode.hpp"

namespace wyndrvr::app {

using PortRanges = std::vector<engine::PortRange>;

// The alternative follows from the key's ValueKind: kHost, kPortRanges, kMode, kInteger, kDecimal,
// kBoolean, kCpuList in this order.
using Value = std::variant<std::string, PortRanges, runtime::PlacementMode, std::uint64_t, double,
                           bool, CpuList>;

// The failure is a clause to put behind "key=text: ", such as "must be a whole number from 1 …".
[[nodiscard]] Result<Value> parse_value(const KeySpec& spec, std::string_view text);

}  // namespace wyndrvr::app
