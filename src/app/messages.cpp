#include "app/messages.hpp"

#include "app/console.hpp"

namespace wyndrvr::app {

ExitCode report_bad_usage(const Error& error) {
  Console console = Console::standard();
  console.err("wyndrvr: " + error.message);
  console.err("Try 'wyndrvr --help'.");
  return ExitCode::kBadUsage;
}

ExitCode report_failure(const Error& error) {
  Console::standard().err("wyndrvr: " + error.message);
  return ExitCode::kFailed;
}

void report_warnings(std::span<const std::string> warnings) {
  Console console = Console::standard();
  for (const std::string& warning : warnings) console.err("wyndrvr: warning: " + warning);
}

}  // namespace wyndrvr::app
