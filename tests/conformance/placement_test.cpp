// What every placement of a session's ports does, whatever carries them and their letters: the
// parameter is the mode. The peer is a plain socket of the test's.

#include "runtime/placement.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "engine/overloaded.hpp"
#include "engine/wall_clock.hpp"
#include "os/clock.hpp"
#include "os/udp_socket.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/port_socket.hpp"
#include "wire/header.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::runtime {
namespace placement_test {

using engine::PortKind;

IpAddress loopback() {
  return *parse_ip("127.0.0.1");
}

ino_t inode_of(const os::UdpSocket& socket) {
  struct stat status{};
  EXPECT_EQ(::fstat(socket.fd(), &status), 0);
  return status.st_ino;
}

// The UDP sockets of this network that are bound (proc_net(5), udp: the tenth field).
std::set<ino_t> bound_sockets() {
  std::ifstream table("/proc/net/udp");
  std::set<ino_t> inodes;
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 9; ++i) fields >> field;
    ino_t inode = 0;
    if (fields >> inode) inodes.insert(inode);
  }
  return inodes;
}

// The client's ports of a session, placed by one mode, and a peer that only listens.
class Placement : public ::testing::TestWithParam<PlacementMode>,
                  public PlacementListener,
                  public EventSource {
 protected:
  static constexpr Duration kLimit = 120s;  // only a failing test gets there

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
  }
  void TearDown() override {
    placement.reset();
    loop->remove(watchdog);
  }

  // What is granted to a client of dialect 1.
  [[nodiscard]] static engine::PathSetup granted(std::uint8_t streams, bool single_port) {
    engine::PathSetup path;
    path.handshake.session = 77;
    path.terms.directions = wire::Directions::kBoth;
    path.terms.streams = streams;
    path.terms.single_port = single_port;
    return path;
  }
  [[nodiscard]] engine::PortConfig config_of(PortKind kind,
                                             const std::optional<engine::PathSetup>& path) const {
    const os::ClockReading clocks = os::read_clocks();
    engine::PortConfig config;
    config.side = engine::Side::kClient;
    config.kind = kind;
    config.peer = peer[has_single_port(path) ? 0 : engine::index_of(kind)]->local();
    config.server_port = config.peer.port;
    config.path = path;
    config.clock_offset = engine::WallClock(clocks.wall, clocks.monotonic).offset();
    config.start = clocks.monotonic;
    config.heartbeat_key = 7;
    return config;
  }

  // Without a `path` the ports are of 0.14.
  void launch(const std::optional<engine::PathSetup>& path = {}) {
    PortSockets sockets;
    PortConfigs configs;
    for (const PortKind kind : engine::kPortKinds) {
      const std::size_t i = engine::index_of(kind);
      configs[i] = config_of(kind, path);
      if (i > 0 && has_single_port(path)) continue;
      auto opened = open_client_port(configs[i], loopback(), {});
      ASSERT_TRUE(opened);
      for (const os::UdpSocket& socket : *opened) {
        bound.push_back(socket.local());
        inodes.push_back(inode_of(socket));
      }
      sockets[i] = std::move(*opened);
    }
    placement = make_placement(GetParam(), path, {*loop, buffer, {}}, *this);
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

  // By their sockets: the numbers may have been given to another program meanwhile.
  void expect_ports_free() {
    run_until([&] {
      const std::set<ino_t> all = bound_sockets();
      return std::ranges::none_of(inodes, [&](ino_t inode) { return all.contains(inode); });
    });
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
  void on_port_lost(PortKind port, const WorkerLoss& loss) override {
    lost.emplace_back(port, loss.cause);
  }
  void on_placement_stopped() override { ++stopped; }

  // How many datagrams of a type have come to the peer of a port.
  [[nodiscard]] std::size_t received(PortKind kind, wire::MessageType type) {
    for_each_datagram(kind, [&](const os::Received& datagram) {
      const auto packet = wire::parse_packet(datagram.bytes);
      if (packet) seen_.push_back({kind, packet->header.type});
    });
    std::size_t count = 0;
    for (const auto& [at, what] : seen_) count += at == kind && what == type ? 1 : 0;
    return count;
  }

  // Where HEARTBEAT_0 of dialect 1 on a channel has come from, at the peer of a port.
  [[nodiscard]] std::set<Endpoint> paths_of(PortKind kind, std::uint32_t channel) {
    for_each_datagram(kind, [&](const os::Received& datagram) {
      const auto packet = wire::parse_path_packet(datagram.bytes);
      if (!packet || packet->header.type != wire::PathType::kHeartbeat0) return;
      paths_[{kind, packet->header.channel.value}].insert(datagram.from);
    });
    return paths_[{kind, channel}];
  }
  void for_each_datagram(PortKind kind, const std::function<void(const os::Received&)>& look) {
    os::ReceiveBuffer slots(16, 2048);
    for (;;) {
      const auto batch = peer[engine::index_of(kind)]->receive(slots);
      if (!batch || batch->empty()) return;
      for (const os::Received& datagram : *batch) look(datagram);
    }
  }

  std::optional<EventLoop> loop;
  os::ReceiveBuffer buffer = make_receive_buffer(engine::Side::kClient, PortKind::kDownload);
  std::array<std::optional<os::UdpSocket>, engine::kPortCount> peer;
  std::vector<Endpoint> bound;
  std::vector<ino_t> inodes;  // of the sockets at `bound`
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
  std::map<std::pair<PortKind, std::uint32_t>, std::set<Endpoint>> paths_;
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
  engine::StartTest start;
  start.plan.channel = {99};
  start.plan.duration = 1s;
  start.plan.payload_bytes = 100;
  placement->post(PortKind::kControl, start);
  run_until([&] { return received(PortKind::kControl, wire::MessageType::kControl) > 0; });
}

TEST_P(Placement, StopReleasesThePortsAndSaysSoOnce) {
  launch();
  const std::set<ino_t> all = bound_sockets();
  for (const ino_t inode : inodes) ASSERT_TRUE(all.contains(inode));
  placement->stop();
  run_until([&] { return stopped > 0; });
  EXPECT_EQ(stopped, 1);
  EXPECT_TRUE(lost.empty());
  expect_ports_free();
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
  expect_ports_free();
}

TEST_P(Placement, OnlyPortsInProcessesHaveProcesses) {
  launch();
  EXPECT_EQ(placement->workers().size(), GetParam() == PlacementMode::kProcess ? 3U : 0U);
  EXPECT_EQ(placement->apart(), GetParam() != PlacementMode::kSingle);
}

TEST_P(Placement, EveryStreamOfAPortHasASocketThatBeginsByItself) {
  launch(granted(3, false));
  run_until([&] {
    return paths_of(PortKind::kControl, 0).size() == 1 &&
           paths_of(PortKind::kUpload, 0).size() == 3 &&
           paths_of(PortKind::kDownload, 0).size() == 3;
  });
  for (const PortKind kind : engine::kPortKinds) placement->post(kind, engine::Drain{});
  run_until([&] { return reports == std::array{1, 1, 1}; });
}

TEST_P(Placement, APortCanHaveAsManySocketsAsThereAreStreams) {
  launch(granted(64, false));
  run_until([&] { return paths_of(PortKind::kUpload, 0).size() == 64; });
  placement->stop();
  run_until([&] { return stopped > 0; });
  EXPECT_TRUE(lost.empty());
  expect_ports_free();
}

// CONTROL, UPLOAD and DOWNLOAD are told apart by the heartbeats' channel.
TEST_P(Placement, ASinglePortCarriesAllThreeOnItsSockets) {
  launch(granted(2, true));
  ASSERT_EQ(bound.size(), 2U);
  run_until([&] {
    return paths_of(PortKind::kControl, 0).size() == 1 &&
           paths_of(PortKind::kControl, 1).size() == 2 &&
           paths_of(PortKind::kControl, 2).size() == 2;
  });
  const std::set<Endpoint> sockets(bound.begin(), bound.end());
  EXPECT_EQ(paths_of(PortKind::kControl, 1), sockets);
  EXPECT_EQ(paths_of(PortKind::kControl, 2), sockets);
}

TEST_P(Placement, LettersOfASinglePortReachTheOneThatTheyAreFor) {
  launch(granted(1, true));
  placement->post(PortKind::kUpload, engine::Drain{});
  run_until([&] { return reports == std::array{0, 1, 0}; });
  placement->post(PortKind::kDownload, engine::Drain{});
  placement->post(PortKind::kControl, engine::Drain{});
  run_until([&] { return reports == std::array{1, 1, 1}; });
}

TEST_P(Placement, ASinglePortIsNeverPlacedApart) {
  launch(granted(2, true));
  EXPECT_FALSE(placement->apart());
  EXPECT_TRUE(placement->workers().empty());
  placement->stop();
  run_until([&] { return stopped > 0; });
  EXPECT_EQ(stopped, 1);
  expect_ports_free();
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
                         ::testing::Values(PlacementMode::kSingle, PlacementMode::kThread,
                                           PlacementMode::kProcess),
                         [](const auto& mode) { return std::string(name(mode.param)); });
INSTANTIATE_TEST_SUITE_P(Modes, KillablePlacement, ::testing::Values(PlacementMode::kProcess),
                         [](const auto& mode) { return std::string(name(mode.param)); });

}  // namespace placement_test
}  // namespace wyndrvr::runtime
