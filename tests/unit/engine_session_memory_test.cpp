// What hostile senders can make receivers hold (docs/THREAT_MODEL.md, "Memory").
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "engine/gap_ledger.hpp"
#include "engine/port_actor.hpp"
#include "engine/stream_set.hpp"
#include "seq/gap_set.hpp"
#include "unit/allocation_counter.hpp"
#include "unit/engine_actor_support.hpp"
#include "wire/path_data.hpp"
#include "wire/receiver_report.hpp"

namespace wyndrvr::engine {
namespace {

using namespace testing;
using wyndrvr::testing::allocations_during;
using wyndrvr::testing::octets_held;

constexpr Duration kHostileTest = 1h;

// A piece of malloc's is at times a little larger than was asked for.
constexpr std::uint64_t with_slack(std::uint64_t octets) {
  return octets * 101 / 100;
}

TestTerms hostile_terms() {
  TestTerms terms;
  terms.directions = wire::Directions::kUpload;
  terms.payload_bytes = wire::kMinPathDataSize;
  terms.streams = 64;
  terms.reliable = true;
  return terms;
}

// The receivers of one session, and a sender that skips every second number.
class HostileSession {
 public:
  explicit HostileSession(std::size_t max_gaps)
      : set_({.plan = {}, .terms = hostile_terms(), .protocol = {}, .max_gaps = max_gaps}) {
    set_.on_go({{}, now_, kHostileTest});
  }

  // As much as is granted to all streams between two reports; returns how many were taken.
  std::uint64_t send_what_is_granted() {
    now_ += 50ms;
    while (set_.poll_report(now_)) {
    }
    std::uint64_t taken = 0;
    for (std::size_t stream = 0; stream < next_.size(); ++stream) {
      while (send(stream)) ++taken;
    }
    return taken;
  }
  bool send(std::size_t stream) {
    wire::PathPacket packet;
    packet.header = {wire::PathType::kData, stream_channel(stream), {next_[stream]}, 0};
    packet.body = time_;
    Datagram datagram;
    datagram.arrival = now_;
    const auto verdict = set_.on_data(now_, stream, packet, wire::kMinPathDataSize, datagram);
    if (verdict) next_[stream] += 2;
    if (!verdict) refusal_ = verdict.error();
    return verdict.has_value();
  }
  [[nodiscard]] wire::DropReason refusal() const { return refusal_; }

 private:
  StreamSet set_;
  Instant now_ = kStart;
  std::vector<std::uint64_t> next_ = std::vector<std::uint64_t>(64, 1);
  std::array<std::byte, wire::kDataTimeSize> time_{};
  wire::DropReason refusal_{};
};

TEST(SessionMemory, HostileSendersOfManySessionsStayBelowTheStatedBound) {
  constexpr std::size_t kOthers = 30;  // that have come before, so that the shares are small
  constexpr std::size_t kSessions = 8;
  constexpr std::uint64_t kDatagrams = 20'000;  // of each: more than its share has gaps
  GapLedger ledger;
  std::size_t all_shares = 0;
  for (std::size_t i = 0; i < kOthers; ++i) all_shares += ledger.take(i, std::nullopt);
  std::size_t share = 0;
  std::vector<std::unique_ptr<HostileSession>> sessions;
  for (std::size_t i = kOthers; i < kOthers + kSessions; ++i) {
    const std::size_t own = ledger.take(i, std::nullopt);
    EXPECT_LT(own, kDatagrams / 2);
    share += own;
    sessions.push_back(std::make_unique<HostileSession>(own));
  }
  all_shares += share;
  const std::uint64_t before = octets_held();
  for (const auto& session : sessions) {
    for (std::uint64_t sent = 0; sent < kDatagrams;) sent += session->send_what_is_granted();
  }
  const std::uint64_t held = octets_held() - before;
  EXPECT_LE(held, with_slack(share * seq::GapSet::kOctetsPerGap));
  EXPECT_LE(all_shares, (kOthers + kSessions) * kLeastSessionGaps + kCommonGaps);
  EXPECT_GE(held, share * seq::GapSet::kOctetsPerGap / 2) << "the bound was not reached";
  // And from now on nothing is allocated, whatever comes.
  EXPECT_EQ(allocations_during([&] { sessions.front()->send_what_is_granted(); }), 0U);
}

TEST(SessionMemory, DataBeyondTheGrantIsNotTaken) {
  HostileSession session(kMostSessionGaps);
  EXPECT_FALSE(session.send(0)) << "nothing is granted before the first report";
  EXPECT_EQ(session.refusal(), wire::DropReason::kBeyondGrant);
  EXPECT_GT(session.send_what_is_granted(), 0U);
  EXPECT_EQ(session.refusal(), wire::DropReason::kBeyondGrant);
}

// In 0.14 nothing but its own good will bounds what a client sends.
TEST(SessionMemory, HostileOriginalClientStaysBelowItsShare) {
  PortConfig config = actor_config(Side::kServer, PortKind::kUpload);
  config.max_gaps = kLeastSessionGaps;
  Rig server(config);
  server.tell(StartTest{some_plan()});
  server.tell(Go{kChannel, kStart, kHostileTest});
  auto skip_one = [&server, next = std::uint64_t{1}]() mutable {
    const std::string data = packet({wire::MessageType::kBandwidthTest, kChannel, {next}, 0}, "");
    EXPECT_TRUE(server.receive(data));
    next += 2;
  };
  skip_one();
  const std::uint64_t before = octets_held();
  for (std::size_t i = 0; i < 2 * kLeastSessionGaps; ++i) skip_one();
  EXPECT_LE(octets_held() - before, with_slack(kLeastSessionGaps * seq::GapSet::kOctetsPerGap));
}

// The sending half of a test whose receivers tell that they miss every second number, and grant
// nothing more.
class HostileReceivers {
 public:
  HostileReceivers() : set_({.plan = {}, .terms = fast_terms(), .protocol = {}, .sends = true}) {
    set_.on_go({{}, now_, kHostileTest});
    for (std::size_t stream = 0; stream < 64; ++stream) set_.set_path(stream, {stream});
  }

  void grant(ByteCount octets) {
    for (std::size_t stream = 0; stream < 64; ++stream) {
      report(stream, octets, {});
    }
    ++number_;
    for (int i = 0; i < 100; ++i) {
      now_ += 1ms;
      while (set_.poll_data(now_, PortActor::kMaxBatchPackets)) {
      }
    }
  }
  // Ten of these are what it takes to declare something lost.
  void report_missing(std::uint64_t begin) {
    now_ += StreamSender::kLossInterval;
    std::array<wire::ClosedRange, wire::kMaxReportRanges> missing;
    for (std::size_t i = 0; i < missing.size(); ++i) {
      missing[i] = {begin + 2 * i, begin + 2 * i};
    }
    for (std::size_t stream = 0; stream < 64; ++stream) report(stream, {0}, missing);
    ++number_;
  }
  [[nodiscard]] SenderTotals totals() const { return set_.sender_totals().value(); }

 private:
  static TestTerms fast_terms() {
    TestTerms terms = hostile_terms();
    terms.rate = BitRate{10e9};
    terms.adaptive = false;
    return terms;
  }
  void report(std::size_t stream, ByteCount granted, std::span<const wire::ClosedRange> missing) {
    wire::ReceiverReport report;
    report.number = number_;
    report.granted = granted;
    report.valid_for = wire::kMaxGrantValidity;
    report.ranges = missing;
    const std::size_t size = wire::write_receiver_report(body_, report);
    wire::PathPacket packet;
    packet.header = {wire::PathType::kReport, stream_channel(stream), {number_}, 0};
    packet.body = ByteView(body_).first(size);
    EXPECT_TRUE(set_.on_report(now_, stream, packet));
  }

  StreamSet set_;
  Instant now_ = kStart;
  std::uint32_t number_ = 1;
  std::array<std::byte, wire::kMaxPacketSize> body_{};
};

TEST(SessionMemory, HostileReceiversMakeASenderHoldAMegabyteAtMost) {
  constexpr std::uint64_t kNumbers = 2048;  // of each stream, in flight
  HostileReceivers receivers;
  for (std::uint64_t sent = 1; sent <= 16; ++sent) {
    receivers.grant({sent * kNumbers / 16 * wire::kMinPathDataSize});
  }
  ASSERT_EQ(receivers.totals().packets, 64 * kNumbers);
  const std::uint64_t before = octets_held();
  for (std::uint64_t begin = 0; begin + 128 <= kNumbers; begin += 128) {
    for (int i = 0; i < 10; ++i) receivers.report_missing(begin);
  }
  EXPECT_GT(receivers.totals().reported_lost, 64 * StreamSender::kLeastWaitingRanges / 2);
  EXPECT_LE(octets_held() - before, 1U << 20U);
}

}  // namespace
}  // namespace wyndrvr::engine
