// The worker's side: from the descriptors that it was given to its end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "os/fd.hpp"

namespace wyndrvr::runtime {

enum class Surroundings : std::uint8_t {
  kOwnProcess,     // the process is the worker's: it is confined, and bears its name
  kSharedProcess,  // a thread among others
};

// Runs a worker until its channel, the first descriptor, ends; what it is comes over the channel.
// Returns a WorkerExit; why it could not begin, it has told its supervisor.
int run_worker(std::vector<os::Fd> descriptors, Surroundings surroundings);

enum WorkerExit : int {
  kWorkerDone = 0,
  kWorkerWithoutSetup = 3,  // nothing, or nothing sensible, came over the channel in time
  kWorkerSetupFailed = 4,   // a socket, the loop or the confinement
};

// For a program's main, before all else: where this process was started as a worker it is run as
// one, and its exit code comes back. Everybody who links the runtime calls it, tests as well:
// workers are started by executing the running program.
[[nodiscard]] std::optional<int> run_if_worker(int argc, char** argv);

}  // namespace wyndrvr::runtime
