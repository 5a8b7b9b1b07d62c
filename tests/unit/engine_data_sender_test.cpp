#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/data_sender.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/data_body.hpp"
#include "wire/header.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::engine {
namespace data_sender_test {

using namespace testing;
using wire::ClosedRange;

constexpr ChannelId kChannel{4711};
constexpr std::uint64_t kForever = UINT64_MAX;  // on the wire
constexpr std::uint32_t kReports = 3;           // that tell a loss

// Which these senders begin with, and keep without reports; nothing bounds what is under way.
constexpr BitRate kRate{100e6};

DataSender::Options original_sender(std::uint32_t payload = 900) {
  return {.channel = kChannel,
          .packet_size = wire::data_packet_size(payload),
          .path = std::nullopt,
          .fixed_rate = std::nullopt,
          .initial_rate = kRate,
          .first_window = std::uint64_t{1} << 40U,
          .octets = std::nullopt,
          .loss_buffer_length = kReports};
}

BatchBuffer buffer_for(std::uint32_t payload = 900) {
  return {wire::data_packet_size(payload), payload};
}

class DataSenderTest : public ::testing::Test {
 protected:
  void go() { sender.on_go({kChannel, kStart, 10s}); }

  // Sends until `now` as a host would; returns the headers in order.
  std::vector<wire::Header> send_until(Instant now) {
    std::vector<wire::Header> headers;
    while (clock < now) {
      while (const auto batch = sender.poll(clock, buffer)) append_headers(*batch, headers);
      const auto deadline = sender.deadline(clock);
      clock = deadline ? std::clamp(deadline->at, clock + 1ns, now) : now;
    }
    return headers;
  }
  static void append_headers(const DataSender::Batch& batch, std::vector<wire::Header>& out) {
    for (std::size_t at = 0; at < batch.bytes.size(); at += batch.segment_size) {
      out.push_back(wire::parse_packet(batch.bytes.subspan(at, batch.segment_size))->header);
    }
  }
  void report(std::vector<ClosedRange> missing, unsigned times = 1) {
    for (unsigned i = 0; i < times; ++i) sender.on_report(clock, missing);
  }

  DataSender sender{original_sender()};
  BatchBuffer buffer = buffer_for();
  Instant clock = kStart;
};

std::uint64_t number_of(const wire::Header& header) {
  return wire::represented_seq(header).value;
}

TEST_F(DataSenderTest, SendsNothingBeforeGo) {
  EXPECT_FALSE(sender.poll(kStart, buffer));
  EXPECT_FALSE(sender.deadline(kStart));
}

TEST_F(DataSenderTest, SendsNothingBeforeTheStartThatGoNames) {
  sender.on_go({kChannel, kStart + 1s, 10s});
  EXPECT_FALSE(sender.poll(kStart + 999ms, buffer));
  EXPECT_EQ(sender.deadline(kStart)->at, kStart + 1s);
  EXPECT_TRUE(sender.poll(kStart + 1s, buffer));
}

// 1 Mbit/s: datagrams of 1400 octets are 11.2 ms apart, and the turn is 5.6 ms after the start.
TEST_F(DataSenderTest, WhoBeginsLateKeepsAnyTurnThatIsAheadAndTheEnd) {
  for (const Duration late : {2ms, 8ms}) {
    DataSender::Options options = original_sender();
    options.packet_size = 1400;
    options.fixed_rate = BitRate{1e6};
    options.stagger = 0.5;
    DataSender one(options);
    one.on_go({kChannel, kStart, 10s}, kStart + late);
    EXPECT_EQ(one.deadline(kStart + late)->at, kStart + (late == 2ms ? 5600us : late + 5600us));
    EXPECT_FALSE(one.done(kStart + 10s - 1ns));
    EXPECT_TRUE(one.done(kStart + 10s));
  }
}

TEST_F(DataSenderTest, NumbersAscendFromZeroWithoutHolesAndWithoutOffset) {
  go();
  const auto headers = send_until(kStart + 100ms);
  ASSERT_GT(headers.size(), 100U);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    ASSERT_EQ(headers[i].type, wire::MessageType::kBandwidthTest);
    ASSERT_EQ(headers[i].channel, kChannel);
    ASSERT_EQ(headers[i].seq.value, i);
    ASSERT_EQ(headers[i].offset, 0U);
  }
}

TEST_F(DataSenderTest, LostNumbersAreSentAgainBeforeNewOnes) {
  go();
  const std::uint64_t sent = send_until(kStart + 100ms).size();
  report({{3, 5}, {90, kForever}}, kReports);
  const auto headers = send_until(kStart + 110ms);
  ASSERT_GT(headers.size(), 4U);
  for (std::size_t i = 0; i < headers.size(); ++i) EXPECT_EQ(headers[i].seq.value, sent + i);
  EXPECT_EQ(number_of(headers[0]), 3U);
  EXPECT_EQ(number_of(headers[1]), 4U);
  EXPECT_EQ(number_of(headers[2]), 5U);
  EXPECT_EQ(number_of(headers[3]), sent) << "then the first new one";
  EXPECT_EQ(headers[3].offset, 3U) << "three retransmissions so far";
  EXPECT_EQ(sender.totals().retransmitted, 3U);
  EXPECT_EQ(sender.totals().reported_lost, 3U);
}

TEST_F(DataSenderTest, LossTakesAsManyReportsAsTheBufferHolds) {
  go();
  (void)send_until(kStart + 100ms);
  report({{3, 5}, {90, kForever}}, kReports - 1);
  EXPECT_EQ(sender.totals().reported_lost, 0U);
  report({{3, 5}, {90, kForever}});
  EXPECT_EQ(sender.totals().reported_lost, 3U);
}

TEST_F(DataSenderTest, NothingAboveTheHighestReportedNumberIsSentAgain) {
  go();
  const std::uint64_t sent = send_until(kStart + 100ms).size();
  ASSERT_GT(sent, 90U);
  report({{90, kForever}}, 5 * kReports);
  const auto headers = send_until(kStart + 200ms);
  for (const wire::Header& header : headers) ASSERT_EQ(header.offset, 0U);
  EXPECT_EQ(sender.totals().retransmitted, 0U);
}

TEST_F(DataSenderTest, NumbersThatWereNeverSentAreNotLost) {
  go();
  (void)send_until(kStart + 10ms);
  report({{1'000'000, 1'000'010}, {2'000'000, kForever}}, 5 * kReports);
  EXPECT_EQ(sender.totals().reported_lost, 0U);
}

// A peer that speaks of what was never sent must not stop the rate from being adjusted.
TEST_F(DataSenderTest, ReportOfNumbersThatWereNeverSentDoesNotBlindTheRate) {
  go();
  (void)send_until(kStart + 50ms);
  report({{kForever, kForever}});
  const double before = sender.totals().target_bps;
  for (int i = 1; i <= 10; ++i) {
    const std::uint64_t sent = sender.totals().packets;
    report({{sent, kForever}});
    (void)send_until(kStart + 50ms + i * 100ms);
  }
  EXPECT_GT(sender.totals().target_bps, 2 * before);
}

TEST_F(DataSenderTest, FirstReportBeforeGoIsWhatThereIsToSend) {
  report({{10, 11}, {20, 20}, {30, kForever}});
  go();
  const auto headers = send_until(kStart + 20ms);
  ASSERT_GE(headers.size(), 5U);
  const std::array<std::uint64_t, 5> expected = {10, 11, 20, 30, 31};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(headers[i].seq.value, i);
    EXPECT_EQ(number_of(headers[i]), expected[i]);
  }
  EXPECT_EQ(sender.totals().retransmitted, 0U);
}

// A set that ends leaves nothing to send; the sender must then not ask to run without end.
TEST_F(DataSenderTest, NothingLeftToSendMeansNoPacingDeadline) {
  report({{kForever - 2, kForever}});
  go();
  EXPECT_EQ(send_until(kStart + 50ms).size(), 2U);
  const auto deadline = sender.deadline(clock);
  EXPECT_TRUE(!deadline || deadline->at > clock);
}

TEST_F(DataSenderTest, BatchIsOfEqualSegmentsWithAHeaderEachAndTheBodyUnchanged) {
  const std::size_t size = wire::data_packet_size(900);
  std::vector<std::byte> body(wire::data_body_size(900));
  wire::write_data_body(body, 900);
  go();
  std::uint64_t next = 0;
  std::size_t longest = 0;
  // Whole super-packets: a rest of a few datagrams would cost as much as one of them.
  const std::size_t most =
      BatchBuffer::kMaxSuperPackets * (BatchBuffer::kMaxSuperPacketBytes / size) * size;
  // Clean reports make the rate, and with it the batches, grow.
  for (int turn = 0; turn < 7; ++turn) {
    const Instant until = clock + 10ms;
    while (clock < until) {
      while (const auto batch = sender.poll(clock, buffer)) {
        ASSERT_EQ(batch->segment_size, size);
        ASSERT_EQ(batch->bytes.size() % size, 0U);
        ASSERT_LE(batch->bytes.size(), most);
        longest = std::max(longest, batch->bytes.size() / size);
        for (std::size_t at = 0; at < batch->bytes.size(); at += size) {
          const auto packet = wire::parse_packet(batch->bytes.subspan(at, size));
          ASSERT_EQ(packet->header.seq.value, next++);
          ASSERT_TRUE(std::ranges::equal(packet->body, body));
        }
      }
      clock = std::max(sender.deadline(clock)->at, clock + 1ns);
    }
    report({{next, kForever}});
  }
  EXPECT_EQ(longest, most / size);
}

TEST_F(DataSenderTest, SendersThatShareABufferWriteTheirOwnHeaders) {
  constexpr std::size_t kSize = 200;
  const auto options = [](ChannelId channel, std::uint64_t nonce) {
    return DataSender::Options{.channel = channel,
                               .packet_size = kSize,
                               .path = wire::PathNonce{nonce},
                               .fixed_rate = BitRate{1e9}};
  };
  BatchBuffer shared(kSize, std::nullopt);
  DataSender one(options({4}, 11));
  DataSender two(options({5}, 22));
  one.on_go({kChannel, kStart, 10s});
  two.on_go({kChannel, kStart, 10s});
  const auto expect = [&](DataSender& from, Instant now, std::size_t most, ChannelId channel,
                          std::uint64_t nonce, std::uint64_t first) {
    const auto batch = from.poll(now, shared, most);
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->bytes.size(), most * kSize);
    for (std::size_t i = 0; i < most; ++i) {
      const auto packet = wire::parse_path_packet(batch->bytes.subspan(i * kSize, kSize));
      ASSERT_TRUE(packet);
      EXPECT_EQ(packet->header.channel, channel);
      EXPECT_EQ(packet->nonce, wire::PathNonce{nonce});
      EXPECT_EQ(packet->header.seq.value, first + i);
      EXPECT_EQ(wire::data_time_ns(packet->body),
                static_cast<std::uint64_t>(now.time_since_epoch().count()));
    }
  };
  expect(one, kStart, 2, {4}, 11, 0);
  expect(two, kStart, 1, {5}, 22, 0);
  expect(one, kStart + 1ms, 3, {4}, 11, 2);
  expect(one, kStart + 2ms, 4, {4}, 11, 5);
  one.set_path({33});
  expect(one, kStart + 3ms, 2, {4}, 33, 9);
  expect(two, kStart + 3ms, 4, {5}, 22, 1);
}

TEST_F(DataSenderTest, SlowRateSendsDatagramsOneByOne) {
  go();
  const auto batch = sender.poll(kStart, buffer);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->bytes.size(), batch->segment_size);
  EXPECT_FALSE(batch->coalesce);
}

TEST_F(DataSenderTest, SmallDatagramsGoTogetherAtALowerRate) {
  DataSender::Options options = original_sender(26);  // 64 octets
  options.fixed_rate = BitRate{20e6};                 // 39 of them in a millisecond
  DataSender small(options);
  BatchBuffer buffer_of_small = buffer_for(26);
  small.on_go({kChannel, kStart, 10s});
  const auto batch = small.poll(kStart, buffer_of_small);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->segment_size, 64U);
  EXPECT_EQ(batch->bytes.size(), 39U * 64U);
  EXPECT_TRUE(batch->coalesce);
}

TEST_F(DataSenderTest, SmallestAndLargestPayloadsFit) {
  for (const std::uint32_t payload : {1U, static_cast<std::uint32_t>(wire::kMaxPayload)}) {
    DataSender any(original_sender(payload));
    BatchBuffer buffer_of_any = buffer_for(payload);
    any.on_go({kChannel, kStart, 10s});
    EXPECT_EQ(any.poll(kStart, buffer_of_any)->segment_size, wire::data_packet_size(payload));
  }
}

TEST_F(DataSenderTest, KeepsTheRate) {
  go();
  const auto headers = send_until(kStart + 1s);
  const double bits = static_cast<double>(headers.size() * wire::data_packet_size(900)) * 8;
  EXPECT_NEAR(bits, kRate.bps, 0.01 * kRate.bps);
}

TEST_F(DataSenderTest, StallIsNotMadeUpForInABurst) {
  go();
  (void)sender.poll(kStart, buffer);
  std::vector<wire::Header> burst;
  while (const auto batch = sender.poll(kStart + 1s, buffer)) append_headers(*batch, burst);
  const double longest = kRate.bps * to_seconds(Pacer::kMaxCatchUp) / 8;
  EXPECT_LE(static_cast<double>(burst.size() * wire::data_packet_size(900)), longest + 2 * 1400);
}

TEST_F(DataSenderTest, StopsExactlyAtTheEndOfTheDuration) {
  go();
  (void)send_until(kStart + 10s - 1ms);
  EXPECT_TRUE(sender.poll(kStart + 10s - 1ns, buffer));
  EXPECT_FALSE(sender.poll(kStart + 10s, buffer));
  EXPECT_FALSE(sender.deadline(kStart + 10s));
}

TEST_F(DataSenderTest, StopEndsItAtOnce) {
  go();
  EXPECT_TRUE(sender.poll(kStart, buffer));
  sender.stop();
  EXPECT_FALSE(sender.poll(kStart + 1s, buffer));
  EXPECT_FALSE(sender.deadline(kStart + 1s));
}

TEST_F(DataSenderTest, TotalsCountWhatWasHandedOutAndWhatBecameOfIt) {
  go();
  const auto headers = send_until(kStart + 100ms);
  sender.on_send_failed(3);
  sender.on_send_blocked();
  const SenderTotals totals = sender.totals();
  EXPECT_EQ(totals.packets, headers.size());
  EXPECT_EQ(totals.bytes, headers.size() * wire::data_packet_size(900));
  EXPECT_EQ(totals.failed, 3U);
  EXPECT_EQ(totals.blocked, 1U);
}

TEST_F(DataSenderTest, ProgressComesAtItsInterval) {
  DataSender::Options with_progress = original_sender();
  with_progress.progress_interval = 250ms;
  DataSender reporting(with_progress);
  reporting.on_go({kChannel, kStart, 10s});
  int count = 0;
  for (Instant now = kStart; now < kStart + 1s; now += 1ms) {
    if (reporting.poll_progress(now)) ++count;
  }
  EXPECT_EQ(count, 3);
  EXPECT_FALSE(sender.poll_progress(kStart + 5s)) << "no interval, no progress";
}

// Without a server that grants, all of the other tests: no bound.
TEST_F(DataSenderTest, SendsWholeDatagramsThatAreGrantedAndThenWaits) {
  const std::size_t size = wire::data_packet_size(900);
  go();
  sender.on_granted({10 * size + size - 1});
  EXPECT_EQ(send_until(kStart + 1s).size(), 10U);
  EXPECT_FALSE(sender.poll(clock, buffer));
  EXPECT_FALSE(sender.deadline(clock)) << "the next grant is what there is to wait for";
  sender.on_granted({5 * size});
  EXPECT_FALSE(sender.poll(clock, buffer)) << "an older one takes nothing back";
  sender.on_granted({12 * size});
  EXPECT_EQ(send_until(kStart + 2s).size(), 2U);
  EXPECT_FALSE(sender.done(kStart + 10s - 1ns));
  EXPECT_TRUE(sender.done(kStart + 10s)) << "nothing waits for a grant for ever";
}

TEST_F(DataSenderTest, SecondGoChangesNothing) {
  go();
  sender.on_go({kChannel, kStart + 5s, 60s});
  EXPECT_TRUE(sender.poll(kStart, buffer));
  EXPECT_FALSE(sender.poll(kStart + 10s, buffer));
}

}  // namespace data_sender_test
}  // namespace wyndrvr::engine
