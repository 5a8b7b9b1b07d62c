// What somebody can do to a session of dialect 1 who cannot read its paths, or who can but has not
// its key: nothing.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "unit/engine_path_support.hpp"
#include "wire/path_heartbeat.hpp"
#include "wire/test_command.hpp"

namespace wyndrvr::engine {
namespace path_attack_test {

using namespace testing;
using wire::Directions;
using wire::DropReason;
using wire::PathType;

std::uint64_t all_drops(PathSession& session) {
  std::uint64_t sum = 0;
  for (const Side side : {Side::kClient, Side::kServer}) {
    for (const PortKind port : kPortKinds) {
      for (const std::uint64_t count : session.actor(side, port).drops()) sum += count;
    }
  }
  return sum;
}

// A packet of any type that is right in all but its nonce.
std::string path_forgery(PathType type, std::uint64_t nonce) {
  std::array<std::byte, wire::kMaxPacketSize> out{};
  const bool stream = type == PathType::kData || type == PathType::kReport;
  wire::write_path_prefix(out.data(), {type, {stream ? 1U : 0U}, {1}, 0}, {nonce});
  const MutableByteView body = MutableByteView(out).subspan(wire::kPathPrefixSize);
  const auto write = [&]() -> std::size_t {
    switch (type) {
      case PathType::kHeartbeat0:
        return wire::write_path_heartbeat0(body, {1000});
      case PathType::kHeartbeat1:
        return wire::write_path_heartbeat1(body, {1000, {nonce}, 2000, 0, std::nullopt});
      case PathType::kHeartbeat2:
        return wire::write_path_heartbeat2(body, {1000, {nonce}, std::nullopt});
      case PathType::kReport:
        return wire::write_receiver_report(
            body, {.number = 1'000'000, .granted = {1ULL << 40U}, .valid_for = 250ms});
      case PathType::kData:
        return 1000 - wire::kPathPrefixSize;
      case PathType::kControl:
        return wire::write_test_command(body, wire::StopTest{{1}});
      case PathType::kResult:
        return wire::write_result_message(body, wire::ResultReceived{{1}, wire::SenderFigures{}});
    }
    return 0;
  };
  return std::string(as_text(ByteView(out).first(wire::kPathPrefixSize + write())));
}

constexpr std::array kAllPathTypes = {
    PathType::kHeartbeat0, PathType::kHeartbeat1, PathType::kHeartbeat2, PathType::kReport,
    PathType::kData,       PathType::kControl,    PathType::kResult};

// From a stranger, and from the addresses of the session itself.
std::vector<Endpoint> pretended_sources(const PathSession& session, Side to, PortKind port) {
  return {kStrangerEnd,
          to == Side::kClient ? session.net.server_end(port) : session.net.client_end(port, 0)};
}

class PathAttackTest : public ::testing::TestWithParam<bool> {};

TEST_P(PathAttackTest, ForgeriesWithRandomNoncesChangeNothingAndGetNoAnswer) {
  PathSession session({.terms = path_terms(Directions::kBoth), .keys = GetParam()});
  ASSERT_TRUE(session.prove());
  session.start_all();
  session.run_until(session.now + 500ms);
  base::Random random(7);
  const std::size_t letters = session.letters.size();
  const std::size_t sent = session.net.sent().size();
  std::uint64_t drops = all_drops(session);
  for (const Side to : {Side::kClient, Side::kServer}) {
    for (const PortKind port : kPortKinds) {
      for (const Endpoint& from : pretended_sources(session, to, port)) {
        for (const PathType type : kAllPathTypes) {
          for (int i = 0; i < 10; ++i) {
            session.inject(to, port, path_forgery(type, i == 0 ? 0 : random()), from);
            ASSERT_EQ(all_drops(session), ++drops) << static_cast<int>(type);
          }
        }
      }
    }
  }
  EXPECT_EQ(session.net.sent().size(), sent) << "datagrams out";
  EXPECT_EQ(session.letters.size(), letters);
  ASSERT_TRUE(session.finish_tests());
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    expect_truth(session, direction);
  }
}

// All that was ever seen on the way, once more.
TEST_P(PathAttackTest, ReplaysOfWholeSessionsGrantAndStartNothing) {
  PathSession session({.terms = path_terms(Directions::kBoth), .keys = GetParam()});
  ASSERT_TRUE(session.run_tests());
  session.run_until(session.now + 5s);
  const std::size_t letters = session.letters.size();
  const std::vector<Flight> seen = session.net.sent();
  std::uint64_t octets_in = 0;
  std::uint64_t expected_replays = 0;
  for (const Flight& flight : seen) {
    if (flight.is_data()) continue;
    const Side to = flight.from == Side::kClient ? Side::kServer : Side::kClient;
    const std::uint64_t before = session.drops(to, flight.port, DropReason::kReplayed);
    session.inject(to, flight.port, flight.bytes, flight.source);
    octets_in += flight.bytes.size();
    ++expected_replays;
    if (!GetParam()) continue;
    ASSERT_EQ(session.drops(to, flight.port, DropReason::kReplayed), before + 1);
  }
  EXPECT_GT(expected_replays, 50U);
  std::uint64_t octets_out = 0;
  for (std::size_t i = seen.size(); i < session.net.sent().size(); ++i) {
    const Flight& answer = session.net.sent()[i];
    octets_out += answer.bytes.size();
    EXPECT_FALSE(answer.is_data());
  }
  EXPECT_LE(octets_out, GetParam() ? 0 : octets_in);
  if (GetParam()) {
    EXPECT_EQ(session.letters.size(), letters);
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, PathAttackTest, ::testing::Bool(), [](const auto& keys) {
  return std::string(keys.param ? "With" : "Without");
});

TEST(PathAttack, ReplayedAndTruncatedDatagramsAreDroppedAndCountedInMidTest) {
  PathSession session({.terms = path_terms(Directions::kBoth), .keys = true});
  ASSERT_TRUE(session.prove());
  session.start_all();
  session.run_until(session.now + 700ms);
  std::array<std::uint64_t, 256> by_type{};
  const std::vector<Flight> seen = session.net.sent();
  for (const Flight& flight : seen) {
    if (flight.is_data() || flight.sent + 50ms > session.now) continue;  // has not arrived yet
    const Side to = flight.from == Side::kClient ? Side::kServer : Side::kClient;
    const auto dropped = [&](DropReason reason) { return session.drops(to, flight.port, reason); };
    const std::uint64_t replayed = dropped(DropReason::kReplayed);
    session.inject(to, flight.port, flight.bytes, flight.source);
    EXPECT_EQ(dropped(DropReason::kReplayed), replayed + 1);

    const std::uint64_t wrong = dropped(DropReason::kWrongMac);
    const std::string_view whole = flight.bytes;
    session.inject(to, flight.port, whole.substr(0, whole.size() - 1), flight.source);
    std::string changed = flight.bytes;
    changed.at(wire::kPathPrefixSize) = static_cast<char>(changed.at(wire::kPathPrefixSize) ^ 1);
    session.inject(to, flight.port, changed, flight.source);
    EXPECT_EQ(dropped(DropReason::kWrongMac), wrong + 2);
    ++by_type[static_cast<std::size_t>(flight.type())];
  }
  for (const PathType type : {PathType::kHeartbeat0, PathType::kHeartbeat1, PathType::kHeartbeat2,
                              PathType::kReport, PathType::kControl}) {
    EXPECT_GT(by_type[static_cast<std::size_t>(type)], 0U);
  }
  EXPECT_EQ(session.net.sent().size(), seen.size()) << "datagrams out";
  ASSERT_TRUE(session.finish_tests());
  expect_truth(session, PortKind::kUpload);
}

// A packet of one port, or of the other direction, means nothing elsewhere.
TEST(PathAttack, PacketsOfAnotherPortOrDirectionHaveAWrongMac) {
  PathSession session({.terms = path_terms(Directions::kBoth), .keys = true});
  ASSERT_TRUE(session.prove());
  const std::vector<Flight> seen = session.net.sent();
  for (const Flight& flight : seen) {
    for (const Side to : {Side::kClient, Side::kServer}) {
      for (const PortKind port : kPortKinds) {
        if (to != flight.from && port == flight.port) continue;
        const std::uint64_t wrong = session.drops(to, port, DropReason::kWrongMac);
        session.inject(to, port, flight.bytes, flight.source);
        EXPECT_EQ(session.drops(to, port, DropReason::kWrongMac), wrong + 1);
      }
    }
  }
  EXPECT_EQ(session.net.sent().size(), seen.size());
}

TEST(PathAttack, NothingIsProvenWithAWrongKey) {
  PathSession session({.terms = path_terms(Directions::kBoth), .keys = true, .wrong_key = true});
  EXPECT_FALSE(session.prove(10s));
  EXPECT_EQ(session.count<PortProven>(Side::kClient), 0U);
  EXPECT_EQ(session.count<PortProven>(Side::kServer), 0U);
  for (const PortKind port : kPortKinds) {
    EXPECT_GT(session.drops(Side::kServer, port, DropReason::kWrongMac), 5U);
  }
  for (const Flight& flight : session.net.sent()) EXPECT_EQ(flight.from, Side::kClient);
}

// Whoever has seen the handshake knows the client's nonces; the server's secret keeps him from
// having data sent to somebody else.
TEST(PathAttack, SpoofedHeartbeatsReflectNoMoreThanTheyCost) {
  PathSession session({.terms = path_terms(Directions::kBoth)});
  ASSERT_TRUE(session.prove());
  std::string heartbeat;
  std::string confirmation;
  for (const Flight& flight : session.net.sent()) {
    if (flight.port != PortKind::kDownload || flight.from != Side::kClient) continue;
    (flight.type() == PathType::kHeartbeat0 ? heartbeat : confirmation) = flight.bytes;
  }
  session.start(PortKind::kDownload);
  session.run_until(session.now + 100ms);
  const Endpoint victim = kStrangerEnd;
  std::uint64_t octets_in = 0;
  for (int i = 0; i < 50; ++i) {
    session.inject(Side::kServer, PortKind::kDownload, heartbeat, victim);
    session.inject(Side::kServer, PortKind::kDownload, confirmation, victim);
    octets_in += heartbeat.size() + confirmation.size();
    session.run_until(session.now + 10ms);
  }
  std::uint64_t octets_out = 0;
  for (const Flight& flight : session.net.sent()) {
    if (flight.to != victim) continue;
    octets_out += flight.bytes.size();
    EXPECT_EQ(flight.type(), PathType::kHeartbeat1);
  }
  EXPECT_GT(octets_out, 0U);
  EXPECT_LE(octets_out, octets_in);
}

}  // namespace path_attack_test
}  // namespace wyndrvr::engine
