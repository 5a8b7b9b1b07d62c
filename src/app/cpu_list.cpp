#include "app/cpu_list.hpp"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "app/parse_number.hpp"
#include "app/printable.hpp"
#include "app/text_list.hpp"

namespace wyndrvr::app {
namespace {

struct CpuRange {
  unsigned first = 0;
  unsigned last = 0;
};

std::optional<unsigned> parse_cpu(std::string_view text) {
  const auto cpu = parse_number<unsigned>(trim(text));
  return cpu && *cpu <= kHighestCpu ? cpu : std::nullopt;
}

Result<CpuRange> parse_cpu_range(std::string_view item) {
  if (item.empty()) return fail("an item of the list is empty: write it as in 0-3,6");
  const std::size_t dash = item.find('-');
  const auto first = parse_cpu(item.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_cpu(item.substr(dash + 1));
  if (!first || !last) {
    return fail("'{}' is neither a CPU's number (0 to {}) nor a range of them, as in 0-3",
                printable(item), kHighestCpu);
  }
  if (*first > *last) {
    return fail("the range {0}-{1} ends before it begins: write {1}-{0}", *first, *last);
  }
  return CpuRange{*first, *last};
}

}  // namespace

Result<CpuList> parse_cpu_list(std::string_view text) {
  CpuList cpus;
  if (trim(text).empty()) return cpus;
  std::bitset<kHighestCpu + 1> seen;
  for (const std::string_view item : split_list(text)) {
    const auto range = parse_cpu_range(item);
    if (!range) return std::unexpected(range.error());
    for (unsigned cpu = range->first; cpu <= range->last; ++cpu) {
      if (seen.test(cpu)) return fail("CPU {} stands in the list twice", cpu);
      if (cpus.size() == kMostCpus) return fail("these are more than {} CPUs", kMostCpus);
      seen.set(cpu);
      cpus.push_back(cpu);
    }
  }
  return cpus;
}

std::string format_cpu_list(CpuList cpus) {
  if (cpus.empty()) return "none";
  std::ranges::sort(cpus);
  std::string text;
  for (std::size_t first = 0; first < cpus.size();) {
    std::size_t last = first;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (first > 0) text += ',';
    text += fmt::format("{}", cpus[first]);
    if (last > first) text += fmt::format("-{}", cpus[last]);
    first = last + 1;
  }
  return text;
}

}  // namespace wyndrvr::app
