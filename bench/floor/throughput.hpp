// One flow between two processes, and its result as a line of JSON.
#pragma once

#include "options.hpp"

namespace wyndrvr::floor {

// Returns the exit status.
int run_throughput(const Options& options);

}  // namespace wyndrvr::floor
