// The wyndrvr program: what the command line says, or, started by itself in that role, a worker.
#include <string>
#include <vector>

#include "app/program.hpp"
#include "os/child_process.hpp"
#include "os/signals.hpp"
#include "os/standard_streams.hpp"
#include "runtime/worker_main.hpp"

int main(int argc, char** argv) {
  if (const auto code = wyndrvr::runtime::run_if_worker(argc, argv)) return *code;
  wyndrvr::os::hold_standard_streams();
  wyndrvr::os::ignore_write_signals();
  wyndrvr::os::watch_children();
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return static_cast<int>(wyndrvr::app::run_program(arguments));
}
