// What the program needs to know of the host and the terminal that it runs on.
//
// Thread-safe, save that HOME must not be changed meanwhile (getenv(3)).
#pragma once

#include <string>

#include "base/result.hpp"

namespace wyndrvr::os {

// As `uname -r` prints it.
[[nodiscard]] std::string kernel_release();
// Processors that this process may use (sched_getaffinity(2)), at least 1.
[[nodiscard]] unsigned cpu_count();
// HOME, else the password database's entry of the effective user.
[[nodiscard]] Result<std::string> home_folder();
[[nodiscard]] bool stderr_is_terminal();
// Columns of the terminal on stderr; 80 where there is none.
[[nodiscard]] unsigned terminal_width();
// Whether IPv6 sockets can be opened at all.
[[nodiscard]] bool ipv6_available();

}  // namespace wyndrvr::os
