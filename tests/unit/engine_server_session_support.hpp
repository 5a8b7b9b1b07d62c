// What the tests of ServerSession share.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/server_session.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine::testing {

using ServerEffects = std::vector<ServerSessionEffect>;

template <class Wanted>
std::optional<Wanted> find(const ServerEffects& all) {
  for (const ServerSessionEffect& effect : all) {
    if (const auto* found = std::get_if<Wanted>(&effect)) return *found;
  }
  return std::nullopt;
}
template <class Wanted>
std::optional<Wanted> find_report(const ServerEffects& all) {
  for (const ServerSessionEffect& effect : all) {
    const auto* report = std::get_if<Report>(&effect);
    if (report != nullptr && std::holds_alternative<Wanted>(*report)) {
      return std::get<Wanted>(*report);
    }
  }
  return std::nullopt;
}
inline std::size_t count_drains(const ServerEffects& all) {
  std::size_t count = 0;
  for (const ServerSessionEffect& effect : all) {
    const auto* post = std::get_if<Post>(&effect);
    count += post != nullptr && std::holds_alternative<Drain>(post->message) ? 1 : 0;
  }
  return count;
}

// A server session with its host and its actors taken away.
class ServerSessionTest : public ::testing::Test {
 protected:
  using Effects = ServerEffects;

  ServerSessionTest() : session(config, setup(), kStart) {}

  static SessionSetup setup() {
    SessionSetup setup;
    setup.id = {1};
    setup.client = kClientEnd;
    setup.ports = {{{7000}, {7001}, {7002}}};
    setup.heartbeat_key = 99;
    return setup;
  }
  Effects effects() {
    Effects all;
    while (auto effect = session.poll_effect()) all.push_back(std::move(*effect));
    return all;
  }
  Effects tell(PortKind from, const Message& message, Instant now = kStart) {
    session.on_message(now, from, message);
    return effects();
  }
  void prove_all(Instant now = kStart) {
    for (const PortKind port : kPortKinds) (void)tell(port, PortProven{}, now);
  }
  // All three actors answer Drain.
  Effects drain(Instant now = kStart) {
    for (const PortKind port : kPortKinds) session.on_message(now, port, PortReport{});
    return effects();
  }

  ServerConfig config;
  ServerSession session;
};

}  // namespace wyndrvr::engine::testing
