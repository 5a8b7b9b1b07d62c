// What the streams of a test come to together.
#include <array>
#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

#include "engine/stream_set.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;

constexpr std::uint32_t kSetPayload = 1400;
constexpr Duration kSetDuration = 1s;

class Receivers : public ::testing::Test {
 protected:
  static StreamSet::Options options_for(std::uint8_t streams) {
    StreamSet::Options options;
    options.terms.payload_bytes = kSetPayload;
    options.terms.streams = streams;
    return options;
  }
  void begin(std::uint8_t streams) {
    set.emplace(options_for(streams));
    set->on_go({{}, kStart, kSetDuration});
    while (set->poll_report(kStart)) {
    }
  }
  void receive(std::size_t stream, std::uint64_t number, Duration at) {
    const std::array<std::byte, wire::kDataTimeSize> time{};
    wire::PathPacket packet;
    packet.header = {wire::PathType::kData, stream_channel(stream), {number}, 0};
    packet.body = time;
    Datagram datagram;
    datagram.arrival = kStart + at;
    EXPECT_TRUE(set->on_data(kStart + at, stream, packet, kSetPayload, datagram));
  }
  ReceiverTotals result() {
    set->poll_messages(kStart + kSetDuration + DataReceiver::kMaxDrain + 2s, mail);
    const auto finished = only<TestFinished>(take_all(mail));
    return finished ? finished->totals : ReceiverTotals();
  }

  std::optional<StreamSet> set;
  Mail mail{Mailbox::kDownload};
};

// 64 streams at 1 Mbit/s in all, which take turns: two of each stream at most, 717 ms apart.
TEST_F(Receivers, DurationIsFromTheFirstToTheLastDatagramOfAllStreams) {
  begin(64);
  constexpr Duration kGap = 11'200us;
  for (std::uint64_t i = 0; i < 90; ++i) {
    receive(i % 64, i / 64, 5ms + kGap * static_cast<std::int64_t>(i));
  }
  const ReceiverTotals totals = result();
  EXPECT_EQ(totals.packets, 90U);
  EXPECT_EQ(totals.first_to_last, 89 * kGap);
  ASSERT_TRUE(totals.rate());
  EXPECT_NEAR(totals.rate()->bps, 1e6, 1);
}

TEST_F(Receivers, StreamsOfOneDatagramEachHaveADurationTogether) {
  begin(4);
  for (std::size_t i = 0; i < 4; ++i) {
    receive(i, 0, 100ms * static_cast<std::int64_t>(3 - i));
  }
  const ReceiverTotals totals = result();
  EXPECT_EQ(totals.first_to_last, 300ms) << "in whichever order they began";
  ASSERT_TRUE(totals.rate());
  EXPECT_NEAR(totals.rate()->bps, 8.0 * kSetPayload / 0.1, 1);
}

TEST_F(Receivers, AStreamThatNothingCameByChangesNothing) {
  begin(3);
  receive(1, 0, 10ms);
  receive(1, 1, 20ms);
  EXPECT_EQ(result().first_to_last, 10ms);
}

TEST_F(Receivers, ASingleDatagramHasNoDuration) {
  begin(2);
  receive(0, 0, 10ms);
  const ReceiverTotals totals = result();
  EXPECT_EQ(totals.packets, 1U);
  EXPECT_EQ(totals.first_to_last, 0ns);
  EXPECT_FALSE(totals.rate());
}

}  // namespace
}  // namespace wyndrvr::engine
