// What a sender makes of ICMP's "too big": its datagrams become as long as the link takes, where
// that can be true.
#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "engine/data_sender.hpp"
#include "engine/judgement.hpp"
#include "engine/narrow_link.hpp"
#include "engine/stream_receiver.hpp"
#include "unit/allocation_counter.hpp"
#include "unit/engine_path_support.hpp"
#include "wire/data_body.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::engine {
namespace narrow_link_test {

using namespace testing;
using wire::Directions;
using wyndrvr::testing::allocations_during;

constexpr std::uint32_t kMtu = 700;
constexpr std::uint32_t kLeft = 672;  // less the headers of IPv4 and UDP

TooBig told_of(std::uint32_t mtu) {
  return {.to = kServerEnd, .flow = 0, .mtu = mtu};
}

TEST(NarrowLink, LeavesWhatHeadersDoNotTake) {
  EXPECT_EQ(payload_through(1400, false), 1372U);
  EXPECT_EQ(payload_through(1400, true), 1352U);
}

TEST(NarrowLink, IsNotBelievedToCarryLessThanAnyOther) {
  EXPECT_EQ(payload_through(576, false), kLeastShortened);
  EXPECT_FALSE(payload_through(575, false));
  EXPECT_EQ(payload_through(1280, true), 1232U);
  EXPECT_FALSE(payload_through(1279, true));
  EXPECT_FALSE(payload_through(0, false));
}

class NarrowSender : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kPayload = 1000;

  static DataSender::Options options() {
    return {.channel = ChannelId{1},
            .packet_size = wire::data_packet_size(kPayload),
            .fixed_rate = BitRate{8e6},
            .octets = std::nullopt};
  }
  void go() { sender.on_go({ChannelId{1}, kStart, 10s}); }
  // Datagrams that have left since, in octets of each.
  std::vector<std::size_t> send_until(Instant end) {
    std::vector<std::size_t> sizes;
    while (now < end) {
      while (const auto batch = sender.poll(now, buffer)) {
        for (std::size_t at = 0; at < batch->bytes.size(); at += batch->segment_size) {
          sizes.push_back(batch->segment_size);
          newest = std::string(as_text(batch->bytes.subspan(at, batch->segment_size)));
        }
      }
      now += 1ms;
    }
    return sizes;
  }
  void arrive(std::uint64_t unique) {
    ReceiverTotals totals;
    totals.unique = unique;
    totals.expected = unique;
    sender.on_receiver_progress(now, totals);
  }

  DataSender sender{options()};
  BatchBuffer buffer{wire::data_packet_size(kPayload), kPayload};
  Instant now = kStart;
  std::string newest;
};

TEST_F(NarrowSender, BelievesNothingBeforeADatagramHasLeft) {
  EXPECT_FALSE(sender.narrower(now, told_of(kMtu)));
  go();
  EXPECT_FALSE(sender.narrower(now, told_of(kMtu)));
  (void)send_until(now + 10ms);
  EXPECT_EQ(sender.narrower(now, told_of(kMtu)), kLeft);
}

TEST_F(NarrowSender, BelievesNoLinkThatTakesItsDatagrams) {
  go();
  (void)send_until(now + 10ms);
  const auto mtu = static_cast<std::uint32_t>(wire::data_packet_size(kPayload)) + 28;
  EXPECT_FALSE(sender.narrower(now, told_of(mtu)));
  EXPECT_TRUE(sender.narrower(now, told_of(mtu - 1)));
}

TEST_F(NarrowSender, BelievesNothingWhileDataArrives) {
  go();
  (void)send_until(now + 10ms);
  arrive(1);
  EXPECT_FALSE(sender.narrower(now, told_of(kMtu)));
  (void)send_until(now + DataSender::kArrivalPatience - 1ms);
  arrive(1);
  EXPECT_FALSE(sender.narrower(now, told_of(kMtu)));
  (void)send_until(now + 1ms);
  EXPECT_TRUE(sender.narrower(now, told_of(kMtu)));
}

TEST_F(NarrowSender, BelievesOnlySoManyTimes) {
  go();
  (void)send_until(now + 10ms);
  std::uint32_t mtu = kMtu;
  for (unsigned i = 0; i < DataSender::kMostShortenings; ++i) {
    const auto payload = sender.narrower(now, told_of(--mtu));
    ASSERT_TRUE(payload);
    sender.shorten(now, *payload);
  }
  EXPECT_FALSE(sender.narrower(now, told_of(--mtu)));
}

TEST_F(NarrowSender, SendsWholeShorterDatagramsAndCountsTheirOctets) {
  go();
  const auto before = send_until(now + 10ms);
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(sender.totals().shortened_to, 0U);
  sender.shorten(now, kLeft);
  const auto after = send_until(now + 100ms);
  EXPECT_GT(after.size(), 100U);
  EXPECT_EQ(after, std::vector<std::size_t>(after.size(), kLeft));
  const SenderTotals totals = sender.totals();
  EXPECT_EQ(totals.shortened_to, kLeft);
  EXPECT_EQ(totals.bytes, before.size() * before.front() + after.size() * kLeft);
  const std::string_view body = std::string_view(newest).substr(wire::kHeaderSize);
  EXPECT_TRUE(body.starts_with(wire::kDataBodyPrefix));
  EXPECT_TRUE(body.ends_with(wire::kDataBodySuffix));
}

TEST_F(NarrowSender, ShorteningAllocatesNothing) {
  go();
  (void)send_until(now + 10ms);
  EXPECT_EQ(allocations_during([&] {
              sender.shorten(now, kLeft);
              now += 10ms;
              while (const auto batch = sender.poll(now, buffer)) {
              }
            }),
            0U);
}

// What waits at a full socket is still the last batch.
TEST_F(NarrowSender, LeavesTheLastBatchAloneUntilTheNext) {
  go();
  const auto batch = sender.poll(now, buffer);
  ASSERT_TRUE(batch);
  const std::string left(as_text(batch->bytes));
  sender.shorten(now, kLeft);
  EXPECT_FALSE(sender.poll(now + 1s, buffer, 0));
  EXPECT_EQ(as_text(batch->bytes), left);
}

// A receiver that has seen nothing but the short ones grants as if there had been no others.
TEST_F(NarrowSender, GrantDoesNotCountWhatNeverArrived) {
  go();
  const auto lost = send_until(now + 100ms);
  sender.shorten(now, kLeft);
  const std::uint64_t more = 5;
  sender.on_granted(ByteCount{(lost.size() + more) * kLeft});
  EXPECT_EQ(send_until(now + 1s).size(), more);
}

TEST(NarrowReceiver, TakesShorterDatagramsAsFarAsALinkMayForceThem) {
  TestTerms terms;
  terms.payload_bytes = 1000;
  StreamReceiver receiver(ChannelId{1}, terms, 0);
  receiver.on_go({ChannelId{1}, kStart, 10s});
  ASSERT_TRUE(receiver.poll_report(kStart));
  const std::array<std::byte, wire::kDataTimeSize> time{};
  wire::PathPacket packet;
  packet.header = {wire::PathType::kData, ChannelId{1}, {0}, 0};
  packet.body = time;
  Datagram datagram;
  datagram.arrival = kStart;
  const auto receive = [&](std::uint64_t number, std::size_t octets) {
    packet.header.seq = {number};
    return receiver.on_packet(packet, octets, datagram).has_value();
  };
  EXPECT_FALSE(receive(0, 1001));
  EXPECT_TRUE(receive(0, 1000));
  EXPECT_EQ(receiver.totals().shortened_to, 0U);
  EXPECT_TRUE(receive(2, 800));
  EXPECT_TRUE(receive(3, kLeastShortened));
  EXPECT_FALSE(receive(4, kLeastShortened - 1));
  EXPECT_EQ(receiver.totals().shortened_to, kLeastShortened);
  EXPECT_EQ(receiver.totals().bytes, 1000 + 800 + kLeastShortened);
}

// Those lost before a shorter one count as long as those before them, and none is counted twice.
TEST(NarrowReceiver, CountsOctetsOfTheLostByTheLengthOfTheirTime) {
  DataReceiver receiver({.channel = ChannelId{1}, .packet_size = 1000});
  receiver.on_go({ChannelId{1}, kStart, 10s});
  const auto receive = [&](std::uint64_t number, std::size_t octets) {
    ASSERT_TRUE(receiver.on_packet({{}, ChannelId{1}, {number}, 0}, octets, {}));
  };
  receive(9, 600);  // ten of 1000 lost but for the last, which is short
  EXPECT_EQ(receiver.expected_octets().value, 9 * 1000U + 600U);
  receive(12, 600);
  EXPECT_EQ(receiver.expected_octets().value, 9 * 1000U + 4 * 600U);
  receive(3, 1000);  // late
  EXPECT_EQ(receiver.expected_octets().value, 9 * 1000U + 4 * 600U);
  receive(13, 600);
  EXPECT_EQ(receiver.expected_octets().value, 9 * 1000U + 5 * 600U);
}

using NarrowCase = std::tuple<Directions, bool>;  // single port

class NarrowPath : public ::testing::TestWithParam<NarrowCase> {
 protected:
  [[nodiscard]] static bool upload() { return std::get<0>(GetParam()) == Directions::kUpload; }
  [[nodiscard]] static Side sender() { return upload() ? Side::kClient : Side::kServer; }
  [[nodiscard]] static PortKind direction() {
    return upload() ? PortKind::kUpload : PortKind::kDownload;
  }
  [[nodiscard]] static TestTerms terms() {
    TestTerms terms = path_terms(std::get<0>(GetParam()));
    terms.streams = 2;
    terms.single_port = std::get<1>(GetParam());
    return terms;
  }
  // About the second stream.
  [[nodiscard]] static TooBig told(const PathSession& session) {
    if (upload()) return {.to = session.net.server_end(direction()), .flow = 1, .mtu = kMtu};
    return {.to = session.net.client_end(direction(), 1), .flow = 0, .mtu = kMtu};
  }
};

TEST_P(NarrowPath, EveryStreamIsShortenedAndArrives) {
  PathSession session({.terms = terms()});
  ASSERT_TRUE(session.prove());
  session.net.lose(
      [](const Flight& flight) { return flight.is_data() && flight.bytes.size() > kLeft; });
  session.start(direction());
  session.run_until(session.now + 100ms);
  ASSERT_GT(session.net.truth(direction()).sent, 0U);
  session.actor(sender(), direction()).on_packet_too_big(session.now, told(session));
  ASSERT_TRUE(session.finish_tests());

  const auto reported = session.reported(sender(), direction());
  ASSERT_TRUE(reported && reported->sender);
  EXPECT_EQ(reported->sender->shortened_to, kLeft);
  const auto client = session.reported(Side::kClient, direction());
  ASSERT_TRUE(client);
  EXPECT_GT(client->receiver.unique, 0U);
  EXPECT_EQ(client->receiver.bytes, client->receiver.packets * kLeft);
  // Of an upload the server has told it, which does not say so.
  EXPECT_EQ(client->receiver.shortened_to, upload() ? 0U : kLeft);
}

TEST_P(NarrowPath, WordOfAnotherPathChangesNothing) {
  PathSession session({.terms = terms()});
  ASSERT_TRUE(session.prove());
  session.net.lose([](const Flight& flight) { return flight.is_data(); });
  session.start(direction());
  session.run_until(session.now + 100ms);
  TooBig other = told(session);
  ++other.to.port.value;
  session.actor(sender(), direction()).on_packet_too_big(session.now, other);
  other = told(session);
  other.flow = 7;
  session.actor(sender(), direction()).on_packet_too_big(session.now, other);
  session.net.lose([](const Flight&) { return false; });
  ASSERT_TRUE(session.finish_tests());
  const auto reported = session.reported(sender(), direction());
  ASSERT_TRUE(reported && reported->sender);
  EXPECT_EQ(reported->sender->shortened_to, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, NarrowPath,
                         ::testing::Combine(::testing::Values(Directions::kUpload,
                                                              Directions::kDownload),
                                            ::testing::Bool()));

TEST(NarrowOutcome, IsNamedWithTheLengthThatWasUsed) {
  for (const PortKind direction : {PortKind::kUpload, PortKind::kDownload}) {
    TestOutcome test;
    test.direction = direction;
    test.payload_bytes = 1472;
    test.receiver.emplace();
    (direction == PortKind::kUpload ? test.sender.shortened_to : test.receiver->shortened_to) =
        1372;
    std::vector<Problem> problems;
    note_narrow_link(test, kServerEnd.address, problems);
    EXPECT_EQ(test.payload_bytes, 1372U);
    EXPECT_EQ(test.shortened_from, 1472U);
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].code, ProblemCode::kNarrowLink);
    EXPECT_EQ(problems[0].message,
              "a link on the way carries packets of 1400 octets only: payload of the " +
                  std::string(name(direction)) + " lowered from 1472 to 1372 octets");
  }
}

TEST(NarrowOutcome, IsNotNamedWhereNoneWas) {
  TestOutcome test;
  test.payload_bytes = 1472;
  std::vector<Problem> problems;
  note_narrow_link(test, kServerEnd.address, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(test.payload_bytes, 1472U);
}

}  // namespace narrow_link_test
}  // namespace wyndrvr::engine
