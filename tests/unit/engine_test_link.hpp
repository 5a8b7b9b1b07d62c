// A test's sender and receiver, of either dialect, with a link between them: a token bucket with
// its queue (tc-tbf(8)), delay, jitter that reorders, loss. Whole datagrams, simulated time.
//
// Example:
//   TestLink link({.rate_bps = 300e3});
//   link.run(5s);
//   EXPECT_LT(link.lost_share(), 0.1);
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "engine/batch_buffer.hpp"
#include "engine/data_receiver.hpp"
#include "engine/data_sender.hpp"
#include "engine/stream_receiver.hpp"
#include "engine/stream_sender.hpp"
#include "wire/data_body.hpp"

namespace wyndrvr::engine::testing {

struct TestLinkOptions {
  enum class Kind : std::uint8_t { kDialectOne, kOriginal, kOriginalServer };
  Kind kind = Kind::kDialectOne;
  double rate_bps = 1e12;      // of Ethernet frames
  double burst_octets = 4000;  // the bucket
  double queue_octets = 20e3;  // what waits, and is not dropped
  Duration delay = 100us;      // one way
  Duration jitter{};           // up to so much more, of each datagram on its own: reorders
  Duration report_jitter{};    // of reports
  double loss = 0;
  std::uint32_t payload = 1400;
  std::uint8_t streams = 1;  // that the test has; this is one of them
  std::optional<BitRate> ceiling{};
  std::uint64_t seed = 1;
};

// One direction.
class TokenBucket {
 public:
  TokenBucket(const TestLinkOptions& options, std::uint64_t seed)
      : options_(options), tokens_(options.burst_octets), random_(seed) {}

  // When the datagram arrives; nothing where it does not.
  std::optional<Instant> carry(Instant now, std::size_t payload, Duration jitter) {
    constexpr std::size_t kFrame = 42;
    const auto octets = static_cast<double>(payload + kFrame);
    while (!waiting_.empty() && waiting_.front().leaves <= now) {
      queued_ -= waiting_.front().octets;
      waiting_.pop_front();
    }
    if (queued_ + octets > options_.queue_octets) return std::nullopt;
    const Instant turn = std::max(now, last_left_);
    tokens_ = std::min(options_.burst_octets,
                       tokens_ + to_seconds(turn - last_left_) * options_.rate_bps / 8);
    last_left_ = turn;
    if (tokens_ < octets) {
      last_left_ += from_seconds((octets - tokens_) * 8 / options_.rate_bps);
      tokens_ = octets;
    }
    tokens_ -= octets;
    waiting_.push_back({last_left_, octets});
    queued_ += octets;
    if (random_.chance(options_.loss)) return std::nullopt;
    return last_left_ + options_.delay + from_seconds(random_.unit() * to_seconds(jitter));
  }

 private:
  struct Waiting {
    Instant leaves;
    double octets;
  };
  TestLinkOptions options_;
  double tokens_;
  double queued_ = 0;
  Instant last_left_{1000s};
  std::deque<Waiting> waiting_;
  base::Random random_;
};

class TestLink {
 public:
  static constexpr Instant kBegin{1000s};
  static constexpr ChannelId kStream{1};

  explicit TestLink(const TestLinkOptions& options, Duration duration = 60s)
      : options_(options), data_(options, options.seed), reports_(options, ~options.seed) {
    const Go go{kStream, kBegin, duration};
    if (is_original()) {
      original_sender_.emplace(DataSender::Options{
          .channel = kStream, .packet_size = wire::data_packet_size(options.payload)});
      buffer_.emplace(original_sender_->packet_size(), options.payload);
      const bool extended = options.kind == TestLinkOptions::Kind::kOriginal;
      original_receiver_.emplace(
          DataReceiver::Options{.channel = kStream,
                                .report_interval = 100ms,
                                .progress_interval = extended ? Duration(1s) : Duration(0)});
      original_sender_->on_go(go);
      original_receiver_->on_go(go);
      original_receiver_->on_round_trip(2 * options.delay);
      return;
    }
    TestTerms terms;
    terms.duration = duration;
    terms.payload_bytes = options.payload;
    terms.streams = options.streams;
    terms.rate = options.ceiling;
    flight_.emplace(StreamSender::flight_options(terms));
    const ProtocolConfig protocol;
    sender_.emplace(kStream, wire::PathNonce{7}, StreamSender::Shared{terms, protocol, *flight_});
    receiver_.emplace(kStream, terms, 0);
    buffer_.emplace(options.payload, std::nullopt);
    receiver_->on_go(go);
    sender_->on_go(go);
    receiver_->on_round_trip(2 * options.delay);
  }

  void run(Duration time) {
    for (const Instant end = now_ + time; now_ < end;) {
      const auto next = std::min({next_of(data_under_way_), next_of(reports_under_way_),
                                  sender_deadline(), receiver_deadline(), end});
      now_ = std::clamp(next, now_, end);
      deliver();
      if (next <= last_) now_ += 1us;  // a deadline that stays where it is
      last_ = next;
    }
  }

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] SenderTotals sent() const {
    return sender_ ? sender_->totals() : original_sender_->totals();
  }
  [[nodiscard]] ReceiverTotals received() const {
    return receiver_ ? receiver_->totals() : original_receiver_->totals();
  }
  // Of what was sent.
  [[nodiscard]] double lost_share() const {
    return static_cast<double>(lost_) / static_cast<double>(std::max<std::uint64_t>(sent_, 1));
  }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t datagrams_sent() const { return sent_; }
  [[nodiscard]] std::uint64_t reports_sent() const { return reports_sent_; }
  [[nodiscard]] bool tripped() const { return sender_ && sender_->breaker_tripped(); }
  // What has arrived since `from`, of `from_octets` then, as a share of what the link can carry.
  [[nodiscard]] double used_share(std::uint64_t octets, Duration time) const {
    const auto payload = static_cast<double>(packet_size());
    const double truth = options_.rate_bps * payload / (payload + 42);
    return static_cast<double>(octets) * 8 / to_seconds(time) / truth;
  }
  TestLinkOptions& options() { return options_; }

 private:
  struct Arrival {
    std::array<std::byte, 64> head{};
    std::size_t octets = 0;
  };
  struct Report {
    wire::ReceiverReport one{};
    std::optional<ReceiverProgress> progress{};
    std::vector<wire::ClosedRange> missing{};
    bool is_progress = false;
  };

  [[nodiscard]] bool is_original() const {
    return options_.kind != TestLinkOptions::Kind::kDialectOne;
  }
  [[nodiscard]] std::size_t packet_size() const {
    return is_original() ? original_sender_->packet_size() : options_.payload;
  }
  template <class Map>
  static Instant next_of(const Map& map) {
    return map.empty() ? Instant::max() : map.begin()->first;
  }
  static Instant at(const std::optional<Deadline>& deadline) {
    return deadline ? deadline->at : Instant::max();
  }
  [[nodiscard]] Instant sender_deadline() const {
    return at(sender_ ? sender_->deadline(now_) : original_sender_->deadline(now_));
  }
  [[nodiscard]] Instant receiver_deadline() const {
    return at(receiver_ ? receiver_->deadline() : original_receiver_->deadline());
  }

  void deliver() {
    for (; next_of(data_under_way_) <= now_; data_under_way_.erase(data_under_way_.begin())) {
      take(data_under_way_.begin()->second);
    }
    report();
    for (; next_of(reports_under_way_) <= now_;
         reports_under_way_.erase(reports_under_way_.begin())) {
      tell(reports_under_way_.begin()->second);
    }
    send();
  }

  void take(const Arrival& arrival) {
    Datagram datagram;
    datagram.arrival = now_;
    if (receiver_) {
      const auto packet = wire::parse_path_packet(arrival.head);
      (void)receiver_->on_packet(*packet, arrival.octets, datagram);
    } else {
      const auto packet = wire::parse_packet(arrival.head);
      (void)original_receiver_->on_packet(packet->header, arrival.octets, datagram);
    }
  }

  void send_report(Report report, std::size_t octets) {
    ++reports_sent_;
    const auto arrives = reports_.carry(now_, octets, options_.report_jitter);
    if (arrives) reports_under_way_.emplace(*arrives, std::move(report));
  }
  void report() {
    if (receiver_) {
      while (auto due = receiver_->poll_report(now_)) {
        due->ranges = {};
        send_report({.one = *due}, 146);
      }
      return;
    }
    if (const auto missing = original_receiver_->poll_report(now_)) {
      send_report({.missing = {missing->begin(), missing->end()}}, 24 + 16 * missing->size());
    }
    if (const auto progress = original_receiver_->poll_progress(now_)) {
      send_report({.progress = *progress, .is_progress = true}, 200);
    }
  }
  void tell(const Report& report) {
    if (sender_) {
      (void)sender_->on_report(now_, report.one);
    } else if (report.is_progress) {
      if (report.progress->granted) original_sender_->on_granted(*report.progress->granted);
      original_sender_->on_receiver_progress(now_, report.progress->totals);
    } else {
      original_sender_->on_report(now_, report.missing);
    }
  }

  void send() {
    while (const auto batch = sender_ ? sender_->poll(now_, *buffer_, DataSender::kMaxBatchPackets)
                                      : original_sender_->poll(now_, *buffer_)) {
      for (std::size_t offset = 0; offset < batch->bytes.size(); offset += batch->segment_size) {
        const auto bytes = batch->bytes.subspan(offset, batch->segment_size);
        ++sent_;
        const auto arrives = data_.carry(now_, bytes.size(), options_.jitter);
        if (!arrives) {
          ++lost_;
          continue;
        }
        Arrival arrival{.octets = bytes.size()};
        std::copy_n(bytes.begin(), arrival.head.size(), arrival.head.begin());
        data_under_way_.emplace(*arrives, arrival);
      }
    }
  }

  TestLinkOptions options_;
  TokenBucket data_;
  TokenBucket reports_;
  std::optional<FlightLimit> flight_;
  std::optional<StreamSender> sender_;
  std::optional<StreamReceiver> receiver_;
  std::optional<DataSender> original_sender_;
  std::optional<DataReceiver> original_receiver_;
  std::optional<BatchBuffer> buffer_;
  std::multimap<Instant, Arrival> data_under_way_;
  std::multimap<Instant, Report> reports_under_way_;
  Instant now_ = kBegin;
  Instant last_ = kBegin - 1s;
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t reports_sent_ = 0;
};

}  // namespace wyndrvr::engine::testing
