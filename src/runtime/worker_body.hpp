// What carries a worker: a thread or a process of its own. The seam behind which they differ.
//
// A body begins by running run_worker (worker_main.hpp) with the descriptors that it is given, and
// is over some time after its channel's end, by itself, unless something is wrong with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace wyndrvr::runtime {

class WorkerBody {
 public:
  virtual ~WorkerBody() = default;

  // Readable once the body is over; nothing where only the end of its channel tells.
  [[nodiscard]] virtual std::optional<int> exit_descriptor() const { return std::nullopt; }
  // Where it is over: how it ended, "exited with code 0", "was killed by SIGKILL". Does not wait.
  [[nodiscard]] virtual std::optional<std::string> reap() = 0;
  // The signal that has it stopped just now.
  [[nodiscard]] virtual std::optional<std::string> stopped_by() const { return std::nullopt; }
  // Asks it to end, and ends it; without effect on a body that cannot be ended from outside.
  virtual void terminate() {}
  virtual void kill() {}
  [[nodiscard]] virtual std::optional<int> pid() const { return std::nullopt; }
  // What it wrote to its stderr, raw and cut; empty where it has none of its own.
  [[nodiscard]] virtual std::string take_words() { return {}; }
};

// Starts a body under a name for people (ps(1)), such as "wyndrvr: upload 192.0.2.7:4242".
// The first descriptor is the channel to the supervisor.
using StartBody = Result<std::unique_ptr<WorkerBody>> (*)(const std::string& title,
                                                          std::vector<os::Fd> descriptors);

}  // namespace wyndrvr::runtime
