// The client from valid arguments to its exit code: resolve, run, show, write the document.
#pragma once

#include "app/command_line.hpp"
#include "app/exit_code.hpp"
#include "app/settings.hpp"
#include "engine/result.hpp"
#include "wire/session_fields.hpp"

namespace wyndrvr::app {

[[nodiscard]] ExitCode run_client_program(const CommandLine& command, const Settings& settings);

// Done: a latency run of which one heartbeat was answered, or a valid test with the result
// of each of its directions.
[[nodiscard]] ExitCode exit_code_of(const engine::SessionResult& result,
                                    wire::Directions directions);

}  // namespace wyndrvr::app
