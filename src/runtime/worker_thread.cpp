#include "runtime/worker_thread.hpp"

#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/time.hpp"
#include "runtime/worker_main.hpp"

namespace wyndrvr::runtime {
namespace {

// For a thread whose handle is destroyed before it has ended.
constexpr Duration kPatience = 1s;

class WorkerThread final : public WorkerBody {
 public:
  WorkerThread(std::thread thread, std::future<int> code)
      : thread_(std::move(thread)), code_(std::move(code)) {}
  ~WorkerThread() override {
    if (!thread_.joinable()) return;
    // Its channel is closed by now, so it is about to end.
    if (code_.wait_for(kPatience) == std::future_status::ready) {
      thread_.join();
    } else {
      // Nothing ends a thread from outside. It holds nothing of ours.
      thread_.detach();
    }
  }
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  [[nodiscard]] std::optional<std::string> reap() override {
    if (!thread_.joinable()) return std::nullopt;
    if (code_.wait_for(Duration(0)) != std::future_status::ready) return std::nullopt;
    thread_.join();
    return fmt::format("ended with code {}", code_.get());
  }

 private:
  std::thread thread_;
  std::future<int> code_;
};

}  // namespace

Result<std::unique_ptr<WorkerBody>> start_worker_thread(const std::string& title,
                                                        std::vector<os::Fd> descriptors) {
  // The channel's end must not show before the exit code does.
  auto keeper = os::duplicate(descriptors.front());
  if (!keeper) return std::unexpected(keeper.error());
  std::packaged_task<int()> work([fds = std::move(descriptors)]() mutable {
    return run_worker(std::move(fds), Surroundings::kSharedProcess);
  });
  auto code = work.get_future();
  try {
    std::thread thread([held = std::move(*keeper), task = std::move(work)]() mutable {
      task();
      held.reset();
    });
    return std::make_unique<WorkerThread>(std::move(thread), std::move(code));
  } catch (const std::system_error& error) {
    return fail(
        "cannot start a thread for \"{}\": {}; the limit on processes and threads "
        "(ulimit -u, TasksMax) may be too low",
        title, error.code().message());
  }
}

}  // namespace wyndrvr::runtime
