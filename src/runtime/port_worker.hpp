// A worker that runs one port: its loop, its actor and sockets, its channels.
#pragma once

#include <functional>
#include <vector>

#include "base/result.hpp"
#include "os/fd.hpp"
#include "runtime/worker_frames.hpp"
#include "runtime/worker_main.hpp"

namespace wyndrvr::runtime {

// Descriptors: the supervisor's channel, the port's UDP sockets (socket_count of its
// configuration), then the channels to the ports that it exchanges letters with (siblings_of).
// Returns a WorkerExit; `tell_failure` has then been told why, where it could not begin.
int run_port_worker(const PortSetup& setup, std::vector<os::Fd> descriptors,
                    Surroundings surroundings,
                    const std::function<void(const Error&)>& tell_failure);

// Control writes to the other two and they to it; upload and download have nothing to say to each
// other.
[[nodiscard]] std::vector<engine::PortKind> siblings_of(engine::PortKind kind);

}  // namespace wyndrvr::runtime
