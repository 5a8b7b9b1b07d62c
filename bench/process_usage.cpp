#include "process_usage.hpp"

#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace wyndrvr::bench {
namespace {

// The sum of utime and stime, fields 14 and 15 of proc(5)'s stat. The second field is a name in
// brackets that may hold anything.
std::optional<Duration> cpu_time_of(const std::string& stat) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  if (!(fields >> user >> system)) return std::nullopt;
  const std::int64_t ticks_per_second = sysconf(_SC_CLK_TCK);
  return Duration((user + system) * (1'000'000'000 / ticks_per_second));
}

std::uint64_t private_octets_of(std::istream& rollup) {
  std::uint64_t octets = 0;
  for (std::string line; std::getline(rollup, line);) {
    if (!line.starts_with("Private_Clean:") && !line.starts_with("Private_Dirty:")) continue;
    octets += std::stoull(line.substr(line.find(':') + 1)) * 1024;
  }
  return octets;
}

}  // namespace

std::optional<ProcessUsage> usage_of(int pid) {
  const std::string folder = pid == 0 ? "/proc/self" : fmt::format("/proc/{}", pid);
  std::ifstream stat(folder + "/stat");
  std::ifstream rollup(folder + "/smaps_rollup");
  std::string line;
  if (!rollup || !std::getline(stat, line)) return std::nullopt;
  const auto cpu = cpu_time_of(line);
  if (!cpu) return std::nullopt;
  return ProcessUsage{*cpu, private_octets_of(rollup)};
}

}  // namespace wyndrvr::bench
