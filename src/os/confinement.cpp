#include "os/confinement.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.hpp"
#include "os/syscall_filter.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

constexpr std::string_view kPurpose = "cannot confine this worker";

// As the kernel's, of the process and for good.
std::atomic<bool> filtered = false;

Result<void> drop_capabilities() {
  // Emptying the permitted set empties the ambient one (capabilities(7)); asked for all the same,
  // and kernels before 4.3 have none.
  (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return system_failure(kPurpose, "capset");
  return {};
}

Result<void> limit_descriptors(rlim_t most) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return system_failure(kPurpose, "getrlimit");
  // It may be lower already; raising it is neither wanted nor allowed.
  limit = {.rlim_cur = std::min(limit.rlim_cur, most), .rlim_max = std::min(limit.rlim_max, most)};
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return system_failure(kPurpose, "setrlimit");
  return {};
}

}  // namespace

Result<bool> confine(const Confinement& needs) {
  if (auto dropped = drop_capabilities(); !dropped) return std::unexpected(dropped.error());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return system_failure(kPurpose, "prctl PR_SET_NO_NEW_PRIVS");
  }
  // After the capabilities, for a change of credentials may clear it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    return system_failure(kPurpose, "prctl PR_SET_PDEATHSIG");
  }
  if (needs.processes) return false;
  const rlim_t most = needs.threads ? kMostSessionDescriptors : kMostWorkerDescriptors;
  if (auto limited = limit_descriptors(most); !limited) return std::unexpected(limited.error());
  const auto installed = install_syscall_filter(needs.threads);
  if (installed && *installed) filtered = true;
  return installed;
}

bool may_open_sockets() {
  return !filtered;
}

bool seccomp_available() {
  return syscall_filter_built();
}

void set_process_name(std::string_view name) {
  const std::string text(name);  // the kernel cuts it
  WYNDRVR_CHECK(::prctl(PR_SET_NAME, text.c_str(), 0, 0, 0) == 0);
}

}  // namespace wyndrvr::os
