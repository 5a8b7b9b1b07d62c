#include "runtime/worker_rights.hpp"

#include <string>

#include "os/cpu_affinity.hpp"

namespace wyndrvr::runtime {

void take_place(std::string_view role, std::span<const unsigned> cpus, Surroundings surroundings) {
  // A process is found under the program's name, a thread under the process already.
  const bool own = surroundings == Surroundings::kOwnProcess;
  os::set_process_name(own ? "wyndrvr:" + std::string(role) : std::string(role));
  if (!cpus.empty()) (void)os::pin_thread(cpus);
}

Result<void> give_up_rights(const os::Confinement& needs, Surroundings surroundings) {
  if (surroundings == Surroundings::kSharedProcess) return {};
  const auto confined = os::confine(needs);
  if (!confined) return std::unexpected(confined.error());
  return {};
}

}  // namespace wyndrvr::runtime
