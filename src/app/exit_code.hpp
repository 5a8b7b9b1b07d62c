// How the program ends, for scripts.
#pragma once

namespace wyndrvr::app {

enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,    // a failed test, no answer, or a server that cannot start
  kBadUsage = 2,  // options or configuration
};

}  // namespace wyndrvr::app
