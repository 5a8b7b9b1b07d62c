#include "os/orphans.hpp"

#include <csignal>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/child_process.hpp"

namespace wyndrvr::os {

bool adopts_orphans() {
  int subreaper = 0;
  (void)::prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
  return ::getpid() == 1 || subreaper != 0;
}

std::size_t reap_orphans() {
  // A bound for one call; the next one goes on.
  constexpr std::size_t kMost = 1'000;
  std::size_t reaped = 0;
  while (reaped < kMost) {
    siginfo_t info{};
    // WNOWAIT: only looks.
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) break;
    const auto pid = static_cast<int>(info.si_pid);
    const bool collected = ChildProcess::unless_own(pid, [pid] {
      siginfo_t end{};
      (void)::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOHANG);
    });
    // One of ours stands before the others until it is reaped, which is about to happen.
    if (!collected) break;
    ++reaped;
  }
  return reaped;
}

}  // namespace wyndrvr::os
