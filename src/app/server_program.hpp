// The server from valid settings to its exit code.
#pragma once

#include "app/command_line.hpp"
#include "app/exit_code.hpp"
#include "app/settings.hpp"

namespace wyndrvr::app {

[[nodiscard]] ExitCode run_server_program(const CommandLine& command, const Settings& settings);

}  // namespace wyndrvr::app
