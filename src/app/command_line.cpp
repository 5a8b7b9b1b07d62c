#include "app/command_line.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <CLI/CLI.hpp>

#include "app/argument_list.hpp"
#include "app/nearest.hpp"
#include "app/option_table.hpp"
#include "app/parse_number.hpp"
#include "app/printable.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::uint64_t kMostHeartbeats = 1'000'000'000;
constexpr std::uint64_t kShortestInterval = 100;    // ms
constexpr std::uint64_t kLongestInterval = 60'000;  // ms
constexpr std::string_view kTargetName = "TARGET";

// What was written, by option name; the target stands under kTargetName.
struct Written {
  std::map<std::string, std::string, std::less<>> values;
  bool json_took_word = false;

  [[nodiscard]] bool has(std::string_view name) const { return values.contains(name); }
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
};

std::unexpected<Error> unknown_word(const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  if (!word.starts_with('-') || word == "-") {
    return fail("'{}' is one word too many: there is one target only", printable(word));
  }
  std::vector<std::string> known;
  for (const OptionSpec& option : all_options()) known.push_back(option.name);
  const auto meant = nearest(name, known);
  return fail("unknown option {}{}", printable(name),
              meant ? fmt::format(" (did you mean {}?)", *meant) : "");
}

// The only place that CLI11 and its exceptions are seen in.
Result<Written> parse_words(const ArgumentList& list) {
  Written written{.values = {}, .json_took_word = list.json_took_word};
  try {
    CLI::App parser;
    parser.set_help_flag();
    parser.allow_extras();
    parser.add_option(std::string(kTargetName));
    for (const OptionSpec& option : all_options()) {
      const std::string names = option.name == "--help" ? "-h,--help" : option.name;
      if (option.argument == Argument::kNone) {
        parser.add_flag(names);
      } else {
        parser.add_option(names)->take_last();
      }
    }
    // CLI11 wants the last word first.
    std::vector<std::string> words(list.words.rbegin(), list.words.rend());
    parser.parse(words);
    for (const std::string& word : parser.remaining()) {
      if (word != "--") return unknown_word(word);
    }
    for (const CLI::Option* option : parser.get_options()) {
      if (option->count() == 0) continue;
      written.values.emplace(option->get_name(), option->results().back());
    }
  } catch (const CLI::Error& error) {
    return fail("{}", printable(error.what()));
  }
  return written;
}

std::unexpected<Error> contradiction(std::string_view a, std::string_view b, std::string_view why) {
  return fail("{} and {} do not go together: {}", a, b, why);
}

struct TestOption {
  std::string_view name;
  wire::Directions directions;
};
constexpr std::array<TestOption, 3> kTestOptions = {{
    {"--bwup", wire::Directions::kUpload},
    {"--bwdown", wire::Directions::kDownload},
    {"--bwboth", wire::Directions::kBoth},
}};

Result<void> check_server_contradictions(const Written& written) {
  if (!written.has("--server")) return {};
  for (const std::string_view name :
       {"--bwup", "--bwdown", "--bwboth", "--count", "--json", "--interval"}) {
    if (written.has(name)) return contradiction("--server", name, "that is the client's");
  }
  if (written.has("--bind")) {
    return contradiction("--server", "--bind",
                         "that is the client's own address, a server's is --bind-addr");
  }
  if (const auto target = written.value(kTargetName)) {
    return contradiction("--server", fmt::format("the target {}", printable(*target)),
                         "a server's own address is written --server=ADDR:PORT");
  }
  return {};
}

Result<void> check_test_contradictions(const Written& written) {
  const TestOption* found = nullptr;
  for (const TestOption& option : kTestOptions) {
    if (!written.has(option.name)) continue;
    if (found != nullptr) {
      return contradiction(found->name, option.name, "both directions at once are --bwboth alone");
    }
    found = &option;
  }
  if (written.has("--count") && found != nullptr) {
    return contradiction("--count", found->name, "a test ends after --duration");
  }
  if (written.has("--payload") && written.has("--bw-packet-length")) {
    return contradiction("--payload", "--bw-packet-length",
                         "both are the length of a test's datagrams");
  }
  return {};
}

// `--json HOST` most likely wanted HOST measured.
Result<void> check_json_word(const Written& written) {
  const auto word = written.value("--json");
  if (!word || !written.json_took_word || written.has(kTargetName)) return {};
  const bool file = *word == "-" || word->contains('/') || word->ends_with(".json");
  if (file) return {};
  return fail("--json {0}: is {0} the server? Then write wyndrvr {0} --json; else --json={0}",
              printable(*word));
}

Result<std::uint64_t> parse_count(std::string_view option, std::string_view text, std::uint64_t low,
                                  std::uint64_t high) {
  const auto value = parse_number<std::uint64_t>(text);
  if (!value || *value < low || *value > high) {
    return fail("{} {}: must be a whole number from {} to {}", option, printable(text), low, high);
  }
  return *value;
}

Result<void> take_server_address(CommandLine& command, const Written& written) {
  const auto text = written.value("--server");
  if (!text) return {};
  const auto target = parse_target(*text);
  if (!target) return fail("--server {}: {}", printable(*text), target.error().message);
  if (target->host) {
    if (written.has("--bind-addr")) {
      return contradiction(fmt::format("--server {}", *text), "--bind-addr", "both are addresses");
    }
    command.values.push_back({Key::kBindAddr, *target->host, "--server"});
  }
  if (target->port) {
    if (written.has("--bind-port")) {
      return contradiction(fmt::format("--server {}", *text), "--bind-port", "both are ports");
    }
    command.values.push_back({Key::kBindPort, fmt::format("{}", target->port->value), "--server"});
  }
  return {};
}

Result<void> take_target(CommandLine& command, const Written& written) {
  const auto text = written.value(kTargetName);
  if (!text) return {};
  const auto target = parse_target(*text);
  if (!target) return std::unexpected(target.error());
  if (target->port == Port{0}) {
    return fail("{}: port 0 cannot be sent to; must be from 1 to 65535", printable(*text));
  }
  command.target = *target;
  return {};
}

Result<void> take_client_options(CommandLine& command, const Written& written) {
  for (const TestOption& option : kTestOptions) {
    if (written.has(option.name)) command.directions = option.directions;
  }
  command.json = written.has("--json");
  if (const auto path = written.value("--json"); path && *path != "-") command.json_path = path;
  if (const auto text = written.value("--count")) {
    const auto count = parse_count("--count", *text, 1, kMostHeartbeats);
    if (!count) return std::unexpected(count.error());
    command.count = *count;
  }
  if (const auto text = written.value("--interval")) {
    const auto interval = parse_count("--interval", *text, kShortestInterval, kLongestInterval);
    if (!interval) return std::unexpected(interval.error());
    command.progress_interval = std::chrono::milliseconds(*interval);
  }
  return {};
}

Action action_of(const Written& written) {
  if (written.has("--help")) return Action::kHelp;
  if (written.has("--version")) return Action::kVersion;
  if (written.has("--create-config")) return Action::kCreateConfig;
  return written.has("--server") ? Action::kServer : Action::kClient;
}

}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  const auto list = join_values(arguments);
  if (!list) return std::unexpected(list.error());
  const auto written = parse_words(*list);
  if (!written) return std::unexpected(written.error());

  CommandLine command;
  command.action = action_of(*written);
  for (const auto check :
       {check_server_contradictions, check_test_contradictions, check_json_word}) {
    if (auto checked = check(*written); !checked) return std::unexpected(checked.error());
  }
  for (const auto take : {take_server_address, take_target, take_client_options}) {
    if (auto taken = take(command, *written); !taken) return std::unexpected(taken.error());
  }
  command.config_path = written->value("--config");
  for (const OptionSpec& option : all_options()) {
    const auto text = option.key ? written->value(option.name) : std::nullopt;
    if (text) command.values.push_back({*option.key, *text, option.name});
  }
  return command;
}

}  // namespace wyndrvr::app
