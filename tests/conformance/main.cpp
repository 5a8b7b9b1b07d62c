// The conformance tests; started by themselves in that role, a worker: workers in processes of
// their own are made by executing the running program.
#include <gmock/gmock.h>

#include "os/child_process.hpp"
#include "process_state.hpp"
#include "runtime/worker_main.hpp"

int main(int argc, char** argv) {
  if (const auto code = wyndrvr::runtime::run_if_worker(argc, argv)) return *code;
  wyndrvr::os::watch_children();
  ::testing::InitGoogleMock(&argc, argv);
  wyndrvr::testing::watch_process_state();
  return RUN_ALL_TESTS();
}
