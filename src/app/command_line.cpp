#include "app/command_line.hpp"

#include <algorithm>

#include "app/argument_list.hpp"
#include "app/option_rules.hpp"
#include "app/option_table.hpp"
#include "app/parse_number.hpp"
#include "app/printable.hpp"
#include "app/quantity.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::uint64_t kMostHeartbeats = 1'000'000'000;
constexpr Duration kShortestInterval = 100ms;
constexpr Duration kLongestInterval = 60s;

Result<std::uint64_t> parse_count(std::string_view option, std::string_view text, std::uint64_t low,
                                  std::uint64_t high) {
  const auto value = parse_number<std::uint64_t>(text);
  if (!value || *value < low || *value > high) {
    return fail("{} {}: must be a whole number from {} to {}", option, printable(text), low, high);
  }
  return *value;
}

// What --server and --port say of the address to listen on. Another option that says it is named by
// its own name.
Result<void> take_server_address(CommandLine& command, const ArgumentList& list) {
  const GivenOption* const given = list.find("--server");
  if (given == nullptr) return {};
  const auto target = parse_target(given->value);
  if (!target) {
    return fail("--server {}: {}", printable(given->value), target.error().message);
  }
  const std::string written = fmt::format("--server {}", printable(given->value));
  if (target->host) {
    if (list.has("--bind-addr")) {
      return fail("{} and --bind-addr do not go together: both are addresses", written);
    }
    command.values.push_back({Key::kBindAddr, *target->host, "--server"});
  }
  if (target->port) {
    for (const std::string_view other : {"--bind-port", "--port"}) {
      if (!list.has(other)) continue;
      return fail("{} and {} do not go together: both are ports", written, other);
    }
    command.values.push_back({Key::kBindPort, fmt::format("{}", target->port->value), "--server"});
  }
  return {};
}

Result<void> take_target(CommandLine& command, const ArgumentList& list) {
  if (list.targets.empty()) return {};
  const std::string& text = list.targets.front();
  const auto target = parse_target(text);
  if (!target) {
    const bool meant_as_option = list.options_ended && text.starts_with('-');
    return fail("{}{}", target.error().message,
                meant_as_option ? "; after -- every word is a target: options go before it" : "");
  }
  if (target->port == Port{0}) {
    return fail("{}: port 0 cannot be sent to; must be from 1 to 65535", printable(text));
  }
  command.target = *target;
  return {};
}

// The main port, of either end.
Result<void> take_port(CommandLine& command, const ArgumentList& list) {
  const GivenOption* const given = list.find("--port");
  if (given == nullptr) return {};
  const bool client = command.action == Action::kClient;
  const auto port = parse_count(given->written, given->value, client ? 1 : 0, 65'535);
  if (!port) return std::unexpected(port.error());
  if (!client) {
    command.values.push_back({Key::kBindPort, fmt::format("{}", *port), given->written});
    return {};
  }
  if (command.target.port && command.target.port->value != *port) {
    return fail("{} {} and the target {} do not go together: both are ports", given->written, *port,
                printable(list.targets.front()));
  }
  command.target.port = Port{static_cast<std::uint16_t>(*port)};
  return {};
}

Result<void> take_interval(CommandLine& command, const ArgumentList& list) {
  const GivenOption* const given = list.find("--interval");
  if (given == nullptr) return {};
  const OptionSpec& option = *given->option;
  const bool by_letter = given->written != option.name;
  const Unit unit = by_letter ? option.letter_unit : option.unit;
  const auto interval = parse_duration(given->value, length_of(unit).value_or(1ms));
  if (!interval || *interval < kShortestInterval || *interval > kLongestInterval) {
    return fail("{} {}: must be {}, or a time with its unit, as in 500ms or 10s", given->written,
                printable(given->value),
                by_letter ? "a number from 0.1 to 60 (s)" : "a number from 100 to 60000 (ms)");
  }
  command.progress_interval = *interval;
  return {};
}

Result<void> take_client_options(CommandLine& command, const ArgumentList& list) {
  for (const TestOption& option : kTestOptions) {
    if (list.has(option.name)) command.directions = option.directions;
  }
  if (const GivenOption* const json = list.find("--json")) {
    command.json = true;
    if (json->value != "-") command.json_path = json->value;
  }
  if (const GivenOption* const given = list.find("--count")) {
    const auto count = parse_count("--count", given->value, 1, kMostHeartbeats);
    if (!count) return std::unexpected(count.error());
    command.count = *count;
  }
  return take_interval(command, list);
}

Result<void> take_common_options(CommandLine& command, const ArgumentList& list) {
  if (list.has("--ipv4")) command.family = IpAddress::Family::kV4;
  if (list.has("--ipv6")) command.family = IpAddress::Family::kV6;
  if (const GivenOption* const config = list.find("--config")) command.config_path = config->value;
  // In the order of the table, whatever theirs was: each key once.
  for (const OptionSpec& option : all_options()) {
    const GivenOption* const given = option.key ? list.find(option.name) : nullptr;
    if (given != nullptr) command.values.push_back({*option.key, given->value, given->written});
  }
  return {};
}

}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  const auto list = split_arguments(arguments);
  if (!list) return std::unexpected(list.error());

  CommandLine command;
  command.action = action_of(*list);
  if (auto checked = check_options(*list, command.action); !checked) {
    return std::unexpected(checked.error());
  }
  command.warnings = unused_options(*list, command.action);
  for (const auto take :
       {take_server_address, take_target, take_port, take_client_options, take_common_options}) {
    if (auto taken = take(command, *list); !taken) return std::unexpected(taken.error());
  }
  return command;
}

}  // namespace wyndrvr::app
