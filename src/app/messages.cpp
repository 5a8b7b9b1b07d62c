#include "app/messages.hpp"

namespace wyndrvr::app {

ExitCode report_bad_usage(const Error& error) {
  Console console = Console::standard();
  return report(console, error, ExitCode::kBadUsage);
}

ExitCode report_failure(const Error& error) {
  Console console = Console::standard();
  return report(console, error, ExitCode::kFailed);
}

ExitCode report(Console& console, const Error& error, ExitCode code) {
  console.err("wyndrvr: " + error.message);
  if (code == ExitCode::kBadUsage) console.err("Try 'wyndrvr --help'.");
  return code;
}

void report_warnings(std::span<const std::string> warnings) {
  Console console = Console::standard();
  for (const std::string& warning : warnings) console.err("wyndrvr: warning: " + warning);
}

}  // namespace wyndrvr::app
