// Request and response by single datagrams, and their round trips by the kernel's stamps.
#pragma once

#include "options.hpp"

namespace wyndrvr::floor {

// Prints medians of three round trips in ns, named and defined as in docs/METRICS.md:
// application_rtt_ns, rtt_ns and network_rtt_ns. Returns the exit status.
int run_exchange(const Options& options);

}  // namespace wyndrvr::floor
