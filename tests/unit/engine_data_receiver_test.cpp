#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "engine/data_receiver.hpp"
#include "unit/engine_test_support.hpp"

namespace wyndrvr::engine {
namespace data_receiver_test {

using namespace testing;
using wire::ClosedRange;
using wire::DropReason;

constexpr ChannelId kChannel{4711};
constexpr std::size_t kSize = 937;
constexpr std::uint64_t kForever = UINT64_MAX;  // on the wire

class DataReceiverTest : public ::testing::Test {
 protected:
  DataReceiverTest() {
    receiver.emplace(DataReceiver::Options{
        .channel = kChannel, .report_interval = 100ms, .progress_interval = 1s});
  }
  void go() { receiver->on_go({kChannel, kStart, 10s}); }

  // Datagram number `sequence`, which stands for number `sequence - offset`.
  std::expected<void, DropReason> receive(std::uint64_t sequence, std::uint64_t offset = 0) {
    return receive_at(kStart + 1s, sequence, offset);
  }
  std::expected<void, DropReason> receive_at(Instant arrival, std::uint64_t sequence,
                                             std::uint64_t offset = 0) {
    Datagram datagram;
    datagram.arrival = arrival;
    return receiver->on_packet({wire::MessageType::kBandwidthTest, kChannel, {sequence}, offset},
                               kSize, datagram);
  }
  ReceiverTotals final_totals() { return receiver->poll_finished(kStart + 20s)->totals; }
  std::vector<ClosedRange> report(Instant now) {
    const auto missing = receiver->poll_report(now);
    return missing ? std::vector<ClosedRange>(missing->begin(), missing->end())
                   : std::vector<ClosedRange>{};
  }

  std::optional<DataReceiver> receiver;
};

TEST_F(DataReceiverTest, CleanStreamHasNothingLostOrOdd) {
  go();
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_TRUE(receive(i));
  const ReceiverTotals totals = final_totals();
  EXPECT_EQ(totals.packets, 100U);
  EXPECT_EQ(totals.bytes, 100 * kSize);
  EXPECT_EQ(totals.unique, 100U);
  EXPECT_EQ(totals.unique_bytes, 100 * kSize);
  EXPECT_EQ(totals.expected, 100U);
  EXPECT_EQ(totals.lost(), 0U);
  EXPECT_EQ(totals.duplicate + totals.reordered + totals.retransmitted, 0U);
}

// Sent: 0 1 2 3 4 5, then 2 again as datagram 6, then the new number 6 as datagram 7.
TEST_F(DataReceiverTest, LossDuplicatesReorderingAndRetransmissionAreToldApart) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_TRUE(receive(1));
  EXPECT_TRUE(receive(1));  // copied by the network
  EXPECT_TRUE(receive(4));
  EXPECT_TRUE(receive(3));     // overtaken; 2 and 5 are lost
  EXPECT_TRUE(receive(6, 4));  // 2 again
  EXPECT_TRUE(receive(7, 1));  // 6, and one retransmission so far
  const ReceiverTotals totals = final_totals();
  EXPECT_EQ(totals.packets, 7U);
  EXPECT_EQ(totals.unique, 6U);
  EXPECT_EQ(totals.duplicate, 1U);
  EXPECT_EQ(totals.packets, totals.unique + totals.duplicate);
  EXPECT_EQ(totals.reordered, 1U);
  EXPECT_EQ(totals.expected, 8U);
  EXPECT_EQ(totals.lost(), 2U);
  EXPECT_EQ(totals.retransmitted, 1U);
  EXPECT_EQ(totals.unique_bytes, 6 * kSize);
  EXPECT_EQ(totals.bytes, 7 * kSize);
}

TEST_F(DataReceiverTest, NeedlessRetransmissionIsNoGoodput) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_TRUE(receive(1));
  EXPECT_TRUE(receive(2, 2));  // 0 again, which had arrived
  const ReceiverTotals totals = final_totals();
  EXPECT_EQ(totals.unique, 3U) << "three different datagrams";
  EXPECT_EQ(totals.unique_bytes, 2 * kSize) << "of two different numbers";
  EXPECT_EQ(totals.duplicate, 0U);
  EXPECT_EQ(totals.retransmitted, 1U);
}

TEST_F(DataReceiverTest, RetransmissionsThatWereLostAreCountedByTheNextNewNumber) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_TRUE(receive(3));
  // 1 and 2 again as 4 and 5, both lost; new number 4 as datagram 6.
  EXPECT_TRUE(receive(6, 2));
  EXPECT_EQ(final_totals().retransmitted, 2U);
}

TEST_F(DataReceiverTest, RetransmissionsAfterTheLastNewNumberCountToo) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_TRUE(receive(3));
  EXPECT_TRUE(receive(4, 3));  // 1
  EXPECT_TRUE(receive(5, 3));  // 2
  EXPECT_EQ(final_totals().retransmitted, 2U);
}

TEST_F(DataReceiverTest, OvertakenFirstSendingIsNoRetransmission) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_TRUE(receive(2));
  EXPECT_TRUE(receive(1));
  EXPECT_EQ(final_totals().retransmitted, 0U);
}

TEST_F(DataReceiverTest, ImplausibleNumbersAreRefusedAndChangeNothing) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_EQ(receive(5, 6).error(), DropReason::kBadSequence) << "stands for a negative number";
  EXPECT_EQ(receive(1 + DataReceiver::kMaxJump).error(), DropReason::kBadSequence);
  EXPECT_EQ(receive(1, 0 - DataReceiver::kMaxJump).error(), DropReason::kBadSequence);
  EXPECT_EQ(receive(UINT64_MAX).error(), DropReason::kBadSequence);
  EXPECT_EQ(receive(UINT64_MAX, UINT64_MAX).error(), DropReason::kBadSequence);
  const ReceiverTotals totals = final_totals();
  EXPECT_EQ(totals.packets, 1U);
  EXPECT_EQ(totals.expected, 1U);
}

TEST_F(DataReceiverTest, NumberRightBelowTheJumpIsBelieved) {
  go();
  EXPECT_TRUE(receive(DataReceiver::kMaxJump - 1));
  EXPECT_EQ(final_totals().lost(), DataReceiver::kMaxJump - 1);
}

// A sender whose first set of numbers has holes: N is 0, 1, 2, and E is 0, 5, 6.
TEST_F(DataReceiverTest, NumbersMayRunAheadOfTheDatagrams) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_TRUE(receive(1, std::uint64_t{0} - 4));
  EXPECT_TRUE(receive(2, std::uint64_t{0} - 4));
  EXPECT_EQ(report(kStart), (std::vector<ClosedRange>{{1, 4}, {7, kForever}}));
  const ReceiverTotals totals = final_totals();
  EXPECT_EQ(totals.lost(), 0U) << "no datagram is missing";
  EXPECT_EQ(totals.retransmitted, 0U);
}

TEST_F(DataReceiverTest, TimeRunsFromTheFirstToTheLastDatagram) {
  go();
  EXPECT_TRUE(receive_at(kStart + 100ms, 0));
  EXPECT_TRUE(receive_at(kStart + 700ms, 2));
  EXPECT_TRUE(receive_at(kStart + 600ms, 1));  // kernel stamps may go back a little
  const ReceiverTotals totals = final_totals();
  EXPECT_EQ(totals.first_to_last, 600ms);
  EXPECT_EQ(totals.elapsed, 700ms);
}

TEST_F(DataReceiverTest, WithoutDatagramsThereIsNoTime) {
  go();
  const ReceiverTotals totals = final_totals();
  EXPECT_EQ(totals.first_to_last, 0ns);
  EXPECT_EQ(totals.elapsed, 0ns);
  EXPECT_EQ(totals.lost(), 0U);
}

TEST_F(DataReceiverTest, SocketDropsAddUp) {
  go();
  receiver->on_socket_drops(3);
  receiver->on_socket_drops(80);
  EXPECT_EQ(final_totals().socket_drops, 83U);
}

TEST_F(DataReceiverTest, FirstReportLeavesAtGoAndSaysThatAllIsMissing) {
  EXPECT_FALSE(receiver->poll_report(kStart));
  EXPECT_FALSE(receiver->deadline());
  go();
  EXPECT_EQ(report(kStart), (std::vector<ClosedRange>{{0, kForever}}));
  EXPECT_FALSE(receiver->poll_report(kStart));
}

TEST_F(DataReceiverTest, ReportsNameTheGapsAndThenTheTail) {
  go();
  for (const std::uint64_t i : {0U, 1U, 4U, 6U}) EXPECT_TRUE(receive(i));
  EXPECT_EQ(report(kStart), (std::vector<ClosedRange>{{2, 3}, {5, 5}, {7, kForever}}));
}

TEST_F(DataReceiverTest, ReportSpeaksOfNumbersNotOfDatagrams) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_TRUE(receive(2));
  EXPECT_TRUE(receive(3, 2));  // 1
  EXPECT_EQ(report(kStart), (std::vector<ClosedRange>{{3, kForever}}));
}

TEST_F(DataReceiverTest, ReportHoldsTheLowest86Ranges) {
  go();
  for (std::uint64_t i = 0; i < 400; i += 2) EXPECT_TRUE(receive(i + 1));
  const auto ranges = report(kStart);
  ASSERT_EQ(ranges.size(), wire::kMaxRanges);
  EXPECT_EQ(ranges.front(), (ClosedRange{0, 0}));
  EXPECT_EQ(ranges.back(), (ClosedRange{170, 170}));
}

TEST_F(DataReceiverTest, ReportsKeepTheirScheduleAndMissedOnesAreSkipped) {
  go();
  EXPECT_TRUE(receiver->poll_report(kStart));
  EXPECT_TRUE(receiver->poll_report(kStart + 130ms));
  EXPECT_FALSE(receiver->poll_report(kStart + 199ms));
  EXPECT_TRUE(receiver->poll_report(kStart + 200ms));
  EXPECT_TRUE(receiver->poll_report(kStart + 1050ms));
  EXPECT_FALSE(receiver->poll_report(kStart + 1050ms)) << "no burst";
  EXPECT_TRUE(receiver->poll_progress(kStart + 1050ms));
  EXPECT_EQ(receiver->deadline()->at, kStart + 1100ms);
}

TEST_F(DataReceiverTest, ProgressIsCumulativeAndTellsTheTestsTime) {
  go();
  EXPECT_FALSE(receiver->poll_progress(kStart + 999ms)) << "nothing has come";
  const auto first = receiver->poll_progress(kStart + 1s);
  EXPECT_EQ(first->totals.elapsed, 1s);
  EXPECT_FALSE(first->granted) << "nor is anything granted before";
  EXPECT_TRUE(receive(0));
  EXPECT_EQ(receiver->poll_progress(kStart + 1500ms)->totals.elapsed, 1500ms);
  EXPECT_TRUE(receive(1));
  const auto progress = receiver->poll_progress(kStart + 2s);
  EXPECT_EQ(progress->totals.packets, 2U);
  EXPECT_EQ(progress->channel, kChannel);
}

TEST_F(DataReceiverTest, ProgressComesAsSoonAsItsGrantsAreNeeded) {
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_TRUE(receiver->poll_progress(kStart)) << "with the first datagram";
  EXPECT_EQ(receiver->deadline()->at, kStart) << "the first report";
  (void)receiver->poll_report(kStart);
  EXPECT_EQ(receiver->deadline()->at, kStart + Granter::kSlowReportInterval) << "nothing is new";
  for (std::uint64_t i = 1; i < 10; ++i) EXPECT_TRUE(receive(i));
  EXPECT_EQ(receiver->deadline()->at, kStart + Granter::kRampReportInterval);
  EXPECT_FALSE(receiver->poll_progress(kStart + 2999us));
  EXPECT_TRUE(receiver->poll_progress(kStart + 3ms));
  EXPECT_TRUE(receive(10));
  EXPECT_TRUE(receiver->poll_progress(kStart + 1s + 3ms)) << "the ramp is over";
  EXPECT_TRUE(receive(11));
  EXPECT_FALSE(receiver->poll_progress(kStart + 1s + 52ms));
  EXPECT_TRUE(receiver->poll_progress(kStart + 1s + 53ms));
}

// What the receiver counts as under way, above what it has seen, is no more than finds room in its
// socket at the kernel's worst overhead.
TEST_F(DataReceiverTest, GrantsNoMoreThanFindsRoomInTheSocket) {
  constexpr std::uint32_t kBuffer = 1 << 20;
  receiver.emplace(DataReceiver::Options{.channel = kChannel,
                                         .report_interval = 100ms,
                                         .progress_interval = 1s,
                                         .socket_buffer = kBuffer});
  go();
  for (std::uint64_t i = 0; i < 10'000; ++i) EXPECT_TRUE(receive(i));
  (void)receiver->poll_progress(kStart + 1s);
  for (std::uint64_t i = 10'000; i < 20'000; ++i) EXPECT_TRUE(receive(i));
  const auto tight = receiver->poll_progress(kStart + 1s + 3ms);
  const ByteCount room = *usable_buffer(kBuffer, kSize);
  EXPECT_LT(room.value, std::uint64_t{2} * kBuffer * kSize / (kSize + 904));
  EXPECT_EQ(tight->granted->value, 20'000 * kSize + room.value);
  // Over a long round trip more is on the way, and not in the socket.
  receiver->on_round_trip(100ms);
  for (std::uint64_t i = 20'000; i < 30'000; ++i) EXPECT_TRUE(receive(i));
  const auto wide = receiver->poll_progress(kStart + 1s + 50ms);
  ASSERT_TRUE(wide);
  EXPECT_GT(wide->granted->value, 30'000 * kSize + 10 * room.value);
}

TEST_F(DataReceiverTest, WhoWantsNoProgressIsGrantedNothing) {
  receiver.emplace(DataReceiver::Options{.channel = kChannel, .report_interval = 100ms});
  go();
  EXPECT_TRUE(receive(0));
  EXPECT_FALSE(receiver->poll_progress(kStart + 1s));
}

TEST_F(DataReceiverTest, QuietTestEnds100MsAfterItsEnd) {
  go();
  EXPECT_TRUE(receive_at(kStart + 9s, 0));
  EXPECT_FALSE(receiver->poll_finished(kStart + 10'100ms - 1ns));
  EXPECT_TRUE(receiver->poll_finished(kStart + 10'100ms));
  EXPECT_FALSE(receiver->poll_finished(kStart + 10'100ms)) << "said once";
  EXPECT_FALSE(receiver->deadline());
}

TEST_F(DataReceiverTest, LastDatagramOfASlowTestIsWaitedForARoundTrip) {
  go();
  receiver->on_round_trip(600ms);
  EXPECT_TRUE(receive_at(kStart + 9s, 0));
  EXPECT_FALSE(receiver->poll_finished(kStart + 10'300ms));
  EXPECT_TRUE(receive_at(kStart + 10'300ms, 1));
  EXPECT_FALSE(receiver->poll_finished(kStart + 10'900ms - 1ns));
  EXPECT_TRUE(receiver->poll_finished(kStart + 10'900ms));
}

TEST_F(DataReceiverTest, DrainLastsUntil100MsOfQuiet) {
  go();
  EXPECT_TRUE(receive_at(kStart + 9990ms, 0));
  EXPECT_FALSE(receiver->poll_finished(kStart + 10s));
  EXPECT_TRUE(receive_at(kStart + 10'050ms, 1));
  EXPECT_FALSE(receiver->poll_finished(kStart + 10'150ms - 1ns));
  const auto finished = receiver->poll_finished(kStart + 10'150ms);
  ASSERT_TRUE(finished);
  EXPECT_EQ(finished->totals.packets, 2U) << "what was in flight at the end counts";
}

TEST_F(DataReceiverTest, DrainEndsAfterTwoSecondsHoweverMuchStillComes) {
  go();
  std::uint64_t next = 0;
  for (Instant now = kStart; now < kStart + 12s; now += 50ms) {
    ASSERT_FALSE(receiver->poll_finished(now));
    ASSERT_TRUE(receive_at(now, next++));
    ASSERT_LE(receiver->deadline()->at, kStart + 12s);
  }
  EXPECT_TRUE(receiver->poll_finished(kStart + 12s));
  EXPECT_EQ(receive_at(kStart + 12s, next).error(), DropReason::kNoTest);
}

TEST_F(DataReceiverTest, RunIsCountedAsItsDatagrams) {
  go();
  Datagram buffer;
  buffer.arrival = kStart + 1s;
  const wire::Header first{wire::MessageType::kBandwidthTest, kChannel, {10}, 0};
  EXPECT_EQ(receiver->on_run({first, 46, kSize}, buffer), 46U);
  EXPECT_EQ(receiver->on_run({first, 46, kSize}, buffer), 46U) << "all copies";
  const ReceiverTotals totals = final_totals();
  EXPECT_EQ(totals.packets, 92U);
  EXPECT_EQ(totals.bytes, 92 * kSize);
  EXPECT_EQ(totals.unique, 46U);
  EXPECT_EQ(totals.unique_bytes, 46 * kSize);
  EXPECT_EQ(totals.duplicate, 46U);
  EXPECT_EQ(totals.expected, 56U);
}

TEST_F(DataReceiverTest, RunBeyondPlausibleNumbersIsTakenAsFarAsTheyGo) {
  go();
  Datagram buffer;
  const auto type = wire::MessageType::kBandwidthTest;
  const wire::Header far{type, kChannel, {DataReceiver::kMaxJump}, 0};
  EXPECT_EQ(receiver->on_run({far, 3, kSize}, buffer), 0U);
  // A number that follows on one that was taken is plausible, however far that one was.
  const wire::Header edge{type, kChannel, {DataReceiver::kMaxJump - 1}, 0};
  EXPECT_EQ(receiver->on_run({edge, 3, kSize}, buffer), 3U);
  const wire::Header last{type, kChannel, {UINT64_MAX - 1}, 0};
  EXPECT_EQ(receiver->on_run({last, 3, kSize}, buffer), 1U) << "the third one's number is 0 again";
}

// As many gaps as are tracked, among the numbers; then what fills the end of a wide one, which for
// a moment makes two of it.
std::uint64_t written_off_by_late_data(DataReceiver& receiver, bool as_run) {
  const auto type = wire::MessageType::kBandwidthTest;
  Datagram buffer;
  for (std::uint64_t i = 1; i < DataReceiver::kMaxGaps; ++i) {
    EXPECT_TRUE(receiver.on_packet({type, kChannel, {2 * i}, 0}, kSize, buffer));
  }
  const std::uint64_t wide = 2 * DataReceiver::kMaxGaps;
  EXPECT_TRUE(receiver.on_packet({type, kChannel, {wide + 100}, 0}, kSize, buffer));
  const wire::Header late{type, kChannel, {wide + 90}, 0};
  if (as_run) {
    EXPECT_EQ(receiver.on_run({late, 10, kSize}, buffer), 10U);
  } else {
    for (std::uint64_t i = 0; i < 10; ++i) {
      EXPECT_TRUE(receiver.on_packet({type, kChannel, {wide + 90 + i}, 0}, kSize, buffer));
    }
  }
  return receiver.totals().written_off;
}

TEST(DataReceiverGaps, FullSetWritesOffAsMuchForARunAsForItsDatagrams) {
  for (const bool reliable : {false, true}) {
    DataReceiver by_run({.channel = kChannel, .reliable = reliable});
    DataReceiver one_by_one({.channel = kChannel, .reliable = reliable});
    const std::uint64_t expected = written_off_by_late_data(one_by_one, false);
    EXPECT_GT(expected, 0U);
    EXPECT_EQ(written_off_by_late_data(by_run, true), expected);
  }
}

TEST_F(DataReceiverTest, DeadlineIsNeverPassedOnceAllIsPolled) {
  go();
  for (Instant now = kStart; now < kStart + 11s; now += 7ms) {
    (void)receiver->poll_report(now);
    (void)receiver->poll_progress(now);
    (void)receiver->poll_finished(now);
    const auto deadline = receiver->deadline();
    ASSERT_TRUE(!deadline || deadline->at > now);
  }
  EXPECT_TRUE(receiver->finished());
}

}  // namespace data_receiver_test
}  // namespace wyndrvr::engine
