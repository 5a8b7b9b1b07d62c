// Where a worker runs and what it may do, set at its beginning.
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "os/confinement.hpp"
#include "runtime/worker_main.hpp"

namespace wyndrvr::runtime {

// Names the thread after its role, and pins it to `cpus` where there are any. A CPU that has gone
// away is no reason not to work.
void take_place(std::string_view role, std::span<const unsigned> cpus, Surroundings surroundings);

// In a process of its own the worker keeps only what `needs` says (os/confinement.hpp). A thread
// shares its rights, as it shares its memory: nothing to give up.
[[nodiscard]] Result<void> give_up_rights(const os::Confinement& needs, Surroundings surroundings);

}  // namespace wyndrvr::runtime
