// What the tests of ClientSession share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/client_session.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine::testing {

inline const Endpoint kMain = endpoint("192.0.2.9", 6711);
using ClientEffects = std::vector<ClientSessionEffect>;

template <class Wanted>
std::optional<Wanted> find(const ClientEffects& all) {
  for (const ClientSessionEffect& effect : all) {
    if (const auto* found = std::get_if<Wanted>(&effect)) return *found;
  }
  return std::nullopt;
}
template <class Wanted>
std::optional<Wanted> find_report(const ClientEffects& all) {
  for (const ClientSessionEffect& effect : all) {
    const auto* report = std::get_if<Report>(&effect);
    if (report != nullptr && std::holds_alternative<Wanted>(*report)) {
      return std::get<Wanted>(*report);
    }
  }
  return std::nullopt;
}
template <class Wanted>
std::size_t count_reports(const ClientEffects& all) {
  return static_cast<std::size_t>(std::ranges::count_if(all, [](const auto& effect) {
    const auto* report = std::get_if<Report>(&effect);
    return report != nullptr && std::holds_alternative<Wanted>(*report);
  }));
}
template <class Wanted>
std::size_t count_posts(const ClientEffects& all) {
  return static_cast<std::size_t>(std::ranges::count_if(all, [](const auto& effect) {
    const auto* post = std::get_if<Post>(&effect);
    return post != nullptr && std::holds_alternative<Wanted>(post->message);
  }));
}

// A client session with its host and its actors taken away.
class ClientSessionTest : public ::testing::Test {
 protected:
  using Effects = ClientEffects;

  ClientSessionTest() { config.servers = {kMain}; }

  void make() { session.emplace(config, kStart, 1); }
  void make_upload() {
    config.upload = UploadRequest{.duration = 10s};
    make();
  }
  Effects effects() {
    Effects all;
    while (auto effect = session->poll_effect()) all.push_back(std::move(*effect));
    return all;
  }
  Effects main_says(std::string_view text, Instant now = kStart, const Endpoint& from = kMain) {
    session->on_main_datagram(now, from, as_bytes(text));
    return effects();
  }
  Effects tell(PortKind from, const Message& message, Instant now = kStart) {
    session->on_message(now, from, message);
    return effects();
  }
  Effects wait_until(Instant now) {
    session->on_timer(now);
    return effects();
  }
  void open() {
    (void)main_says("7000,7001,7002,99");
    session->on_ports_open(kStart);
    (void)effects();
  }
  // Until BWUP is out; returns the plan.
  TestPlan start(bool extended = true) {
    open();
    Effects all = tell(PortKind::kControl, PortProven{extended});
    EXPECT_EQ(count_posts<StartTest>(all), 0U);
    all = tell(PortKind::kUpload, PortProven{extended});
    (void)tell(PortKind::kDownload, PortProven{extended});
    return std::get<StartTest>(find<Post>(all)->message).plan;
  }
  TestPlan run() {
    const TestPlan plan = start();
    (void)tell(PortKind::kControl, TestStarted{plan.channel, kStart, 10s});
    return plan;
  }
  // All three actors answer Drain.
  Effects drain(Instant now = kStart) {
    for (const PortKind port : kPortKinds) session->on_message(now, port, PortReport{});
    return effects();
  }
  void expect_problem(ProblemCode code, bool valid = false) {
    EXPECT_TRUE(std::ranges::any_of(session->result().problems, [code](const Problem& problem) {
      return problem.code == code;
    }));
    EXPECT_EQ(session->result().valid, valid);
  }

  static wire::TestResult result() {
    wire::TestResult result;
    result.packet_count = 100;
    result.bytes_received = 93'700;
    result.bandwidth_bps = 74'960;
    result.duration_s = 10;
    result.detail.emplace();
    result.detail->unique = 98;
    result.detail->duplicate = 2;
    result.detail->highest = 100;
    result.detail->unique_bytes = 91'826;
    return result;
  }

  ClientConfig config;
  std::optional<ClientSession> session;
};

}  // namespace wyndrvr::engine::testing
