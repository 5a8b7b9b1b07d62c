// The whole program but for `main` itself: arguments in, exit code out.
#pragma once

#include <string>
#include <vector>

#include "app/exit_code.hpp"

namespace wyndrvr::app {

// `arguments` without the program's name.
[[nodiscard]] ExitCode run_program(const std::vector<std::string>& arguments);

}  // namespace wyndrvr::app
