#include "app/option_table.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace wyndrvr::app {
namespace {

constexpr std::string_view kUsage =
    R"(Measures latency, loss and throughput between two hosts over UDP.

Usage:
  wyndrvr [TARGET] [options]                     measure the latency to a server
  wyndrvr [TARGET] --bwup|--bwdown|--bwboth [options]
                                                 and test the throughput
  wyndrvr --server [[ADDR]:[PORT]] [options]     be the server
  wyndrvr --create-config [--config PATH] [options]

TARGET is HOST, HOST:PORT, :PORT or [IPV6]:PORT; parts left out are 127.0.0.1 and 6711.
Every option but the first group is also a key of the configuration file (key=value lines,
with _ for -); the command line goes before the file, and the file before the defaults.
Times are numbers in the unit shown, or have one of their own: 500ms, 10s, 1m, 2h.
Exit status: 0 done, 1 failed test or no answer, 2 bad usage.
)";

constexpr std::size_t kHelpColumn = 34;
constexpr std::size_t kHelpWidth = 98;

std::string placeholder_of(const KeySpec& spec) {
  switch (spec.unit) {
    case Unit::kMicroseconds:
      return "US";
    case Unit::kMilliseconds:
      return "MS";
    case Unit::kSeconds:
      return "S";
    case Unit::kBytes:
      return "BYTES";
    case Unit::kNone:
      break;
  }
  switch (spec.kind) {
    case ValueKind::kHost:
      return "ADDR";
    case ValueKind::kPortRanges:
      return "RANGES";
    case ValueKind::kMode:
      return "MODE";
    case ValueKind::kBoolean:
      return "BOOL";
    case ValueKind::kDecimal:
      return "P";
    case ValueKind::kCpuList:
      return "LIST";
    case ValueKind::kDialect:
      return "auto|1|0.14";
    case ValueKind::kOffload:
      return "auto|on|off";
    case ValueKind::kRate:
      return "R|max";
    case ValueKind::kRateBound:
      return "R";
    case ValueKind::kDscp:
      return "N|NAME";
    case ValueKind::kAddress:
      return "ADDR";
    case ValueKind::kInterface:
      return "NAME";
    case ValueKind::kPath:
      return "PATH";
    case ValueKind::kNetworks:
      return "NETWORKS";
    case ValueKind::kInteger:
    case ValueKind::kOctetBound:
    case ValueKind::kHopLimit:
      break;
  }
  return "N";
}

OptionSpec option_of(const KeySpec& spec) {
  OptionSpec option{.name = option_name(spec),
                    .argument = Argument::kRequired,
                    .placeholder = placeholder_of(spec),
                    .bare = {},
                    .help = std::string(spec.meaning),
                    .key = spec.key,
                    .role = role_of(spec),
                    .unit = spec.unit};
  if (spec.key == Key::kDuration) option.letter = 't';
  if (spec.key == Key::kTestDelay) option.bare = "100";
  if (spec.key == Key::kReliable) {
    option.placeholder = "on|off";
  } else if (spec.kind == ValueKind::kBoolean) {
    option.bare = "true";
  }
  if (!option.bare.empty()) option.argument = Argument::kOptional;
  return option;
}

std::vector<OptionSpec> make_options() {
  using enum Argument;
  using enum Role;
  std::vector<OptionSpec> options = {
      {.name = "--server",
       .argument = kOptional,
       .placeholder = "[ADDR]:[PORT]",
       .bare = ":",
       .help = "be the server, at bind_addr and bind_port",
       .role = kServer},
      {.name = "--bwup",
       .argument = kNone,
       .help = "test the upload to the server",
       .role = kClient},
      {.name = "--bwdown", .argument = kNone, .help = "test the download from it", .role = kClient},
      {.name = "--bwboth",
       .argument = kNone,
       .help = "test both directions at once",
       .role = kClient},
      {.name = "--count",
       .placeholder = "N",
       .help = "end a latency run after N heartbeats on each port",
       .role = kClient},
      {.name = "--json",
       .argument = kOptional,
       .placeholder = "FILE",
       .bare = "-",
       .help = "result as JSON, to stdout where no FILE is named",
       .role = kClient,
       .letter = 'J'},
      {.name = "--interval",
       .placeholder = "MS",
       .help = "time between progress lines of a test (default 1000 ms, 100 ms to 60 s; -i takes "
               "seconds)",
       .role = kClient,
       .unit = Unit::kMilliseconds,
       .letter = 'i',
       .letter_unit = Unit::kSeconds,
       .letter_placeholder = "S"},
      {.name = "--port",
       .placeholder = "PORT",
       .help = "main port of the server: that the client asks, or the server listens on",
       .letter = 'p'},
      {.name = "--ipv4", .argument = kNone, .help = "use IPv4 alone", .letter = '4'},
      {.name = "--ipv6", .argument = kNone, .help = "use IPv6 alone", .letter = '6'},
      {.name = "--config",
       .placeholder = "PATH",
       .help = "configuration file, or folder with `config` (default ~/.wyndrvr/config)"},
      {.name = "--create-config",
       .argument = kNone,
       .help = "write the values given here to the configuration file, and end"},
      {.name = "--version", .argument = kNone, .help = "show the version, and end", .letter = 'V'},
      {.name = "--help", .argument = kNone, .help = "show this text, and end", .letter = 'h'},
  };
  for (const KeySpec& spec : all_keys()) options.push_back(option_of(spec));
  return options;
}

std::string_view heading(std::optional<Group> group) {
  if (!group) return "Options:";
  switch (*group) {
    case Group::kServer:
      return "Server:";
    case Group::kClient:
      return "Client:";
    case Group::kBoth:
      return "Both ends:";
    case Group::kDebug:
      return "Fault injection and debugging:";
  }
  return "";
}

// Unit, default and range of a key: " (default 5000 ms, 1 to 3600000)".
std::string describe_default(const KeySpec& spec) {
  if (spec.default_text.empty()) return " (default empty)";
  const std::string_view unit = name(spec.unit);
  const bool is_number = spec.kind == ValueKind::kInteger || spec.kind == ValueKind::kDecimal;
  return fmt::format(" (default {}{}{}{})", spec.default_text, unit.empty() ? "" : " ", unit,
                     is_number ? fmt::format(", {} to {}", spec.low, spec.high) : "");
}

// Breaks between words where a line would pass kHelpWidth; further lines begin at kHelpColumn.
std::string wrap(std::string_view text) {
  constexpr std::size_t kRoom = kHelpWidth - kHelpColumn;
  std::string wrapped;
  while (text.size() > kRoom) {
    const std::size_t blank = text.rfind(' ', kRoom);
    if (blank == std::string_view::npos) break;
    wrapped += fmt::format("{}\n{:{}}", text.substr(0, blank), "", kHelpColumn);
    text.remove_prefix(blank + 1);
  }
  return wrapped + std::string(text);
}

std::string option_line(const OptionSpec& option) {
  std::string left = "  ";
  if (option.letter != 0) left += fmt::format("-{}, ", option.letter);
  left += option.name;
  if (option.argument == Argument::kRequired) left += " " + option.placeholder;
  if (option.argument == Argument::kOptional) left += fmt::format(" [{}]", option.placeholder);
  std::string help = option.help;
  if (option.key) help += describe_default(spec_of(*option.key));
  if (left.size() + 2 > kHelpColumn) {
    return fmt::format("{}\n{:{}}{}\n", left, "", kHelpColumn, wrap(help));
  }
  return fmt::format("{:<{}}{}\n", left, kHelpColumn, wrap(help));
}

}  // namespace

const std::vector<OptionSpec>& all_options() {
  static const std::vector<OptionSpec> options = make_options();
  return options;
}

const OptionSpec* find_option(std::string_view name) {
  const auto found = std::ranges::find(all_options(), name, &OptionSpec::name);
  return found == all_options().end() ? nullptr : &*found;
}

const OptionSpec* find_option(char letter) {
  const auto found = std::ranges::find(all_options(), letter, &OptionSpec::letter);
  return letter == 0 || found == all_options().end() ? nullptr : &*found;
}

std::string help_text() {
  std::string text(kUsage);
  const std::array<std::optional<Group>, 5> groups = {std::nullopt, Group::kClient, Group::kServer,
                                                      Group::kBoth, Group::kDebug};
  for (const auto& group : groups) {
    text += fmt::format("\n{}\n", heading(group));
    for (const OptionSpec& option : all_options()) {
      const auto its_group = option.key ? std::optional(spec_of(*option.key).group) : std::nullopt;
      if (its_group == group) text += option_line(option);
    }
  }
  return text;
}

}  // namespace wyndrvr::app
