// The wyndrvr program.
#include <string>
#include <vector>

#include "app/program.hpp"
#include "os/signals.hpp"

int main(int argc, char** argv) {
  wyndrvr::os::ignore_broken_pipes();
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return static_cast<int>(wyndrvr::app::run_program(arguments));
}
