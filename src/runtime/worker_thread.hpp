// A worker in a thread of its own. It shares the memory of the process but touches none of it: it
// lives on its descriptors, as a worker process does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/worker_body.hpp"

namespace wyndrvr::runtime {

[[nodiscard]] Result<std::unique_ptr<WorkerBody>> start_worker_thread(
    const std::string& title, std::vector<os::Fd> descriptors);

}  // namespace wyndrvr::runtime
