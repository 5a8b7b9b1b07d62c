// A worker in an OS process of its own: this program, executed in the worker role.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/worker_body.hpp"

namespace wyndrvr::runtime {

// The title of every worker process begins so; how the program knows its role.
inline constexpr char kWorkerTitlePrefix[] = "wyndrvr: ";

[[nodiscard]] Result<std::unique_ptr<WorkerBody>> start_worker_process(
    const std::string& title, std::vector<os::Fd> descriptors);

}  // namespace wyndrvr::runtime
