// Which CPUs the calling thread may run on (sched_setaffinity(2)).
//
// Speaks of the calling thread only; a thread or process that it starts later inherits the choice.
// CPUs are the kernel's numbers, as in /proc/cpuinfo and `taskset -c`.
#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"

namespace wyndrvr::os {

// In rising order. Empty only where the kernel does not tell.
[[nodiscard]] std::vector<unsigned> allowed_cpus();

// From now on the calling thread runs on these CPUs only. All of them or an error that names the
// first that is not there or not allowed (cgroup cpuset); then nothing has changed. An empty list
// is such an error, too.
[[nodiscard]] Result<void> pin_thread(std::span<const unsigned> cpus);

}  // namespace wyndrvr::os
