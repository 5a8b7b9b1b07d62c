// The global operator new of this test program, which counts.
#include "unit/allocation_counter.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include <gtest/gtest.h>

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted_allocation(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// GCC sees through the pair above and below when it inlines one and not the other.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// The forms that are not replaced here call these two (new.delete in the standard), but for the
// over-aligned ones, which nothing here uses.
void* operator new(std::size_t size) {
  return counted_allocation(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

#pragma GCC diagnostic pop

namespace wyndrvr::testing {

std::uint64_t allocations_so_far() {
  return allocations;
}

namespace {

TEST(AllocationCounter, CountsEveryNew) {
  std::unique_ptr<int> memory;
  EXPECT_EQ(allocations_during([&memory] { memory = std::make_unique<int>(7); }), 1U);
  EXPECT_EQ(allocations_during([] {}), 0U);
}

}  // namespace
}  // namespace wyndrvr::testing
