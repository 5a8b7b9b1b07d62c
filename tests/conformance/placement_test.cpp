// What every placement of a session's ports does, whatever carries them and their letters: the
// parameter is the mode. The peer is a plain socket of the test's.

#include "runtime/placement.hpp"

#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/overloaded.hpp"
#include "engine/wall_clock.hpp"
#include "os/clock.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/port_socket.hpp"
#include "wire/header.hpp"

namespace wyndrvr::runtime {
namespace {

using engine::PortKind;

IpAddress loopback() {
  return *parse_ip("127.0.0.1");
}

// The client's ports of a session, placed by one mode, and a peer that only listens.
class Placement : public testing::TestWithParam<PlacementMode>,
                  public PlacementListener,
                  public EventSource {
 protected:
  static constexpr Duration kLimit = 10s;

  void SetUp() override {
    auto created = EventLoop::create({});
    ASSERT_TRUE(created);
    loop.emplace(std::move(*created));
    watchdog = *loop->add(EventLoop::kNoDescriptor, *this);
    for (auto& socket : peer) {
      auto opened = os::UdpSocket::open({.bind = {loopback(), Port{0}}});
      ASSERT_TRUE(opened);
      socket = std::move(*opened);
    }
    placement = make_placement(GetParam(), {*loop, buffer, {}}, *this);
  }
  void TearDown() override {
    placement.reset();
    loop->remove(watchdog);
  }

  [[nodiscard]] engine::PortConfig config_of(PortKind kind) const {
    const os::ClockReading clocks = os::read_clocks();
    engine::PortConfig config;
    config.side = engine::Side::kClient;
    config.kind = kind;
    config.peer = peer[engine::index_of(kind)]->local();
    config.clock_offset = engine::WallClock(clocks.wall, clocks.monotonic).offset();
    config.start = clocks.monotonic;
    config.heartbeat_key = 7;
    return config;
  }

  void launch() {
    PortSockets sockets;
    PortConfigs configs;
    for (const PortKind kind : engine::kPortKinds) {
      auto socket = open_client_port(kind, loopback());
      ASSERT_TRUE(socket);
      bound[engine::index_of(kind)] = socket->local();
      sockets[engine::index_of(kind)] = std::move(*socket);
      configs[engine::index_of(kind)] = config_of(kind);
    }
    placement->launch(std::move(sockets), configs);
    run_until([&] { return launched > 0 || !why_not.empty(); });
    ASSERT_EQ(why_not, "");
    ASSERT_EQ(launched, 1);
  }

  // Turns the loop until `done`, looked at after each event.
  void run_until(std::function<bool()> done) {
    done_ = std::move(done);
    loop->set_deadline(watchdog, os::monotonic_now() + 1ms);
    limit_ = os::monotonic_now() + kLimit;
    if (!done_()) {
      ASSERT_TRUE(loop->run());
    }
    ASSERT_TRUE(done_()) << "it did not happen in time";
  }

  void on_ready(const Readiness&) override {}
  void on_wake(Instant now) override {
    loop->set_deadline(watchdog, now + 1ms);
    if (done_ && (done_() || now > limit_)) loop->stop();
  }
  void on_port_message(PortKind from, const engine::Message& message) override {
    if (std::holds_alternative<engine::PortReport>(message)) ++reports[engine::index_of(from)];
    if (std::holds_alternative<engine::Trace>(message)) ++traces;
  }
  void on_launched() override { ++launched; }
  void on_launch_failed(const std::string& why) override { why_not = why; }
  void on_port_lost(PortKind port, const std::string& cause) override {
    lost.emplace_back(port, cause);
  }
  void on_placement_stopped() override { ++stopped; }

  // How many datagrams of a type have come to the peer of a port.
  [[nodiscard]] std::size_t received(PortKind kind, wire::MessageType type) {
    os::ReceiveBuffer slots(16, 2048);
    for (;;) {
      const auto batch = peer[engine::index_of(kind)]->receive(slots);
      if (!batch || batch->empty()) break;
      for (const os::Received& datagram : *batch) {
        if (const auto packet = wire::parse_packet(datagram.bytes))
          seen_.push_back({kind, packet->header.type});
      }
    }
    std::size_t count = 0;
    for (const auto& [at, what] : seen_) count += at == kind && what == type ? 1 : 0;
    return count;
  }

  std::optional<EventLoop> loop;
  os::ReceiveBuffer buffer{16, 2048};
  PortSockets peer;
  std::array<Endpoint, engine::kPortCount> bound;
  std::unique_ptr<PortPlacement> placement;
  EventLoop::Id watchdog{};
  std::array<int, engine::kPortCount> reports{};
  int traces = 0;
  int launched = 0;
  std::string why_not;
  int stopped = 0;
  std::vector<std::pair<PortKind, std::string>> lost;

 private:
  std::function<bool()> done_;
  Instant limit_;
  std::vector<std::pair<PortKind, wire::MessageType>> seen_;
};

TEST_P(Placement, EveryPortBeginsByItself) {
  launch();
  run_until([&] {
    return received(PortKind::kControl, wire::MessageType::kHeartbeat0) > 0 &&
           received(PortKind::kUpload, wire::MessageType::kHeartbeat0) > 0 &&
           received(PortKind::kDownload, wire::MessageType::kHeartbeat0) > 0;
  });
}

TEST_P(Placement, EveryPortAnswersDrainWithItsReport) {
  launch();
  for (const PortKind kind : engine::kPortKinds) placement->post(kind, engine::Drain{});
  run_until([&] { return reports == std::array{1, 1, 1}; });
}

TEST_P(Placement, NoneOfABurstOfCommandsIsLost) {
  // More than a channel's outbox holds would be a fault of the coordinator's; this is in bounds.
  constexpr int kBurst = 30;
  launch();
  for (int i = 0; i < kBurst; ++i) {
    for (const PortKind kind : engine::kPortKinds) placement->post(kind, engine::Drain{});
  }
  run_until([&] { return reports == std::array{kBurst, kBurst, kBurst}; });
}

// StartTest goes from here to control, from there to upload, PortReady back, and then BWUP leaves.
TEST_P(Placement, ControlAndUploadWriteToEachOther) {
  launch();
  placement->post(PortKind::kControl,
                  engine::StartTest{{.channel = {99}, .duration = 1s, .payload_bytes = 100}});
  run_until([&] { return received(PortKind::kControl, wire::MessageType::kControl) > 0; });
}

TEST_P(Placement, StopReleasesThePortsAndSaysSoOnce) {
  launch();
  placement->stop();
  run_until([&] { return stopped > 0; });
  EXPECT_EQ(stopped, 1);
  EXPECT_TRUE(lost.empty());
  for (const Endpoint& port : bound) EXPECT_TRUE(os::UdpSocket::open({.bind = port}));
}

TEST_P(Placement, WhatIsPostedAfterTheStopIsIgnored) {
  launch();
  placement->stop();
  run_until([&] { return stopped > 0; });
  for (const PortKind kind : engine::kPortKinds) placement->post(kind, engine::Drain{});
  EXPECT_EQ(reports, (std::array{0, 0, 0}));
}

TEST_P(Placement, DestroyedInFullFlightItLeavesNothingBound) {
  launch();
  placement.reset();
  for (const Endpoint& port : bound) EXPECT_TRUE(os::UdpSocket::open({.bind = port}));
}

TEST_P(Placement, OnlyPortsInProcessesHaveProcesses) {
  launch();
  EXPECT_EQ(placement->workers().size(), GetParam() == PlacementMode::kProcess ? 3U : 0U);
  EXPECT_EQ(placement->apart(), GetParam() != PlacementMode::kSingle);
}

// Where a port can be killed without killing this program.
class KillablePlacement : public Placement {};

TEST_P(KillablePlacement, AKilledWorkerIsNamedAndTheOthersGoOn) {
  launch();
  const auto workers = placement->workers();
  ASSERT_EQ(workers.size(), 3U);
  ASSERT_EQ(workers[1].port, PortKind::kUpload);
  ASSERT_EQ(::kill(workers[1].pid, SIGKILL), 0);
  run_until([&] { return !lost.empty(); });
  EXPECT_EQ(lost.front().first, PortKind::kUpload);
  EXPECT_EQ(lost.front().second,
            fmt::format("upload worker (pid {}) was killed by SIGKILL", workers[1].pid));
  for (const PortKind kind : engine::kPortKinds) placement->post(kind, engine::Drain{});
  run_until([&] { return reports == std::array{1, 0, 1}; });
  placement->stop();
  run_until([&] { return stopped > 0; });
}

INSTANTIATE_TEST_SUITE_P(Modes, Placement,
                         testing::Values(PlacementMode::kSingle, PlacementMode::kThread,
                                         PlacementMode::kProcess),
                         [](const auto& mode) { return std::string(name(mode.param)); });
INSTANTIATE_TEST_SUITE_P(Modes, KillablePlacement, testing::Values(PlacementMode::kProcess),
                         [](const auto& mode) { return std::string(name(mode.param)); });

}  // namespace
}  // namespace wyndrvr::runtime
