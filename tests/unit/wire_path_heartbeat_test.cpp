// Heartbeats of dialect 1, by octets written by hand.
#include <gtest/gtest.h>

#include "unit/wire_path_support.hpp"
#include "wire/path_heartbeat.hpp"

namespace wyndrvr::wire {
namespace path_heartbeat_test {

using testing::Octets;
using testing::octets;
using testing::only_this_length_parses;
using testing::written;

const std::unexpected kBad(DropReason::kBadBody);

// Whole datagrams: header, nonce, body.
const Octets kHeartbeat0Datagram = octets(
    "80 000000 0000000000000003 0000000000000000"  // N = 3
    "c1c2c3c4c5c6c7c8"                             // client's path nonce
    "00000002540be400"                             // 10^10 ns
    "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000");
const Octets kHeartbeat1Datagram = octets(
    "81 000000 0000000000000003 0000000000000000"
    "c1c2c3c4c5c6c7c8"    // client's path nonce, as it came
    "00000002540be400"    // client's time, as it came
    "d1d2d3d4d5d6d7d8"    // server's path nonce
    "00000000000003e8"    // server's time: 1000 ns
    "0000000000002710"    // turnaround: 10 000 ns
    "0000000000000064"    // earlier answer at 100 ns
    "0000000000001388");  // its turnaround: 5000 ns
const Octets kHeartbeat2Datagram = octets(
    "82 000000 0000000000000003 0000000000000000"
    "d1d2d3d4d5d6d7d8"    // server's path nonce, as it came
    "00000000000003e8"    // server's time, as it came
    "c1c2c3c4c5c6c7c8"    // client's path nonce: which path
    "00000000000007d0");  // turnaround: 2000 ns

ByteView body_of(const Octets& datagram) {
  return parse_path_packet(datagram).value().body;
}
Octets copy(ByteView body) {
  return {body.begin(), body.end()};
}

const PathHeartbeat2 kConfirmation{
    .server_time_ns = 1000, .client_nonce = {0xc1c2c3c4c5c6c7c8}, .turnaround_ns = 2000};
const PathHeartbeat1 kAnswer{
    .client_time_ns = 10'000'000'000,
    .server_nonce = {0xd1d2d3d4d5d6d7d8},
    .server_time_ns = 1000,
    .turnaround_ns = 10'000,
    .earlier = EarlierAnswer{.server_time_ns = 100, .turnaround_ns = 5000}};

TEST(PathHeartbeat, Heartbeat0TellsTheClientsTimeAndNonce) {
  EXPECT_EQ(parse_path_packet(kHeartbeat0Datagram)->nonce, PathNonce{0xc1c2c3c4c5c6c7c8});
  EXPECT_EQ(parse_path_heartbeat0(body_of(kHeartbeat0Datagram)),
            (PathHeartbeat0{.client_time_ns = 10'000'000'000}));
  const Octets body = written(kPathHeartbeat0Size, [](MutableByteView out) {
    return write_path_heartbeat0(out, {.client_time_ns = 10'000'000'000});
  });
  EXPECT_EQ(body, copy(body_of(kHeartbeat0Datagram)));
}

TEST(PathHeartbeat, Heartbeat1TellsTheServersNonceTimeAndTurnarounds) {
  EXPECT_EQ(parse_path_heartbeat1(body_of(kHeartbeat1Datagram)), kAnswer);
  const Octets body = written(
      kPathHeartbeat1Size, [](MutableByteView out) { return write_path_heartbeat1(out, kAnswer); });
  EXPECT_EQ(body, copy(body_of(kHeartbeat1Datagram)));
}

TEST(PathHeartbeat, Heartbeat2EchoesTheServersTimeAndNonceAndNamesThePath) {
  EXPECT_EQ(parse_path_packet(kHeartbeat2Datagram)->nonce, PathNonce{0xd1d2d3d4d5d6d7d8});
  EXPECT_EQ(parse_path_heartbeat2(body_of(kHeartbeat2Datagram)), kConfirmation);
  const Octets body = written(kPathHeartbeat2Size, [](MutableByteView out) {
    return write_path_heartbeat2(out, kConfirmation);
  });
  EXPECT_EQ(body, copy(body_of(kHeartbeat2Datagram)));
}

TEST(PathHeartbeat, NoAnswerIsLongerThanItsRequest) {
  EXPECT_EQ(kHeartbeat0Datagram.size(), 76U);
  EXPECT_EQ(kHeartbeat1Datagram.size(), kHeartbeat0Datagram.size());
  EXPECT_LE(kHeartbeat2Datagram.size(), kHeartbeat1Datagram.size());
}

TEST(PathHeartbeat, AnyOtherLengthIsDropped) {
  EXPECT_TRUE(only_this_length_parses(copy(body_of(kHeartbeat0Datagram)), [](ByteView body) {
    return parse_path_heartbeat0(body).has_value();
  }));
  EXPECT_TRUE(only_this_length_parses(copy(body_of(kHeartbeat1Datagram)), [](ByteView body) {
    return parse_path_heartbeat1(body).has_value();
  }));
  Octets body = copy(body_of(kHeartbeat2Datagram));
  body.push_back({});
  for (; body.size() > kPathHeartbeat2Size; body.pop_back()) {
    EXPECT_EQ(parse_path_heartbeat2(body), kBad) << body.size();
  }
  for (body.pop_back(); !body.empty(); body.pop_back()) {
    const bool short_one = body.size() == kShortPathHeartbeat2Size;
    EXPECT_EQ(parse_path_heartbeat2(body).has_value(), short_one) << body.size();
  }
}

TEST(PathHeartbeat, Heartbeat2MayTellNoTurnaround) {
  PathHeartbeat2 untold = kConfirmation;
  untold.turnaround_ns.reset();
  const Octets body = written(kShortPathHeartbeat2Size, [&](MutableByteView out) {
    return write_path_heartbeat2(out, untold);
  });
  EXPECT_EQ(parse_path_heartbeat2(body), untold);
}

TEST(PathHeartbeat, PaddingMustBeZero) {
  for (std::size_t at = 8; at < 48; ++at) {
    Octets body = copy(body_of(kHeartbeat0Datagram));
    body[at] = std::byte{1};
    EXPECT_EQ(parse_path_heartbeat0(body), kBad) << at;
  }
}

TEST(PathHeartbeat, WithoutAnEarlierAnswerItsOctetsAreZero) {
  PathHeartbeat1 first = kAnswer;
  first.earlier.reset();
  Octets body = written(kPathHeartbeat1Size,
                        [&](MutableByteView out) { return write_path_heartbeat1(out, first); });
  EXPECT_EQ(Octets(body.end() - 16, body.end()), Octets(16));
  EXPECT_EQ(parse_path_heartbeat1(body), first);
  body.back() = std::byte{1};  // a turnaround of nothing
  EXPECT_EQ(parse_path_heartbeat1(body), kBad);
}

}  // namespace path_heartbeat_test
}  // namespace wyndrvr::wire
