// The system calls that a worker may make (seccomp(2), by way of libseccomp).
//
// A part of confine(), which says what it is for; nothing else installs a filter. An allow-list:
// any other call kills the process with SIGSYS, for a worker that makes one is either compromised
// or has a bug that tests should show.
#pragma once

#include "base/result.hpp"

namespace wyndrvr::os {

// For the calling thread and those that it starts; PR_SET_NO_NEW_PRIVS must be set. False: not
// built, or this kernel has no such filters. `threads`: starting threads is allowed, too.
[[nodiscard]] Result<bool> install_syscall_filter(bool threads);

[[nodiscard]] bool syscall_filter_built();

}  // namespace wyndrvr::os
