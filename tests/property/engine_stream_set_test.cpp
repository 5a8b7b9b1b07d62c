// The streams of a test report and finish together as each would by itself, with the test's begin
// told to all: that a set asks only those that have changed does not show.
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/stream_set.hpp"
#include "unit/engine_test_support.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::engine {
namespace stream_set_test {

using namespace testing;

constexpr Duration kSetTest = 500ms;
constexpr std::uint32_t kSetPayload = 1000;

// The set, and its receivers by themselves, of which all are asked each time.
class SetAndStreams {
 public:
  explicit SetAndStreams(const TestTerms& terms)
      : set_({.plan = {}, .terms = terms, .protocol = {}}), sequence_(terms.streams) {
    for (std::size_t i = 0; i < terms.streams; ++i) {
      streams_.emplace_back(stream_channel(i), terms, 0);
      streams_.back().share_least_transit(least_transit_);
    }
    RC_ASSERT(!set_.poll_report(now).has_value());
    RC_ASSERT(!set_.deadline(now).has_value());
    const Go go{{}, now, kSetTest};
    set_.on_go(go);
    for (StreamReceiver& stream : streams_) stream.on_go(go);
  }

  // A buffer that came some time ago.
  void receive(std::size_t stream, std::uint64_t count, Duration waited) {
    std::array<std::byte, wire::kDataTimeSize> body{};
    wire::PathPacket packet;
    packet.header = {wire::PathType::kData, stream_channel(stream), {sequence_[stream]}, 0};
    packet.body = body;
    Datagram datagram;
    datagram.arrival = now - waited;
    count = std::min(count, set_.granted_from(stream, sequence_[stream], kSetPayload));
    RC_ASSERT(streams_[stream].granted_from(sequence_[stream], kSetPayload) >= count);
    const bool taken = set_.on_data(now, stream, packet, kSetPayload, datagram).has_value();
    RC_ASSERT(streams_[stream].on_packet(packet, kSetPayload, datagram).has_value() == taken);
    RC_ASSERT(!taken || count > 0);
    if (taken && (!begin_ || datagram.arrival < *begin_)) {
      begin_ = datagram.arrival;
      for (StreamReceiver& each : streams_) each.on_test_begun(*begin_);
    }
    read_at_ = now;
    if (count > 0) ++sequence_[stream];
    if (taken && count > 1) {
      const DataRun run{
          {{}, packet.header.channel, {sequence_[stream]}, 0}, count - 1, kSetPayload};
      RC_ASSERT(set_.on_run(stream, run, datagram) == count - 1);
      RC_ASSERT(streams_[stream].on_run(run, datagram) == count - 1);
      sequence_[stream] += count - 1;
    }
    compare();
  }
  void on_round_trip(Duration round_trip) {
    set_.on_round_trip(round_trip);
    least_ = std::min(least_.value_or(round_trip), round_trip);
    for (StreamReceiver& stream : streams_) stream.on_round_trip(*least_);
    compare();
  }
  void stop() {
    set_.stop(now);
    for (StreamReceiver& stream : streams_) stream.stop(now);
    compare();
  }
  void wait(Duration time) {
    now += time;
    compare();
  }
  [[nodiscard]] bool finished() const { return finished_; }

  Instant now = kStart;

 private:
  void compare() {
    set_.poll_messages(now, mail_);
    bool all = true;
    for (StreamReceiver& stream : streams_) {
      stream.on_read(read_at_);
      (void)stream.poll_finished(now);
      all = all && stream.finished();
    }
    for (const Outgoing& told : take_all(mail_)) {
      finished_ = finished_ || std::holds_alternative<TestFinished>(told.message);
    }
    RC_ASSERT(finished_ == all);
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      while (const auto report = streams_[i].poll_report(now)) {
        const auto also = set_.poll_report(now);
        RC_ASSERT(also.has_value());
        RC_ASSERT(also->stream == i);
        RC_ASSERT(also->report.number == report->number);
        RC_ASSERT(also->report.granted == report->granted);
        RC_ASSERT(also->report.figures == report->figures);
      }
    }
    RC_ASSERT(!set_.poll_report(now).has_value());
    std::optional<Deadline> deadline;
    for (const StreamReceiver& stream : streams_) deadline = earlier(deadline, stream.deadline());
    const auto told = set_.deadline(now);
    RC_ASSERT(told.has_value() == deadline.has_value());
    RC_ASSERT(!told || told->at == deadline->at);
  }

  StreamSet set_;
  std::vector<StreamReceiver> streams_;
  std::vector<std::uint64_t> sequence_;
  Mail mail_{Mailbox::kUpload};
  std::optional<Duration> least_;
  std::optional<Duration> least_transit_;
  std::optional<Instant> begin_;
  Instant read_at_;
  bool finished_ = false;
};

RC_GTEST_PROP(StreamSet, ReportsAndFinishesAsItsStreamsByThemselves, ()) {
  TestTerms terms;
  terms.payload_bytes = kSetPayload;
  terms.streams = static_cast<std::uint8_t>(*rc::gen::inRange(1, 5));
  terms.reliable = *rc::gen::arbitrary<bool>();
  SetAndStreams both(terms);
  const int steps = *rc::gen::inRange(1, 150);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 40)) {
      case 0:
        both.on_round_trip(1us * *rc::gen::inRange(1, 200'000));
        break;
      case 1:
        if (*rc::gen::inRange(0, 4) == 0) both.stop();
        break;
      default:
        both.receive(*rc::gen::inRange<std::size_t>(0, terms.streams),
                     *rc::gen::element<std::uint64_t>(1, 46, 2000),
                     1us * *rc::gen::element(0, 10, 60'000));
        break;
    }
    both.wait(1us * *rc::gen::element(0, 20, 500, 3'000, 20'000));
  }
  for (int i = 0; i < 300; ++i) both.wait(10ms);
  RC_ASSERT(both.finished());
}

}  // namespace stream_set_test
}  // namespace wyndrvr::engine
