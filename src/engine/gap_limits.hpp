// How many gaps of received numbers sessions may keep apart (docs/THREAT_MODEL.md, "Memory"). A gap
// takes seq::GapSet::kOctetsPerGap octets; whoever sends the data chooses how many there are.
#pragma once

#include <cstddef>

namespace wyndrvr::engine {

// Of a client, which has one session, and the most of a server's session: 16 MiB. Half of it are
// the 131 072 gaps of one set.
inline constexpr std::size_t kMostSessionGaps = std::size_t{1} << 18U;
// Which every session of a server has: 256 KiB.
inline constexpr std::size_t kLeastSessionGaps = std::size_t{1} << 12U;
// Which a server shares out among its sessions beside that: 128 MiB.
inline constexpr std::size_t kCommonGaps = std::size_t{1} << 21U;

}  // namespace wyndrvr::engine
