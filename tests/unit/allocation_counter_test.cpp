// The global operator new of this test program, which counts. With ThreadSanitizer nothing is
// counted.
#include "unit/allocation_counter.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include <gtest/gtest.h>
#include <malloc.h>

#include "sanitizers.hpp"

namespace {

std::atomic<std::uint64_t> allocations{0};
std::atomic<std::uint64_t> held{0};

#if !WYNDRVR_THREAD_SANITIZER
std::uint64_t octets_of(void* memory) {
  return malloc_usable_size(memory) + sizeof(std::size_t);
}

void* counted_allocation(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  held += octets_of(memory);
  return memory;
}

void counted_release(void* memory) {
  if (memory != nullptr) held -= octets_of(memory);
  std::free(memory);
}
#endif

}  // namespace

#if !WYNDRVR_THREAD_SANITIZER
// GCC sees through the pair above and below when it inlines one and not the other.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// The forms that are not replaced here call these two (new.delete in the standard), but for the
// over-aligned ones, which nothing here uses.
void* operator new(std::size_t size) {
  return counted_allocation(size);
}
void operator delete(void* memory) noexcept {
  counted_release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  counted_release(memory);
}

#pragma GCC diagnostic pop
#endif

namespace wyndrvr::testing {

std::uint64_t allocations_so_far() {
  return allocations;
}

std::uint64_t octets_held() {
  return held;
}

namespace {

TEST(AllocationCounter, CountsEveryNew) {
  if (kThreadSanitizer) GTEST_SKIP() << "nothing is counted with ThreadSanitizer";
  std::unique_ptr<int> memory;
  EXPECT_EQ(allocations_during([&memory] { memory = std::make_unique<int>(7); }), 1U);
  EXPECT_EQ(allocations_during([] {}), 0U);
}

TEST(AllocationCounter, TellsWhatIsHeld) {
  if (kThreadSanitizer) GTEST_SKIP() << "nothing is counted with ThreadSanitizer";
  const std::uint64_t before = octets_held();
  auto memory = std::make_unique<std::array<std::byte, 1000>>();
  EXPECT_GE(octets_held(), before + 1000);
  memory.reset();
  EXPECT_EQ(octets_held(), before);
}

}  // namespace
}  // namespace wyndrvr::testing
