// What the tests of whole sessions share: the mixes of placements, a recorder of reports, ports.
#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/config.hpp"
#include "engine/report.hpp"
#include "os/clock.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/run.hpp"
#include "sanitizers.hpp"

namespace wyndrvr::runtime::testing {

class Recorder final : public ReportSink {
 public:
  void on_report(const engine::Report& report) override {
    reports.push_back(report);
    if (after_each) after_each();
  }
  template <class Event>
  [[nodiscard]] std::size_t count() const {
    std::size_t found = 0;
    for (const engine::Report& report : reports) found += std::holds_alternative<Event>(report);
    return found;
  }
  // Round trips measured on a port.
  [[nodiscard]] std::size_t samples(engine::PortKind port) const {
    std::size_t found = 0;
    for (const engine::Report& report : reports) {
      const auto* sample = std::get_if<engine::LatencySample>(&report);
      found += sample != nullptr && sample->port == port ? 1 : 0;
    }
    return found;
  }
  std::vector<engine::Report> reports;
  std::function<void()> after_each;
};

// Ends a run that hangs.
class Watchdog final : public EventSource {
 public:
  Watchdog(EventLoop& loop, Duration limit) : loop_(loop), id_(*loop.add(-1, *this)) {
    loop_.set_deadline(id_, os::monotonic_now() + limit);
  }
  ~Watchdog() override { loop_.remove(id_); }
  void on_ready(const Readiness&) override {}
  void on_wake(Instant) override {
    barked = true;
    loop_.stop();
  }
  bool barked = false;

 private:
  EventLoop& loop_;
  EventLoop::Id id_;
};

// Ports that nobody has now, by the kernel's choice. A server tries the next one where another
// program takes one of them meanwhile, so there are more than the few that a session needs.
inline std::vector<engine::PortRange> free_ports() {
  constexpr int kPorts = 32;
  std::vector<os::UdpSocket> sockets;
  std::vector<engine::PortRange> ranges;
  for (int i = 0; i < kPorts; ++i) {
    auto socket = os::UdpSocket::open({.bind = {*parse_ip("127.0.0.1"), Port{0}}});
    if (!socket) {
      ADD_FAILURE() << socket.error().message;
      break;
    }
    ranges.push_back({socket->local().port, socket->local().port});
    sockets.push_back(std::move(*socket));
  }
  return ranges;
}

// Where everything is: the client's ports, the server's ports, the server's sessions.
struct Places {
  PlacementMode client_ports;
  PlacementMode server_ports;
  PlacementMode server_sessions;
};

// All 27. Under sanitizers, where each takes many times as long, nine in which every two values of
// every two dimensions meet; with WYNDRVR_ALL_MIXES in the environment all 27 there, too.
inline std::vector<Places> placement_mixes() {
  using wyndrvr::testing::kAddressSanitizer;
  using wyndrvr::testing::kThreadSanitizer;
  constexpr std::array kModes = {PlacementMode::kSingle, PlacementMode::kThread,
                                 PlacementMode::kProcess};
  const bool pairwise =
      (kAddressSanitizer || kThreadSanitizer) && std::getenv("WYNDRVR_ALL_MIXES") == nullptr;
  std::vector<Places> mixes;
  for (std::size_t client = 0; client < kModes.size(); ++client) {
    for (std::size_t ports = 0; ports < kModes.size(); ++ports) {
      for (std::size_t sessions = 0; sessions < kModes.size(); ++sessions) {
        if (pairwise && sessions != (client + ports) % kModes.size()) continue;
        mixes.push_back({kModes[client], kModes[ports], kModes[sessions]});
      }
    }
  }
  return mixes;
}

inline std::string mix_name(const ::testing::TestParamInfo<Places>& info) {
  return fmt::format("Client{}Ports{}Sessions{}", name(info.param.client_ports),
                     name(info.param.server_ports), name(info.param.server_sessions));
}

}  // namespace wyndrvr::runtime::testing
