// GapSet and WorkingSet::take do not allocate per datagram after warm-up: counts `operator new`.
//
// In this folder because a program can replace the operators only once, and the unit test program
// does so elsewhere.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "seq/gap_set.hpp"
#include "seq/working_set.hpp"

namespace {

std::uint64_t allocations = 0;

void* count_and_allocate(std::size_t size) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

void* operator new(std::size_t size) {
  void* memory = count_and_allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return count_and_allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}

namespace wyndrvr::seq {
namespace {

template <class Work>
std::uint64_t allocations_of(Work work) {
  const std::uint64_t before = allocations;
  work();
  return allocations - before;
}

TEST(SeqAllocation, TheCounterCounts) {
  EXPECT_EQ(allocations_of([] { ::operator delete(::operator new(16)); }), 1U);
}

// Every seventh number stays out, and arrives 200 numbers later: about 29 gaps are open at a time.
void lose_and_refill(GapSet& gaps, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t kDelay = 200;
  for (std::uint64_t number = begin; number < end; ++number) {
    if (number % 7 != 0) gaps.mark(number);
    if (number >= kDelay && (number - kDelay) % 7 == 0) gaps.mark(number - kDelay);
  }
}

TEST(SeqAllocation, SteadyLossAndRefillNeedsNoneAfterWarmUp) {
  GapSet gaps(1000);
  EXPECT_GT(allocations_of([&] { lose_and_refill(gaps, 0, 1000); }), 0U);
  ASSERT_GT(gaps.gap_count(), 20U);
  EXPECT_EQ(allocations_of([&] { lose_and_refill(gaps, 1000, 100'000); }), 0U);
}

TEST(SeqAllocation, LossBeyondTheBoundNeedsNoneAfterWarmUp) {
  GapSet gaps(50);
  const auto lose_every_other = [&gaps](std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t number = begin; number < end; number += 2) gaps.mark(number);
  };
  lose_every_other(1, 201);
  ASSERT_EQ(gaps.gap_count(), 50U);
  EXPECT_EQ(allocations_of([&] { lose_every_other(201, 20'001); }), 0U);
  EXPECT_GT(gaps.written_off(), 9'000U);
}

TEST(SeqAllocation, InOrderNumbersNeedNone) {
  GapSet gaps(1000);
  EXPECT_EQ(allocations_of([&] {
              for (std::uint64_t number = 0; number < 10'000; ++number) gaps.mark(number);
            }),
            0U);
}

TEST(SeqAllocation, ReportingTheLowestRangesNeedsNone) {
  GapSet gaps(1000);
  lose_and_refill(gaps, 0, 1000);
  std::array<Range, 86> out;
  std::size_t count = 0;
  EXPECT_EQ(allocations_of([&] { count = gaps.lowest(out); }), 0U);
  EXPECT_GT(count, 20U);
}

TEST(SeqAllocation, TakingFromAWorkingSetNeedsNone) {
  WorkingSet numbers;
  numbers.take(1000);
  numbers.add_lost(std::array{Range{1, 5}, Range{7, 9}, Range{100, 200}});
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 1000; ++i) numbers.take(3);
            }),
            0U);
}

}  // namespace
}  // namespace wyndrvr::seq
