// What marking a received number costs: in order one by one, in order by runs, and with loss.
#include <cstdint>

#include <benchmark/benchmark.h>

#include "base/random.hpp"
#include "seq/gap_set.hpp"

namespace wyndrvr::micro {
namespace {

constexpr std::size_t kMaxGaps = 4096;
// A train of 1400 octets each, as GRO delivers it.
constexpr std::uint64_t kRun = 46;

void count_numbers(benchmark::State& state, std::uint64_t numbers) {
  state.SetItemsProcessed(static_cast<std::int64_t>(numbers));
}

void gap_set_in_order_one_by_one(benchmark::State& state) {
  seq::GapSet gaps(kMaxGaps);
  std::uint64_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(gaps.mark(next++));
  count_numbers(state, next);
}
BENCHMARK(gap_set_in_order_one_by_one);

void gap_set_in_order_by_runs(benchmark::State& state) {
  seq::GapSet gaps(kMaxGaps);
  std::uint64_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(gaps.mark({next, next + kRun}));
    next += kRun;
  }
  count_numbers(state, next);
}
BENCHMARK(gap_set_in_order_by_runs);

// One of `range(0)` numbers is missing at first and comes 1,000 numbers later, as what is sent
// again does.
void gap_set_with_loss(benchmark::State& state) {
  constexpr std::uint64_t kLater = 1'000;
  const auto one_of = static_cast<std::uint64_t>(state.range(0));
  seq::GapSet gaps(kMaxGaps);
  std::uint64_t next = 0;
  for (auto _ : state) {
    if (next % one_of != 0) benchmark::DoNotOptimize(gaps.mark(next));
    if (next >= kLater && (next - kLater) % one_of == 0) {
      benchmark::DoNotOptimize(gaps.mark(next - kLater));
    }
    ++next;
  }
  count_numbers(state, next);
}
BENCHMARK(gap_set_with_loss)->Arg(1000)->Arg(100)->Arg(10);

}  // namespace
}  // namespace wyndrvr::micro
