// CHECK: aborts on our own bug, with the place and the broken condition.
//
// For invariants of this program only. A hostile peer, a bad argument or a failed system call is
// never a CHECK: those are `Result` or a counted drop.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace wyndrvr::base {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "wyndrvr: bug at %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace wyndrvr::base

#define WYNDRVR_CHECK(condition)      \
  ((condition) ? static_cast<void>(0) \
               : ::wyndrvr::base::check_failed(#condition, __FILE__, __LINE__))
