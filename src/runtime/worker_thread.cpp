#include "runtime/worker_thread.hpp"

#include <atomic>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/time.hpp"
#include "os/clock.hpp"
#include "runtime/worker_main.hpp"

namespace wyndrvr::runtime {
namespace {

// For a thread whose handle is destroyed before it has ended.
constexpr Duration kPatience = 1s;

// Outlives whichever of the two ends first: the thread, or its handle.
struct Fate {
  std::atomic<bool> over = false;
  std::atomic<int> code = 0;
};

class WorkerThread final : public WorkerBody {
 public:
  WorkerThread(std::thread thread, std::shared_ptr<Fate> fate)
      : thread_(std::move(thread)), fate_(std::move(fate)) {}
  ~WorkerThread() override {
    if (!thread_.joinable()) return;
    // Its channel is closed by now, so it is about to end.
    for (Duration waited{}; !fate_->over && waited < kPatience; waited += 1ms) os::sleep_for(1ms);
    if (fate_->over) {
      thread_.join();
    } else {
      // Nothing ends a thread from outside. It holds nothing of ours.
      thread_.detach();
    }
  }
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  [[nodiscard]] std::optional<std::string> reap() override {
    if (!fate_->over) return std::nullopt;
    if (thread_.joinable()) thread_.join();
    return fmt::format("ended with code {}", fate_->code.load());
  }

 private:
  std::thread thread_;
  std::shared_ptr<Fate> fate_;
};

}  // namespace

Result<std::unique_ptr<WorkerBody>> start_worker_thread(const std::string& title,
                                                        std::vector<os::Fd> descriptors) {
  // The channel's end must not show before `over` does.
  auto keeper = os::duplicate(descriptors.front());
  if (!keeper) return std::unexpected(keeper.error());
  auto fate = std::make_shared<Fate>();
  try {
    std::thread thread([fate, held = std::move(*keeper), fds = std::move(descriptors)]() mutable {
      fate->code = run_worker(std::move(fds), Surroundings::kSharedProcess);
      fate->over = true;
      held.reset();
    });
    return std::make_unique<WorkerThread>(std::move(thread), std::move(fate));
  } catch (const std::system_error& error) {
    return fail(
        "cannot start a thread for \"{}\": {}; the limit on processes and threads "
        "(ulimit -u, TasksMax) may be too low",
        title, error.code().message());
  }
}

}  // namespace wyndrvr::runtime
