#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/worker_frames.hpp"

namespace wyndrvr::runtime {
namespace worker_frames_test {

std::vector<std::byte> octets_of(const Frame& frame) {
  std::vector<std::byte> octets;
  encode(frame, octets);
  return octets;
}

// Of dialect 1, with a key.
engine::PathSetup granted() {
  engine::PathSetup path;
  path.handshake.client_nonce.fill(std::byte{1});
  path.handshake.server_nonce.fill(std::byte{2});
  path.handshake.session = 3;
  path.path_secret.writable()[31] = std::byte{4};
  path.keys.emplace().client_to_server.octets.writable()[0] = std::byte{5};
  path.keys->server_to_client.octets.writable()[31] = std::byte{6};
  path.terms.directions = wire::Directions::kBoth;
  path.terms.rate = BitRate{5e6};
  path.terms.streams = 64;
  path.terms.octets = ByteCount{1'000'000};
  path.terms.data_tags = true;
  path.terms.traffic_class = 0xb8;
  return path;
}

// One of each kind, with values that are not the defaults.
std::vector<Frame> samples() {
  const Endpoint client{*parse_ip("192.0.2.7"), Port{4242}};
  PortSetup port;
  port.config.side = engine::Side::kServer;
  port.config.kind = engine::PortKind::kUpload;
  port.config.peer = client;
  port.config.heartbeat_key = 41'877;
  port.config.heartbeat_count = 12;
  port.tuning.gather = 7us;
  port.tuning.drop_probability = 0.25;
  port.tuning.offloads.gso = os::Offload::kOn;
  port.cpus = {3, 5};
  port.config.server_port = Port{7001};
  port.config.path = granted();
  SessionStart session;
  session.session.id = {77};
  session.session.client = client;
  session.session.local = *parse_ip("2001:db8::1");
  session.session.ports = {Port{7000}, Port{7001}, Port{7002}};
  session.session.path = granted();
  session.limits.idle_timeout = 12s;
  session.limits.max_total_rate = BitRate{1e9};
  session.tuning.block_limit = 9ms;
  session.tuning.offloads = {.gso = os::Offload::kOff, .gro = os::Offload::kOn};
  session.ports = kLastPlacementMode;
  session.cpus = {.chosen = {1, 2}, .allowed = {0, 1, 2}, .session = 4};
  session.seed = 99;
  return {Hello{*wire::SmallText<32>::from("1.2.3")},
          Ping{7},
          Pong{8},
          port,
          session,
          Prepared{},
          SetupFailed{"epoll_ctl: Too many open files"},
          Begin{},
          EndSession{engine::SessionEnd::kShutdown},
          ipc::Letter{engine::Mailbox::kUpload, engine::PortReady{{9}}},
          engine::SessionProven{},
          engine::ResendAssignment{},
          engine::ClientExtended{},
          engine::TellEnded{"upload worker (pid 42) was killed by SIGKILL"},
          engine::TestUnderWay{10s},
          engine::SessionOver{engine::SessionEnd::kIdle},
          engine::Report{engine::PortLost{client, engine::PortKind::kDownload, "gone"}}};
}

TEST(WorkerFrames, EveryKindIsAmongTheSamples) {
  const auto frames = samples();
  ASSERT_EQ(frames.size(), std::variant_size_v<Frame>);
  for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i].index(), i);
}

TEST(WorkerFrames, WhatIsEncodedDecodesToTheSameOctets) {
  for (const Frame& frame : samples()) {
    const auto octets = octets_of(frame);
    const auto decoded = decode_frame(octets);
    ASSERT_TRUE(decoded) << frame.index();
    EXPECT_EQ(decoded->index(), frame.index());
    EXPECT_EQ(octets_of(*decoded), octets) << frame.index();
  }
}

TEST(WorkerFrames, NoTruncationAndNoTrailingOctetDecodes) {
  for (const Frame& frame : samples()) {
    auto octets = octets_of(frame);
    for (std::size_t size = 0; size < octets.size(); ++size) {
      EXPECT_FALSE(decode_frame(ByteView(octets).first(size))) << frame.index() << " at " << size;
    }
    octets.push_back(std::byte{0});
    EXPECT_FALSE(decode_frame(octets)) << frame.index();
  }
}

TEST(WorkerFrames, AnUnknownKindDoesNotDecode) {
  const std::array<std::byte, 1> unknown = {std::byte{std::variant_size_v<Frame>}};
  EXPECT_FALSE(decode_frame(unknown));
}

TEST(WorkerFrames, ASetUpSurvivesTheJourney) {
  const auto frames = samples();
  const auto port = std::get<PortSetup>(*decode_frame(octets_of(frames[3])));
  EXPECT_EQ(port.cpus, (std::vector<unsigned>{3, 5}));
  EXPECT_EQ(port.tuning.drop_probability, 0.25);
  EXPECT_EQ(port.tuning.offloads.gso, os::Offload::kOn);
  EXPECT_EQ(port.tuning.offloads.gro, os::Offload::kAuto);
  EXPECT_EQ(port.config.heartbeat_count, 12U);
  ASSERT_TRUE(port.config.path);
  EXPECT_EQ(port.config.path->terms, granted().terms);
  const auto session = std::get<SessionStart>(*decode_frame(octets_of(frames[4])));
  EXPECT_EQ(session.session.ports[2], Port{7002});
  EXPECT_EQ(to_string(session.session.local), "2001:db8::1");
  EXPECT_EQ(session.cpus.allowed, (std::vector<unsigned>{0, 1, 2}));
  EXPECT_EQ(session.ports, kLastPlacementMode);
  EXPECT_EQ(session.tuning.offloads.gso, os::Offload::kOff);
  EXPECT_EQ(session.tuning.offloads.gro, os::Offload::kOn);
  EXPECT_EQ(session.limits.max_total_rate, BitRate{1e9});
}

TEST(WorkerFrames, KeysAndSecretsSurviveTheJourney) {
  const auto frame = decode_frame(octets_of(samples()[4]));
  ASSERT_TRUE(frame);
  const auto& path = std::get<SessionStart>(*frame).session.path;
  ASSERT_TRUE(path);
  EXPECT_EQ(path->handshake.client_nonce, granted().handshake.client_nonce);
  EXPECT_EQ(path->handshake.server_nonce, granted().handshake.server_nonce);
  EXPECT_EQ(path->handshake.session, 3U);
  EXPECT_EQ(path->path_secret.view()[31], std::byte{4});
  ASSERT_TRUE(path->keys);
  EXPECT_EQ(path->keys->client_to_server.octets.view()[0], std::byte{5});
  EXPECT_EQ(path->keys->server_to_client.octets.view()[31], std::byte{6});
}

TEST(WorkerFrames, TheLongestSetUpFitsItsBound) {
  CpuPlan everything;
  for (unsigned i = 0; i < 1024; ++i) {
    everything.chosen.push_back(i);
    everything.allowed.push_back(i);
  }
  SessionStart session;
  session.cpus = everything;
  session.session.path = granted();
  engine::ClientFilter clients;
  clients.allow.resize(engine::ClientFilter::kMostNetworks, parse_network("::1").value());
  clients.deny = clients.allow;
  session.session.clients = std::make_shared<const engine::ClientFilter>(clients);
  EXPECT_LE(octets_of(session).size(), kMaxSetupSize);
  const auto again = decode_frame(octets_of(session));
  ASSERT_TRUE(again);
  EXPECT_EQ(*std::get<SessionStart>(*again).session.clients, clients);
}

TEST(WorkerFrames, OnlySamplesAndDebugLinesMayBeLost) {
  EXPECT_EQ(keep_of(engine::Report{engine::ServerLatencySample{}}), ipc::Keep::kMayLose);
  EXPECT_EQ(keep_of(engine::Report{engine::TraceLine{}}), ipc::Keep::kMayLose);
  EXPECT_EQ(keep_of(engine::Report{engine::ClientConnected{}}), ipc::Keep::kAlways);
  EXPECT_EQ(keep_of(engine::SessionOver{}), ipc::Keep::kAlways);
  EXPECT_EQ(keep_of(ipc::Letter{engine::Mailbox::kUpload, engine::ReceiverProgress{}}),
            ipc::Keep::kNewest);
}

}  // namespace worker_frames_test
}  // namespace wyndrvr::runtime
