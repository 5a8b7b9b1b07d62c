#include "runtime/worker_process.hpp"

#include <csignal>
#include <utility>

#include "os/child_process.hpp"

namespace wyndrvr::runtime {
namespace {

// A sanitizer's reports are for whoever runs the tests, whatever becomes of the worker.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WYNDRVR_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WYNDRVR_SANITIZED
#endif
#endif
#ifdef WYNDRVR_SANITIZED
constexpr bool kOwnStderr = false;
#else
// What a worker that was taken over writes is not to reach a terminal or a log as it is.
constexpr bool kOwnStderr = true;
#endif

class WorkerProcess final : public WorkerBody {
 public:
  explicit WorkerProcess(os::ChildProcess child) : child_(std::move(child)) {}

  [[nodiscard]] std::optional<int> exit_descriptor() const override { return child_.pidfd(); }
  [[nodiscard]] std::optional<std::string> reap() override {
    const auto status = child_.reap();
    if (!status) return std::nullopt;
    return os::describe(*status);
  }
  [[nodiscard]] std::optional<std::string> stopped_by() const override {
    const auto signal = child_.stopped_by();
    if (!signal) return std::nullopt;
    return os::signal_name(*signal);
  }
  void terminate() override { child_.signal(SIGTERM); }
  void kill() override { child_.signal(SIGKILL); }
  [[nodiscard]] std::optional<int> pid() const override { return child_.pid(); }
  [[nodiscard]] std::string take_words() override { return child_.take_words(); }

 private:
  os::ChildProcess child_;
};

}  // namespace

Result<std::unique_ptr<WorkerBody>> start_worker_process(const std::string& title,
                                                         std::vector<os::Fd> descriptors) {
  os::SpawnOptions options;
  options.title = title;
  options.own_stderr = kOwnStderr;
  for (const os::Fd& descriptor : descriptors) options.descriptors.push_back(descriptor.get());
  auto child = os::ChildProcess::spawn(options);
  if (!child) return std::unexpected(child.error());
  return std::make_unique<WorkerProcess>(std::move(*child));
}

}  // namespace wyndrvr::runtime
