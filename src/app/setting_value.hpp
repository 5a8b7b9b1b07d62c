// The value of one configuration key, parsed: text in, a valid value or the reason why not out.
//
// Knows nothing of files, options or other keys. Words are read in any case of letters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/cpu_list.hpp"
#include "app/setting_table.hpp"
#include "app/zone.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "engine/config.hpp"
#include "os/udp_options.hpp"
#include "runtime/placement_mode.hpp"

namespace wyndrvr::app {

using PortRanges = std::vector<engine::PortRange>;

using Networks = std::vector<ZonedNetwork>;

// The alternative follows from the key's ValueKind: a string for kHost, kInterface and kPath, a
// whole number for kInteger and kDscp; an empty optional where the text says that there is none.
using Value = std::variant<std::string, PortRanges, runtime::PlacementMode, std::uint64_t, double,
                           bool, CpuList, engine::DialectChoice, os::Offload,
                           std::optional<BitRate>, std::optional<ByteCount>,
                           std::optional<std::uint8_t>, std::optional<ZonedAddress>, Networks>;

// "auto", "1", "0.14": the words of the key `dialect`.
[[nodiscard]] std::string_view name(engine::DialectChoice choice);

// The failure is a clause to put behind "key=text: ", such as "must be a whole number from 1 …".
[[nodiscard]] Result<Value> parse_value(const KeySpec& spec, std::string_view text);

}  // namespace wyndrvr::app
