// wyndrvr-sim: replays one seed of the simulation with its trace, or runs many.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/result.hpp"
#include "sim/world.hpp"

namespace {

using wyndrvr::sim::Coverage;
using wyndrvr::sim::Topology;
using wyndrvr::sim::World;

constexpr std::string_view kUsage =
    R"(wyndrvr-sim: simulates whole sessions over faulty links and checks every number

  wyndrvr-sim --seed N           one seed, with its trace and verdict
  wyndrvr-sim --seeds A..B       seeds A to B (both included); prints those that fail
      --topology NAME            how letters travel: one-loop (the default), own-loops, channels;
                                 the trace is the same in all three
      --quiet                    without the trace, without the progress line
      --summary                  and a table of what the seeds came across
  wyndrvr-sim --help

Exit code: 0 every invariant held, 1 one did not, 2 bad usage.
)";

constexpr int kHeld = 0;
constexpr int kBroken = 1;
constexpr int kBadUsage = 2;

struct Options {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  Topology topology = Topology::kOneLoop;
  bool single = false;
  bool given = false;
  bool summary = false;
  bool quiet = false;
  bool help = false;
};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool parse_range(std::string_view text, Options& options) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return false;
  const auto first = parse_number(text.substr(0, dots));
  const auto last = parse_number(text.substr(dots + 2));
  if (!first || !last || *last < *first) return false;
  options.first = *first;
  options.last = *last;
  options.given = true;
  return true;
}

std::string_view what_it_takes(std::string_view option) {
  if (option == "--topology") return "one-loop, own-loops or channels";
  return option == "--seeds" ? "two numbers, as in 0..1999" : "a number";
}

// Takes the value of an option that has one; false where it is none.
bool take_value(std::string_view option, std::string_view value, Options& options) {
  if (option == "--seeds") return parse_range(value, options);
  if (option == "--topology") {
    const auto topology = wyndrvr::sim::parse_topology(value);
    if (topology) options.topology = *topology;
    return topology.has_value();
  }
  const auto seed = parse_number(value);
  if (!seed) return false;
  options.first = options.last = *seed;
  options.single = options.given = true;
  return true;
}

wyndrvr::Result<Options> parse(const std::vector<std::string_view>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help") {
      options.help = true;
    } else if (argument == "--summary") {
      options.summary = true;
    } else if (argument == "--quiet") {
      options.quiet = true;
    } else if (argument == "--seeds" || argument == "--seed" || argument == "--topology") {
      const std::string_view value = ++i < arguments.size() ? arguments[i] : "";
      if (!take_value(argument, value, options)) {
        return wyndrvr::fail("{} takes {}, not '{}'", argument, what_it_takes(argument), value);
      }
    } else {
      return wyndrvr::fail("unknown option {}", argument);
    }
  }
  if (!options.given && !options.help) return wyndrvr::fail("give --seed or --seeds");
  return options;
}

void print_violations(std::uint64_t seed, Topology topology, const World& world) {
  for (const std::string& violation : world.violations()) {
    fmt::print("seed {}: {}\n", seed, violation);
  }
  fmt::print("replay: wyndrvr-sim --seed {} --topology {}\n", seed, name(topology));
}

// Says once a second on stderr how far it is.
class Progress {
 public:
  explicit Progress(const Options& options) : options_(options) {}

  void on_seed(std::uint64_t seed, std::uint64_t broken) {
    const auto now = std::chrono::steady_clock::now();
    if (options_.quiet || options_.single || now - last_ < std::chrono::seconds(1)) return;
    last_ = now;
    fmt::print(stderr, "seed {} of {}..{}: {} broken\n", seed, options_.first, options_.last,
               broken);
  }

 private:
  const Options& options_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

int run(const Options& options) {
  Coverage coverage;
  Progress progress(options);
  std::uint64_t broken = 0;
  for (std::uint64_t seed = options.first;; ++seed) {
    World world(seed, options.topology);
    if (options.single && !options.quiet) {
      world.trace_to([](const std::string& line) { fmt::print("{}\n", line); });
    }
    world.run();
    coverage.add_run(world.coverage());
    if (!world.violations().empty()) {
      ++broken;
      print_violations(seed, options.topology, world);
    }
    if (options.single) {
      fmt::print("seed {}: {} events in {:.3f} s, trace {:016x}: {}\n", seed, world.events(),
                 wyndrvr::to_seconds(world.now().time_since_epoch()), world.trace_hash(),
                 broken == 0 ? "every invariant held" : "BROKEN");
    }
    progress.on_seed(seed, broken);
    if (seed == options.last) break;
  }
  if (options.summary) fmt::print("{}", coverage.table());
  if (!options.single) {
    fmt::print("{} seeds, {} broken\n", options.last - options.first + 1, broken);
  }
  return broken == 0 ? kHeld : kBroken;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto options = parse(arguments);
  if (!options) {
    fmt::print(stderr, "wyndrvr-sim: {}\n\n{}", options.error().message, kUsage);
    return kBadUsage;
  }
  if (options->help) {
    fmt::print("{}", kUsage);
    return kHeld;
  }
  return run(*options);
}
