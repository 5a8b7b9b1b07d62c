// A list of CPUs, as in "0-3,6": text to the kernel's numbers, and numbers to text.
//
// Which of them there are on this machine, and which of those the process may use, is not known
// here. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace wyndrvr::app {

using CpuList = std::vector<unsigned>;

inline constexpr unsigned kHighestCpu = 8191;   // Linux is built for 8192 CPUs at most (NR_CPUS)
inline constexpr std::size_t kMostCpus = 1024;  // in one list

// In the order in which they were written, each once; nothing but blanks is an empty list. The
// failure is a clause to put behind the text, such as "CPU 2 stands in the list twice".
[[nodiscard]] Result<CpuList> parse_cpu_list(std::string_view text);

// Ascending and with ranges, "0-3,6"; "none" where there are none. No number may stand twice.
[[nodiscard]] std::string format_cpu_list(CpuList cpus);

}  // namespace wyndrvr::app
