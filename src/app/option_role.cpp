#include "app/option_role.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace wyndrvr::app {
namespace {

// What the other end has in its place.
struct Counterpart {
  Key client;
  Key server;
};
constexpr std::array<Counterpart, 7> kCounterparts = {{
    {Key::kBind, Key::kBindAddr},
    {Key::kClientBlockTime, Key::kServerBlockTime},
    {Key::kDuration, Key::kMaxTestDuration},
    {Key::kRate, Key::kMaxRate},
    {Key::kPayload, Key::kMaxPayload},
    {Key::kStreams, Key::kMaxStreams},
    {Key::kBytes, Key::kMaxTestBytes},
}};

std::optional<Key> counterpart_of(Key key) {
  for (const Counterpart& pair : kCounterparts) {
    if (pair.client == key) return pair.server;
    if (pair.server == key) return pair.client;
  }
  return std::nullopt;
}

std::string_view role_name(Role role) {
  return role == Role::kServer ? "server" : "client";
}

Role other_role(Role role) {
  return role == Role::kServer ? Role::kClient : Role::kServer;
}

}  // namespace

bool has_use_for(Role runner, Role option) {
  return option == Role::kBoth || option == runner;
}

std::string wrong_role_text(const OptionSpec& option) {
  const std::string_view own = role_name(other_role(option.role));
  std::string advice = fmt::format(
      "leave it out{}", option.role == Role::kServer ? ", or be the server with --server" : "");
  const auto key = option.key ? counterpart_of(*option.key) : std::nullopt;
  if (key) advice = fmt::format("a {}'s is {}", own, option_name(spec_of(*key)));
  return fmt::format("{} is a {}'s option, and this is a {}: {}", option.name,
                     role_name(option.role), own, advice);
}

std::string unused_key_text(const KeySpec& spec) {
  const Role role = role_of(spec);
  return fmt::format("{} is a {}'s option; a {} does not use it", spec.name, role_name(role),
                     role_name(other_role(role)));
}

}  // namespace wyndrvr::app
