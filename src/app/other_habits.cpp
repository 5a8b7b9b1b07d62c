#include "app/other_habits.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "app/nearest.hpp"
#include "app/option_table.hpp"

namespace wyndrvr::app {
namespace {

struct Habit {
  std::string_view word;
  std::string_view advice;
};

// Options of iperf3(1), iperf(1) and ping(8).
constexpr std::array<Habit, 36> kHabits = {{
    {"-1", "stop a server with Ctrl-C"},
    {"-A", "here it is --cpu"},
    {"-B", "here it is --bind, for a server --bind-addr"},
    {"-D", "run it in the background with the shell's &, or under systemd"},
    {"-I", "here it is --interface"},
    {"-O", "leave it out: intervals show the ramp, and --json has them all"},
    {"-P", "here it is --streams"},
    {"-Q", "here it is --dscp, which takes the code point"},
    {"-R", "here it is --bwdown"},
    {"-S", "here it is --dscp, which takes the code point"},
    {"-b", "here it is --rate"},
    {"-c",
     "the server is named without an option: wyndrvr HOST; a number of heartbeats is --count"},
    {"-d", "here it is --bwboth"},
    {"-f", "leave it out: figures choose their unit, and --json has plain ones"},
    {"-k", "here it is --bytes"},
    {"-l", "here it is --payload"},
    {"-n", "here it is --bytes; a number of heartbeats is --count"},
    {"-o", "here it is --json FILE"},
    {"-s", "here it is --server"},
    {"-u", "every test is over UDP: leave it out"},
    {"-v", "here it is -V or --version; debug lines are --test-verbose"},
    {"-w", "leave it out: a socket's buffer follows net.core.rmem_max and wmem_max"},
    {"--affinity", "here it is --cpu"},
    {"--bandwidth", "here it is --rate"},
    {"--bidir", "here it is --bwboth"},
    {"--bind-dev", "here it is --interface"},
    {"--bitrate", "here it is --rate"},
    {"--client", "the server is named without an option: wyndrvr HOST"},
    {"--length", "here it is --payload"},
    {"--parallel", "here it is --streams"},
    {"--reverse", "here it is --bwdown"},
    {"--time", "here it is --duration"},
    {"--tos", "here it is --dscp, which takes the code point"},
    {"--udp", "every test is over UDP: leave it out"},
    {"--version4", "here it is --ipv4"},
    {"--version6", "here it is --ipv6"},
}};

std::string our_letters() {
  std::string letters;
  for (const OptionSpec& option : all_options()) {
    if (option.letter == 0) continue;
    letters += fmt::format("{}-{} ({})", letters.empty() ? "" : ", ", option.letter, option.name);
  }
  return letters;
}

}  // namespace

std::string meant_by(std::string_view unknown) {
  const auto* const habit = std::ranges::find(kHabits, unknown, &Habit::word);
  if (habit != kHabits.end()) return fmt::format(" ({})", habit->advice);
  if (!unknown.starts_with("--")) return fmt::format(" (short ones are {})", our_letters());
  std::vector<std::string> known;
  for (const OptionSpec& option : all_options()) known.push_back(option.name);
  const auto meant = nearest(unknown, known);
  return meant ? fmt::format(" (did you mean {}?)", *meant) : "";
}

}  // namespace wyndrvr::app
