// What launches a session, and what does not.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "crypto/path_nonces.hpp"
#include "engine/first_packet.hpp"
#include "engine/path_packets.hpp"
#include "unit/engine_actor_support.hpp"
#include "wire/path_heartbeat.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;
using wire::MessageType;
using wire::PathType;

SessionSetup original_setup() {
  SessionSetup setup;
  setup.client = kClientEnd;
  setup.ports = {{{7000}, {7001}, {7002}}};
  setup.heartbeat_key = kKey;
  return setup;
}

SessionSetup path_session(std::uint8_t streams = 1, bool single_port = false) {
  SessionSetup setup = original_setup();
  setup.path.emplace();
  setup.path->handshake.session = 77;
  setup.path->terms.streams = streams;
  setup.path->terms.single_port = single_port;
  if (single_port) setup.ports.fill({7000});
  return setup;
}

bool is_first(const SessionSetup& setup, PortKind kind, std::string_view bytes,
              const Endpoint& from = kClientEnd) {
  return FirstPacket(setup).admits(kind, from, as_bytes(bytes));
}

// HEARTBEAT_0 of a path of the session.
std::string path_heartbeat(const SessionSetup& setup, PortKind kind, std::size_t path = 0) {
  std::array<std::byte, wire::kMaxPacketSize> out{};
  const std::uint64_t nonce = crypto::client_path_nonce(setup.path->handshake, path_id(kind, path));
  wire::write_path_prefix(
      out.data(), {PathType::kHeartbeat0, plain_channel(kind, setup.path->terms), {1}, 0}, {nonce});
  std::size_t size =
      wire::kPathPrefixSize +
      wire::write_path_heartbeat0(MutableByteView(out).subspan(wire::kPathPrefixSize), {1000});
  if (setup.path->keys) {
    const crypto::Mac mac = crypto::packet_mac(
        setup.path->keys->client_to_server, setup.ports[index_of(kind)], ByteView(out).first(size));
    std::ranges::copy(mac, out.begin() + static_cast<std::ptrdiff_t>(size));
    size += mac.size();
  }
  return std::string(as_text(ByteView(out).first(size)));
}

TEST(FirstPacket, HeartbeatWithTheKeyFromTheClientsAddressIsOne) {
  const SessionSetup setup = original_setup();
  for (const PortKind kind : kPortKinds) {
    EXPECT_TRUE(is_first(setup, kind, heartbeat_0()));
    EXPECT_TRUE(is_first(setup, kind, heartbeat_0(), {kClientEnd.address, {1}})) << "any port";
  }
}

TEST(FirstPacket, AnotherAddressIsNone) {
  EXPECT_FALSE(is_first(original_setup(), PortKind::kControl, heartbeat_0(), kStrangerEnd));
  const SessionSetup one = path_session();
  EXPECT_FALSE(
      is_first(one, PortKind::kControl, path_heartbeat(one, PortKind::kControl), kStrangerEnd));
}

TEST(FirstPacket, AnythingElseFromTheClientsAddressIsNone) {
  const SessionSetup setup = original_setup();
  const std::string body = R"({"timestamp": 1.5})";
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string("CONNECT"), std::string(1400, '\0'),
        packet({MessageType::kHeartbeat0, {kKey + 1}, {0}, 0}, body),
        packet({MessageType::kHeartbeat0, {kKey}, {0}, 0}, R"({"timestamp": })"),
        packet({MessageType::kHeartbeat1, {kKey}, {0}, 0}, body),
        packet({MessageType::kHeartbeat2, {kKey}, {0}, 0}, body),
        packet({MessageType::kData, {kKey}, {0}, 0}, body),
        control(wire::Bwup{kChannel, 10, std::nullopt}), data(0), flow_control(0)}) {
    EXPECT_FALSE(is_first(setup, PortKind::kControl, bytes)) << bytes.size();
    EXPECT_FALSE(is_first(path_session(), PortKind::kControl, bytes)) << bytes.size();
  }
}

TEST(FirstPacket, OfAPathItHasThatPathsNonce) {
  const SessionSetup setup = path_session(3);
  for (const PortKind kind : kPortKinds) {
    for (std::size_t path = 0; path < path_count(kind, setup.path->terms); ++path) {
      EXPECT_TRUE(is_first(setup, kind, path_heartbeat(setup, kind, path)));
    }
  }
  EXPECT_FALSE(is_first(setup, PortKind::kControl, path_heartbeat(setup, PortKind::kUpload)));
  EXPECT_FALSE(is_first(setup, PortKind::kUpload, path_heartbeat(setup, PortKind::kUpload, 3)));
  std::string wrong = path_heartbeat(setup, PortKind::kUpload);
  wrong[wire::kHeaderSize] = static_cast<char>(wrong[wire::kHeaderSize] ^ 1);
  EXPECT_FALSE(is_first(setup, PortKind::kUpload, wrong));
}

TEST(FirstPacket, OnASinglePortTheChannelSaysWhoseItIs) {
  const SessionSetup setup = path_session(2, true);
  for (const PortKind kind : kPortKinds) {
    EXPECT_TRUE(is_first(setup, PortKind::kControl, path_heartbeat(setup, kind)));
  }
}

TEST(FirstPacket, WithKeysItNeedsItsMac) {
  SessionSetup setup = path_session();
  const std::string without = path_heartbeat(setup, PortKind::kDownload);
  crypto::Key key;
  key.octets.writable()[0] = std::byte{4};
  setup.path->keys = crypto::derive_session_keys(key, setup.path->handshake);
  const std::string with = path_heartbeat(setup, PortKind::kDownload);
  EXPECT_TRUE(is_first(setup, PortKind::kDownload, with));
  EXPECT_FALSE(is_first(setup, PortKind::kDownload, without));
  std::string wrong = with;
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  EXPECT_FALSE(is_first(setup, PortKind::kDownload, wrong));
}

}  // namespace
}  // namespace wyndrvr::engine
