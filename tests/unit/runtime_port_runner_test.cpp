// Which socket datagrams come to and leave by.
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "unit/runtime_port_runner_support.hpp"

namespace wyndrvr::runtime {
namespace port_runner_test {

using namespace testing;

TEST(PortRunner, TellsWhichSocketADatagramCameTo) {
  Runner on;
  for (const std::size_t flow : {2U, 0U, 1U}) {
    const std::string text = fmt::format("to {}", flow);
    (void)on.peer.send({.to = on.local[flow],
                        .from = std::nullopt,
                        .bytes = as_bytes(text),
                        .segment_size = static_cast<std::uint32_t>(text.size()),
                        .stamp_token = std::nullopt});
    on.run_until([&] { return !on.actor->arrivals.empty(); });
    EXPECT_EQ(on.actor->arrivals, (std::vector{std::pair{static_cast<std::uint8_t>(flow), text}}));
    on.actor->arrivals.clear();
  }
}

TEST(PortRunner, EveryTransmitLeavesByItsSocket) {
  Runner on;
  for (const std::uint8_t flow : std::initializer_list<std::uint8_t>{2, 0, 1}) {
    on.actor->wanted.push_back({on.peer.local(), flow, fmt::format("by {}", flow)});
  }
  on.runner->begin();
  on.run_until([&] { return on.seen.size() == 3; });
  EXPECT_EQ(on.seen, (std::vector<std::pair<Endpoint, std::string>>{
                         {on.local[2], "by 2"}, {on.local[0], "by 0"}, {on.local[1], "by 1"}}));
}

TEST(PortRunner, TakesTheStampsOfTheFirstSocketAlone) {
  Runner on;
  on.actor->wanted.push_back({.to = on.peer.local(), .flow = 1, .text = "other", .token = 41});
  on.actor->wanted.push_back({.to = on.peer.local(), .flow = 0, .text = "first", .token = 42});
  on.runner->begin();
  on.run_until([&] { return !on.actor->tokens.empty(); });
  EXPECT_EQ(on.actor->tokens, std::vector<std::uint32_t>{42});
}

TEST(PortRunner, ALetterKeepsItsReceiver) {
  Runner on;
  on.runner->deliver(Mailbox::kControl, Mailbox::kDownload, engine::Drain{});
  EXPECT_EQ(on.actor->letters, (std::vector{std::pair{Mailbox::kControl, Mailbox::kDownload}}));
}

TEST(PortRunner, HearsAPeerThatMovesBesideItsConnectedSocket) {
  ConnectingRunner on;
  os::UdpSocket moved = open_local();
  on.expect_to_hear(on.peer);
  EXPECT_EQ(on.sockets(), (std::pair{1, 0}));
  on.send_data(on.peer.local());
  EXPECT_EQ(on.sockets(), (std::pair{2, 1}));
  on.expect_to_hear(on.peer);
  on.expect_to_hear(moved);
  on.send_data(moved.local());
  EXPECT_EQ(on.sockets(), (std::pair{3, 2}));
  on.expect_to_hear(moved);
  on.expect_to_hear(on.peer);
  on.run_until([&] { return on.seen.size() == 20; });
  on.runner.reset();
  EXPECT_EQ(on.sockets(), (std::pair{0, 0}));
}

TEST(PortRunner, ConnectsForSoManyPeersAndSendsToAll) {
  ConnectingRunner on;
  std::vector<os::UdpSocket> peers;
  constexpr int kPeers = 12;
  for (int i = 0; i < kPeers; ++i) {
    peers.push_back(open_local());
    on.send_data(peers.back().local());
  }
  EXPECT_EQ(on.sockets(), (std::pair{9, 8}));
  for (os::UdpSocket& peer : peers) {
    std::size_t got = 0;
    on.run_until([&] {
      const auto batch = peer.receive(on.peer_buffer);
      got += batch ? batch->size() : 0;
      return got == 20;
    });
    on.expect_to_hear(peer);
  }
}

TEST(PortRunner, OnlyDataLeavesByAConnectedSocket) {
  ConnectingRunner on;
  on.send_data(on.peer.local());
  on.actor->wanted.push_back({.to = on.peer.local(), .text = "stamped", .token = 7});
  on.runner->begin();
  on.run_until([&] { return !on.actor->tokens.empty(); });
  EXPECT_EQ(on.actor->tokens, std::vector<std::uint32_t>{7});
}

TEST(PortRunner, ATrainThatFailsWholeIsNotTriedDatagramByDatagram) {
  Runner on;
  // No route: the test has IPv4 sockets.
  const Endpoint nowhere{*parse_ip("2001:db8::1"), Port{9}};
  std::string train(500 * 100, '.');
  on.actor->wanted.push_back(
      {.to = nowhere, .text = train, .kind = TransmitKind::kData, .segment_size = 100});
  on.actor->wanted.push_back({on.peer.local(), 0, "behind it"});
  on.runner->begin();
  EXPECT_EQ(on.actor->failed, 500U) << "each counts as not sent";
  EXPECT_EQ(on.actor->failures, 2) << "after two tries";
  on.run_until([&] { return on.seen.size() == 1; });
}

}  // namespace port_runner_test
}  // namespace wyndrvr::runtime
