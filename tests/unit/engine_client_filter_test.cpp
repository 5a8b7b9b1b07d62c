// `allow` and `deny` at the ports of a session: a path is proven, and moves, from welcome addresses
// alone.
#include <array>
#include <memory>
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "crypto/path_nonces.hpp"
#include "engine/client_filter.hpp"
#include "engine/server_paths.hpp"
#include "engine/server_session.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/path_heartbeat.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;
using wire::DropReason;
using wire::PathType;

std::shared_ptr<const ClientFilter> filter(std::vector<IpNetwork> allow,
                                           std::vector<IpNetwork> deny) {
  return std::make_shared<const ClientFilter>(ClientFilter{std::move(allow), std::move(deny)});
}
IpNetwork network(std::string_view text) {
  return parse_network(text).value();
}

TEST(ClientFilter, DenyGoesBeforeAllowAndNoListAllowsEverybody) {
  EXPECT_TRUE(ClientFilter{}.admits(address("203.0.113.66")));
  const auto both = filter({network("192.0.2.0/24")}, {network("192.0.2.128/25")});
  EXPECT_TRUE(both->admits(address("192.0.2.1")));
  EXPECT_FALSE(both->admits(address("192.0.2.129")));
  EXPECT_FALSE(both->admits(address("203.0.113.66")));
}

class ServerPathsFilterTest : public ::testing::Test {
 protected:
  ServerPathsFilterTest()
      : paths(PathSetup{}, PortKind::kControl, WallClock(Duration(0)),
              filter({}, {network("203.0.113.0/24")})) {}

  // HEARTBEAT_0 with the right nonce.
  auto ask(const Endpoint& from) {
    std::array<std::byte, wire::kMaxPacketSize> out{};
    const std::uint64_t nonce =
        crypto::client_path_nonce(crypto::Handshake{}, path_id(PortKind::kControl, 0));
    wire::write_path_prefix(out.data(), {PathType::kHeartbeat0, {0}, {1}, 0}, {nonce});
    const std::size_t size =
        wire::write_path_heartbeat0(MutableByteView(out).subspan(wire::kPathPrefixSize), {1000});
    const ByteView bytes = ByteView(out).first(wire::kPathPrefixSize + size);
    return paths.on_heartbeat_0(datagram(as_text(bytes), from, kStart),
                                wire::parse_path_packet(bytes).value());
  }
  // HEARTBEAT_2 that echoes `answer`, as whoever reads it there could send it from `from`.
  auto confirm(const PathHeartbeat& answer, const Endpoint& from) {
    const auto& body = std::get<wire::PathHeartbeat1>(answer.body);
    std::array<std::byte, wire::kMaxPacketSize> out{};
    wire::write_path_prefix(out.data(), {PathType::kHeartbeat2, {0}, {2}, 0}, body.server_nonce);
    const std::size_t size =
        wire::write_path_heartbeat2(MutableByteView(out).subspan(wire::kPathPrefixSize),
                                    {body.server_time_ns, answer.target.nonce, std::nullopt});
    const ByteView bytes = ByteView(out).first(wire::kPathPrefixSize + size);
    return paths.on_heartbeat_2(datagram(as_text(bytes), from, kStart),
                                wire::parse_path_packet(bytes).value());
  }

  ServerPaths paths;
};

TEST_F(ServerPathsFilterTest, DeniedAddressGetsNoAnswerEvenWithTheRightNonce) {
  const auto asked = ask(kStrangerEnd);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error(), DropReason::kStranger);
  EXPECT_FALSE(paths.poll_heartbeat(kStart));
  EXPECT_TRUE(ask(kClientEnd));
  EXPECT_TRUE(paths.poll_heartbeat(kStart));
}

TEST_F(ServerPathsFilterTest, PathMovesToAWelcomeAddressAndNotToADeniedOne) {
  ASSERT_TRUE(ask(kClientEnd));
  ASSERT_TRUE(confirm(*paths.poll_heartbeat(kStart), kClientEnd));
  const Endpoint moved = endpoint("192.0.2.77", 50'007);
  ASSERT_TRUE(ask(moved));
  const auto answer = paths.poll_heartbeat(kStart + 1s);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(confirm(*answer, kStrangerEnd));
  EXPECT_EQ(paths.target(0)->to, kClientEnd);
  ASSERT_TRUE(confirm(*answer, moved));
  EXPECT_EQ(paths.target(0)->to, moved);
  EXPECT_FALSE(ask(kStrangerEnd));
}

TEST(ServerSessionFilter, EveryPortOfASessionHasTheFilterOfItsSetup) {
  SessionSetup setup;
  setup.client = kClientEnd;
  setup.path.emplace();
  setup.clients = filter({}, {network("203.0.113.0/24")});
  const ServerSession session(ServerConfig{}, setup, kStart);
  for (const PortKind kind : kPortKinds) {
    EXPECT_EQ(session.port_config(kind, kStart, 0s, 1).clients, setup.clients);
  }
}

}  // namespace
}  // namespace wyndrvr::engine
