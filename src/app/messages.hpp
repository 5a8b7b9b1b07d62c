// How the program speaks of its own failures: "wyndrvr: …" on stderr.
#pragma once

#include <span>
#include <string>

#include "app/console.hpp"
#include "app/exit_code.hpp"
#include "base/result.hpp"

namespace wyndrvr::app {

// With the hint where help is to be found.
[[nodiscard]] ExitCode report_bad_usage(const Error& error);
[[nodiscard]] ExitCode report_failure(const Error& error);
// While a run has the streams.
[[nodiscard]] ExitCode report(Console& console, const Error& error, ExitCode code);
void report_warnings(std::span<const std::string> warnings);

}  // namespace wyndrvr::app
