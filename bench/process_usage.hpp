// What a process has used so far: CPU time and private memory, as proc(5) tells.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace wyndrvr::bench {

struct ProcessUsage {
  Duration cpu{};                    // of all its threads, in user and kernel mode
  std::uint64_t private_octets = 0;  // resident pages that it shares with nobody
};

// `pid` 0: this process. Nothing where there is none, or it may not be looked at.
[[nodiscard]] std::optional<ProcessUsage> usage_of(int pid);

}  // namespace wyndrvr::bench
