#include "os/cpu_affinity.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fmt/ranges.h>
#include <sched.h>

#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

// The kernel's set of CPUs: whole words, so that no set is too short to be asked for (the kernel
// refuses those) nor fixed to the 1,024 CPUs of cpu_set_t.
using CpuMask = std::vector<unsigned long>;
constexpr unsigned kBitsPerWord = std::numeric_limits<unsigned long>::digits;
constexpr unsigned kFirstMaskCpus = 1'024;
// The largest NR_CPUS that Linux can be built with is 8,192; room beyond.
constexpr unsigned kMostCpus = 65'536;

cpu_set_t* as_cpu_set(CpuMask& mask) {
  return reinterpret_cast<cpu_set_t*>(mask.data());
}

bool holds(const CpuMask& mask, unsigned cpu) {
  const std::size_t word = cpu / kBitsPerWord;
  return word < mask.size() && (mask[word] >> (cpu % kBitsPerWord) & 1U) != 0;
}

std::vector<unsigned> cpus_in(const CpuMask& mask) {
  std::vector<unsigned> cpus;
  const auto bits = static_cast<unsigned>(mask.size()) * kBitsPerWord;
  for (unsigned cpu = 0; cpu < bits; ++cpu) {
    if (holds(mask, cpu)) cpus.push_back(cpu);
  }
  return cpus;
}

// Empty, with errno, when the kernel does not tell.
CpuMask current_mask() {
  for (unsigned cpus = kFirstMaskCpus; cpus <= kMostCpus; cpus *= 2) {
    CpuMask mask(cpus / kBitsPerWord);
    if (::sched_getaffinity(0, mask.size() * sizeof mask[0], as_cpu_set(mask)) == 0) return mask;
    if (errno != EINVAL) break;  // EINVAL: the kernel knows more CPUs than that
  }
  return {};
}

bool apply(CpuMask mask) {
  return ::sched_setaffinity(0, mask.size() * sizeof mask[0], as_cpu_set(mask)) == 0;
}

// All that this thread could be given: the kernel narrows any wish to what is there and allowed.
std::vector<unsigned> available_cpus() {
  if (!apply(CpuMask(kMostCpus / kBitsPerWord, ~0UL))) return allowed_cpus();
  return cpus_in(current_mask());
}

}  // namespace

std::vector<unsigned> allowed_cpus() {
  return cpus_in(current_mask());
}

Result<void> pin_thread(std::span<const unsigned> cpus) {
  if (cpus.empty()) return fail("cannot pin a thread to an empty list of CPUs");
  const CpuMask before = current_mask();
  if (before.empty()) return system_failure("cannot pin a thread", "sched_getaffinity");

  CpuMask wanted(kMostCpus / kBitsPerWord);
  for (const unsigned cpu : cpus) {
    if (cpu < kMostCpus) wanted[cpu / kBitsPerWord] |= 1UL << (cpu % kBitsPerWord);
  }
  const bool applied = apply(wanted);
  const int error = errno;
  // A wish that holds for some of the CPUs is granted for those, without a word.
  const CpuMask after = current_mask();
  const auto missing =
      std::ranges::find_if(cpus, [&](unsigned cpu) { return !applied || !holds(after, cpu); });
  if (missing == cpus.end()) return {};

  // EINVAL: none of them.
  if (!applied && error != EINVAL) {
    return system_failure("cannot pin a thread", "sched_setaffinity", error);
  }
  const std::vector<unsigned> available = available_cpus();
  (void)apply(before);
  const auto culprit = std::ranges::find_if(
      cpus, [&](unsigned cpu) { return !std::ranges::binary_search(available, cpu); });
  return fail("cannot pin a thread to CPU {}: it is not there or not allowed; choose from {}",
              culprit == cpus.end() ? *missing : *culprit, fmt::join(available, ","));
}

}  // namespace wyndrvr::os
