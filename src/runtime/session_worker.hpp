// A worker that runs one whole session: the coordinator, and the ports in whatever mode they are to
// have.
#pragma once

#include <functional>
#include <vector>

#include "base/result.hpp"
#include "os/fd.hpp"
#include "runtime/worker_frames.hpp"
#include "runtime/worker_main.hpp"

namespace wyndrvr::runtime {

// Descriptors: the supervisor's channel, then the three ports' UDP sockets, or the one that they
// share. Returns a WorkerExit; `tell_failure` has then been told why, where it could not begin.
int run_session_worker(const SessionStart& start, std::vector<os::Fd> descriptors,
                       Surroundings surroundings,
                       const std::function<void(const Error&)>& tell_failure);

}  // namespace wyndrvr::runtime
