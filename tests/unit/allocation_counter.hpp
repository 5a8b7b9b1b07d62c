// How often operator new was called, and what it holds; for tests that something allocates nothing,
// or no more than it says.
//
// The operators that count are in allocation_counter_test.cpp, once for the whole test program.
#pragma once

#include <cstdint>

namespace wyndrvr::testing {

// Since the program began, by all threads.
[[nodiscard]] std::uint64_t allocations_so_far();

// Octets that operator new holds now, with malloc's own eight for each piece.
[[nodiscard]] std::uint64_t octets_held();

// Calls of operator new while `work` runs.
template <class Work>
[[nodiscard]] std::uint64_t allocations_during(Work&& work) {
  const std::uint64_t before = allocations_so_far();
  work();
  return allocations_so_far() - before;
}

}  // namespace wyndrvr::testing
