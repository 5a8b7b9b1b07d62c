#include "runtime/worker_process.hpp"

#include <csignal>
#include <utility>

#include "os/child_process.hpp"

namespace wyndrvr::runtime {
namespace {

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

 private:
  os::ChildProcess child_;
};

}  // namespace

Result<std::unique_ptr<WorkerBody>> start_worker_process(const std::string& title,
                                                         std::vector<os::Fd> descriptors) {
  os::SpawnOptions options;
  options.title = title;
  for (const os::Fd& descriptor : descriptors) options.descriptors.push_back(descriptor.get());
  auto child = os::ChildProcess::spawn(options);
  if (!child) return std::unexpected(child.error());
  return std::make_unique<WorkerProcess>(std::move(*child));
}

}  // namespace wyndrvr::runtime
