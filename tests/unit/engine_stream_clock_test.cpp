// All streams of a test have one clock: it lasts as long as it was to, whenever each of them
// begins.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/stream_set.hpp"
#include "unit/engine_path_support.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/path_data.hpp"
#include "wire/receiver_report.hpp"

namespace wyndrvr::engine {
namespace stream_clock_test {

using namespace testing;
using wire::Directions;

constexpr std::uint32_t kPayload = 1000;
constexpr Duration kTestTime = 1s;
constexpr Instant kNever = Instant::max();

StreamSet::Options set_options(std::uint8_t streams, bool sends) {
  StreamSet::Options options;
  options.terms.duration = kTestTime;
  options.terms.payload_bytes = kPayload;
  options.terms.streams = streams;
  options.terms.rate = BitRate{8e5 * streams};  // 100 datagrams a second on each
  options.terms.adaptive = false;
  options.sends = sends;
  return options;
}

// --- senders ---
class Senders {
 public:
  explicit Senders(const StreamSet::Options& options)
      : sent(options.terms.streams), set_(options), next_report_(options.terms.streams, kStart) {
    for (std::size_t i = 0; i < options.terms.streams; ++i) set_.set_path(i, wire::PathNonce{i});
  }
  void go() { set_.on_go({{}, now, kTestTime}); }
  // Reports of the stream come every 50 ms from `at` on.
  void report_from(std::size_t stream, Instant at) { next_report_[stream] = at; }
  void report(std::size_t stream) {
    std::array<std::byte, wire::receiver_report_size(0)> body{};
    wire::ReceiverReport report;
    report.number = ++number_;
    report.granted = ByteCount{1'000'000};
    report.valid_for = wire::kMaxGrantValidity;
    report.figures.expected = report.figures.unique = report.figures.datagrams = sent[stream];
    (void)wire::write_receiver_report(body, report);
    wire::PathPacket packet;
    packet.header = {wire::PathType::kReport, stream_channel(stream), {number_}, 0};
    packet.body = body;
    EXPECT_TRUE(set_.on_report(now, stream, packet));
  }
  void run_until(Instant end) {
    for (; now < end && !finished_at; now += 1ms) {
      for (std::size_t i = 0; i < sent.size(); ++i) {
        if (now < next_report_[i]) continue;
        report(i);
        next_report_[i] = now + 50ms;
      }
      while (const auto batch = set_.poll_data(now, 1)) {
        ++sent[batch->stream];
        last_sent = now;
      }
      set_.poll_messages(now, mail_);
      for (const Outgoing& told : take_all(mail_)) {
        if (std::holds_alternative<SenderFinished>(told.message)) finished_at = now;
        stopped = stopped || std::holds_alternative<TestBroken>(told.message);
      }
    }
  }

  Instant now = kStart;
  std::vector<std::uint64_t> sent;
  Instant last_sent;
  std::optional<Instant> finished_at;
  bool stopped = false;

 private:
  StreamSet set_;
  std::vector<Instant> next_report_;
  std::uint32_t number_ = 0;
  Mail mail_{Mailbox::kUpload};
};

TEST(StreamClock, SendersThatBeginLateSendForWhatIsLeft) {
  Senders streams(set_options(4, true));
  streams.report_from(0, kStart + 20ms);
  streams.report_from(1, kStart + 720ms);
  streams.report_from(2, kStart + 1100ms);  // too late: it has sent nothing, and sends nothing
  streams.report_from(3, kNever);
  streams.go();
  streams.run_until(kStart + 5s);
  ASSERT_TRUE(streams.finished_at);
  EXPECT_EQ(*streams.finished_at, kStart + 20ms + kTestTime);
  EXPECT_LT(streams.last_sent, *streams.finished_at);
  EXPECT_EQ(streams.sent[0], 100U);
  EXPECT_GE(streams.sent[1], 29U);
  EXPECT_LE(streams.sent[1], 30U);
  EXPECT_EQ(streams.sent[2], 0U);
  EXPECT_EQ(streams.sent[3], 0U);
  EXPECT_FALSE(streams.stopped);
}

TEST(StreamClock, GrantThatWasThereBeforeGoBeginsTheTest) {
  Senders streams(set_options(2, true));
  streams.report(1);
  streams.report_from(0, kStart + 50ms);
  streams.report_from(1, kStart + 50ms);
  streams.now = kStart + 5ms;
  streams.go();
  streams.run_until(kStart + 5s);
  EXPECT_EQ(streams.finished_at, kStart + 5ms + kTestTime);
  EXPECT_EQ(streams.sent[1], 100U);
}

TEST(StreamClock, GrantThatWasOverBeforeGoBeginsNothing) {
  Senders streams(set_options(2, true));
  streams.report(1);
  for (const std::size_t stream : {0, 1}) streams.report_from(stream, kStart + 400ms);
  streams.now = kStart + 250ms;
  streams.go();
  streams.run_until(kStart + 5s);
  EXPECT_EQ(streams.finished_at, kStart + 400ms + kTestTime);
}

TEST(StreamClock, SendersWithoutAnyGrantGiveUpTogether) {
  Senders streams(set_options(3, true));
  for (const std::size_t stream : {0, 1, 2}) streams.report_from(stream, kNever);
  streams.go();
  streams.run_until(kStart + 10s);
  EXPECT_EQ(streams.finished_at, kStart + kTestTime + 2s);
}

// The receiver is told where time is left, and only there.
TEST(StreamClock, OctetsEndATestEarlyByItsOwnClock) {
  for (const bool early : {true, false}) {
    StreamSet::Options options = set_options(2, true);
    options.terms.octets = ByteCount{2 * 50 * kPayload};
    Senders streams(options);
    // Behind the time that there was at Go.
    streams.report_from(0, kStart + 900ms);
    streams.report_from(1, kStart + (early ? 1000ms : 1700ms));
    streams.go();
    streams.run_until(kStart + 5s);
    ASSERT_TRUE(streams.finished_at);
    EXPECT_EQ(streams.stopped, early);
    EXPECT_EQ(streams.sent[0], 50U);
    if (early) {
      EXPECT_LT(*streams.finished_at, kStart + 1600ms);
      EXPECT_EQ(streams.sent[1], 50U);
    } else {
      EXPECT_EQ(*streams.finished_at, kStart + 900ms + kTestTime);
      EXPECT_LE(streams.sent[1], 20U);
    }
  }
}

// --- receivers ---
void receive(StreamSet& set, std::size_t stream, std::uint64_t number, Instant at) {
  const std::array<std::byte, wire::kDataTimeSize> time{};
  wire::PathPacket packet;
  packet.header = {wire::PathType::kData, stream_channel(stream), {number}, 0};
  packet.body = time;
  Datagram datagram;
  datagram.arrival = at;
  EXPECT_TRUE(set.on_data(at, stream, packet, kPayload, datagram));
}

bool finishes(StreamSet& set, Instant at) {
  Mail mail(Mailbox::kDownload);
  set.poll_messages(at, mail);
  return only<TestFinished>(take_all(mail)).has_value();
}

TEST(StreamClock, ReceiversEndByTheFirstDatagramOfAll) {
  StreamSet set(set_options(3, false));
  set.on_go({{}, kStart, kTestTime});
  while (set.poll_report(kStart)) {
  }
  receive(set, 1, 0, kStart + 50ms);
  receive(set, 0, 0, kStart + 980ms);  // nothing comes by the third
  const Instant end = kStart + 50ms + kTestTime;
  EXPECT_FALSE(finishes(set, end + DataReceiver::kQuiet - 1ns));
  EXPECT_TRUE(finishes(set, end + DataReceiver::kQuiet));
}

TEST(StreamClock, ReceiversDrainAsLongAsAnyOfThemReceives) {
  StreamSet set(set_options(2, false));
  set.on_go({{}, kStart, kTestTime});
  while (set.poll_report(kStart)) {
  }
  receive(set, 0, 0, kStart);
  const Instant last = kStart + kTestTime + 90ms;
  receive(set, 1, 0, last);
  EXPECT_FALSE(finishes(set, last + DataReceiver::kQuiet - 1ns));
  EXPECT_TRUE(finishes(set, last + DataReceiver::kQuiet));
}

// --- whole sessions ---
class LateStreams : public ::testing::TestWithParam<std::tuple<PortKind, bool, bool, bool>> {};

// Of four streams, three are late: one by most of the test, one by more than all of it, and the
// reports of the last one never arrive.
TEST_P(LateStreams, TestEndsInItsTimeAndBothEndsAgree) {
  const auto [direction, single_port, adaptive, octets] = GetParam();
  TestTerms terms =
      path_terms(direction == PortKind::kUpload ? Directions::kUpload : Directions::kDownload);
  terms.streams = 4;
  terms.duration = 4s;
  terms.rate = BitRate{2e6};
  terms.single_port = single_port;
  terms.adaptive = adaptive;
  if (octets) terms.octets = ByteCount{4'000'000};
  PathSession session({.terms = terms});
  ASSERT_TRUE(session.prove());
  const Instant begin = session.now;
  const std::array<Instant, 4> from = {begin, begin + 3s, begin + 5s, kNever};
  const auto stream_of = [](const Flight& flight) {
    return base::load_big_endian(as_bytes(flight.bytes).data() + 1, 3) - wire::kFirstStreamChannel;
  };
  session.net.lose([&](const Flight& flight) {
    return flight.type() == wire::PathType::kReport && flight.sent < from.at(stream_of(flight));
  });
  session.start_all();
  ASSERT_TRUE(session.finish_tests());
  const Instant over = begin + 4s + 200ms;  // round trips before the first report
  EXPECT_LE(*session.net.truth(direction).last_sent, over);
  EXPECT_LE(session.now, over + 500ms);
  expect_truth(session, direction);
  EXPECT_EQ(session.count<TestFailed>(Side::kClient), 0U);
  std::array<std::uint64_t, 4> sent{};
  for (const Flight& flight : session.net.sent()) {
    if (flight.is_data()) ++sent.at(stream_of(flight));
  }
  EXPECT_GT(sent[0], sent[1]);
  EXPECT_GT(sent[1], 0U);
  EXPECT_EQ(sent[2] + sent[3], 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LateStreams,
    ::testing::Combine(::testing::Values(PortKind::kUpload, PortKind::kDownload), ::testing::Bool(),
                       ::testing::Bool(), ::testing::Bool()));

}  // namespace stream_clock_test
}  // namespace wyndrvr::engine
