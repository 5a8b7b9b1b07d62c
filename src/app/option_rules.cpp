#include "app/option_rules.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "app/option_role.hpp"
#include "app/printable.hpp"

namespace wyndrvr::app {
namespace {

// A latency run has no use for them.
constexpr std::array kKeysOfTests = {
    Key::kRate,           Key::kStreams,  Key::kPayload,
    Key::kBwPacketLength, Key::kReliable, Key::kBytes,
    Key::kFragment,       Key::kDataTags, Key::kEcn,
};

std::unexpected<Error> contradiction(std::string_view a, std::string_view b, std::string_view why) {
  return fail("{} and {} do not go together: {}", a, b, why);
}

// A configuration file is for both ends, and who asks for help gets it.
Result<void> check_roles(const ArgumentList& list, Action action) {
  if (action != Action::kClient && action != Action::kServer) return {};
  const Role role = action == Action::kServer ? Role::kServer : Role::kClient;
  for (const GivenOption& given : list.options) {
    if (!has_use_for(role, given.option->role)) {
      return fail("{}", wrong_role_text(*given.option));
    }
  }
  return {};
}

Result<void> check_server(const ArgumentList& list) {
  const GivenOption* const server = list.find("--server");
  if (server == nullptr) return {};
  if (!list.targets.empty()) {
    return contradiction("--server", fmt::format("the target {}", printable(list.targets.front())),
                         "a server's own address is written --server=ADDR:PORT");
  }
  if (list.has("--port") && list.has("--bind-port")) {
    return contradiction("--port", "--bind-port", "both are the server's port");
  }
  return {};
}

Result<void> check_test(const ArgumentList& list) {
  const TestOption* found = nullptr;
  for (const TestOption& option : kTestOptions) {
    if (!list.has(option.name)) continue;
    if (found != nullptr) {
      return contradiction(found->name, option.name, "both directions at once are --bwboth alone");
    }
    found = &option;
  }
  if (list.has("--count") && found != nullptr) {
    return contradiction("--count", found->name, "a test ends after --duration");
  }
  if (list.has("--payload") && list.has("--bw-packet-length")) {
    return contradiction("--payload", "--bw-packet-length",
                         "both are the length of a test's datagrams");
  }
  return {};
}

Result<void> check_family(const ArgumentList& list) {
  if (!list.has("--ipv4") || !list.has("--ipv6")) return {};
  return contradiction("--ipv4", "--ipv6",
                       "each leaves nothing to the other; without both, any is "
                       "used");
}

// `--json HOST` most likely wanted HOST measured.
Result<void> check_json_word(const ArgumentList& list) {
  const GivenOption* const json = list.find("--json");
  if (json == nullptr || !json->own_word || !list.targets.empty()) return {};
  const std::string& word = json->value;
  const bool file = word == "-" || word.contains('/') || word.ends_with(".json");
  if (file) return {};
  return fail("--json {0}: is {0} the server? Then write wyndrvr {0} --json; else --json={0}",
              printable(word));
}

std::vector<std::string> not_in_file(const ArgumentList& list) {
  std::vector<std::string> warnings;
  for (const GivenOption& given : list.options) {
    const std::string& name = given.option->name;
    // The server's address is in bind_addr and bind_port.
    const bool has_place = given.option->key || name == "--config" || name == "--create-config" ||
                           name == "--server" || name == "--port";
    if (!has_place) warnings.push_back(fmt::format("{} is no key of the file: not written", name));
  }
  for (const std::string& target : list.targets) {
    warnings.push_back(
        fmt::format("the target {} is no key of the file: not written", printable(target)));
  }
  return warnings;
}

std::vector<std::string> not_in_latency_run(const ArgumentList& list) {
  std::vector<std::string> warnings;
  const bool tests = std::ranges::any_of(
      kTestOptions, [&](const TestOption& option) { return list.has(option.name); });
  if (tests) return warnings;
  for (const GivenOption& given : list.options) {
    if (!given.option->key || std::ranges::count(kKeysOfTests, *given.option->key) == 0) continue;
    warnings.push_back(fmt::format(
        "{} is not used without a test: add --bwup, --bwdown or --bwboth", given.option->name));
  }
  return warnings;
}

}  // namespace

Action action_of(const ArgumentList& list) {
  if (list.has("--help")) return Action::kHelp;
  if (list.has("--version")) return Action::kVersion;
  if (list.has("--create-config")) return Action::kCreateConfig;
  return list.has("--server") ? Action::kServer : Action::kClient;
}

Result<void> check_options(const ArgumentList& list, Action action) {
  if (auto checked = check_roles(list, action); !checked) return checked;
  for (const auto check : {check_server, check_test, check_family, check_json_word}) {
    if (auto checked = check(list); !checked) return checked;
  }
  return {};
}

std::vector<std::string> unused_options(const ArgumentList& list, Action action) {
  if (action == Action::kCreateConfig) return not_in_file(list);
  if (action == Action::kClient) return not_in_latency_run(list);
  return {};
}

}  // namespace wyndrvr::app
