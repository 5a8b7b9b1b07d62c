// Several streams of dialect 1, in either direction or in both, through one link: each direction's
// token bucket carries the data of its streams and the reports of the other direction's. Simulated
// time.
//
// Example:
//   TestFlows flows({.rate_bps = 300e3}, {.rate_bps = 300e3}, {.forth = 16});
//   flows.run(5s);
//   EXPECT_LT(flows.forth().lost_share(), 0.1);
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/batch_buffer.hpp"
#include "engine/stream_receiver.hpp"
#include "engine/stream_sender.hpp"
#include "unit/engine_test_link.hpp"

namespace wyndrvr::engine::testing {

class TestFlows {
 public:
  static constexpr Instant kBegin{1000s};
  // How many streams send, each way.
  struct Streams {
    std::uint8_t forth = 0;
    std::uint8_t back = 0;
  };
  // What the streams of one direction came to.
  struct Figures {
    std::uint64_t sent = 0;
    std::uint64_t lost = 0;
    std::uint64_t octets = 0;  // received
    [[nodiscard]] double lost_share() const {
      return static_cast<double>(lost) / static_cast<double>(std::max<std::uint64_t>(sent, 1));
    }
  };

  TestFlows(const TestLinkOptions& forth, const TestLinkOptions& back, Streams streams)
      : forth_(forth, back, streams.forth), back_(back, forth, streams.back) {
    forth_.way = std::make_unique<TokenBucket>(forth, forth.seed);
    back_.way = std::make_unique<TokenBucket>(back, ~back.seed);
  }

  void run(Duration time) {
    for (const Instant end = now_ + time; now_ < end;) {
      Instant next = end;
      for (Direction* way : {&forth_, &back_}) next = std::min(next, way->next(now_));
      now_ = std::clamp(next, now_, end);
      step(forth_, *back_.way);
      step(back_, *forth_.way);
      if (next <= last_) now_ += 1us;  // a deadline that stays where it is
      last_ = next;
    }
  }

  [[nodiscard]] const Figures& forth() const { return forth_.figures; }
  [[nodiscard]] const Figures& back() const { return back_.figures; }
  // What has arrived since there were `octets`, as a share of what the way can carry.
  [[nodiscard]] double used_forth(std::uint64_t octets, Duration time) const {
    return forth_.used(octets, time);
  }
  [[nodiscard]] double used_back(std::uint64_t octets, Duration time) const {
    return back_.used(octets, time);
  }

 private:
  struct Arrival {
    std::size_t stream = 0;
    std::size_t octets = 0;
    std::array<std::byte, 64> head{};
  };
  struct Report {
    std::size_t stream = 0;
    wire::ReceiverReport one{};
  };

  struct Direction {
    Direction(const TestLinkOptions& link, const TestLinkOptions& reverse, std::uint8_t streams)
        : options(link), buffer(link.payload, std::nullopt) {
      if (streams == 0) return;
      terms.duration = 60s;
      terms.payload_bytes = link.payload;
      terms.streams = streams;
      flight.emplace(StreamSender::flight_options(terms));
      const Go go{ChannelId{1}, kBegin, terms.duration};
      receivers.reserve(streams);
      for (std::uint8_t i = 0; i < streams; ++i) {
        const ChannelId channel{static_cast<std::uint8_t>(wire::kFirstStreamChannel + i)};
        auto& sender = senders.emplace_back(std::make_unique<StreamSender>(
            channel, wire::PathNonce{7}, StreamSender::Shared{terms, protocol, *flight}));
        receivers.push_back(std::make_unique<StreamReceiver>(channel, terms, 0));
        receivers.back()->share_least_transit(least_transit);
        receivers.back()->on_go(go);
        receivers.back()->on_round_trip(link.delay + reverse.delay);
        sender->on_go(go);
      }
    }
    [[nodiscard]] Instant next(Instant now) const {
      Instant next = Instant::max();
      if (!data.empty()) next = std::min(next, data.begin()->first);
      if (!reports.empty()) next = std::min(next, reports.begin()->first);
      for (const auto& sender : senders) {
        if (const auto at = sender->deadline(now)) next = std::min(next, at->at);
      }
      for (const auto& receiver : receivers) {
        if (const auto at = receiver->deadline()) next = std::min(next, at->at);
      }
      return next;
    }
    [[nodiscard]] double used(std::uint64_t before, Duration time) const {
      const double payload = options.payload;
      const double most = options.rate_bps * payload / (payload + 42) * to_seconds(time);
      return static_cast<double>(figures.octets - before) * 8 / most;
    }

    TestLinkOptions options;
    TestTerms terms;
    ProtocolConfig protocol;
    std::optional<FlightLimit> flight;
    std::vector<std::unique_ptr<StreamSender>> senders;
    std::vector<std::unique_ptr<StreamReceiver>> receivers;
    std::optional<Duration> least_transit;
    BatchBuffer buffer;
    std::unique_ptr<TokenBucket> way;
    std::multimap<Instant, Arrival> data;
    std::multimap<Instant, Report> reports;
    std::size_t turn = 0;
    Figures figures;
  };

  void step(Direction& way, TokenBucket& reverse) {
    for (; !way.data.empty() && way.data.begin()->first <= now_; way.data.erase(way.data.begin())) {
      const Arrival& arrival = way.data.begin()->second;
      Datagram datagram;
      datagram.arrival = now_;
      const auto packet = wire::parse_path_packet(arrival.head);
      (void)way.receivers[arrival.stream]->on_packet(*packet, arrival.octets, datagram);
      way.figures.octets += arrival.octets;
    }
    for (std::size_t i = 0; i < way.receivers.size(); ++i) {
      while (auto due = way.receivers[i]->poll_report(now_)) {
        due->ranges = {};
        const auto arrives = reverse.carry(now_, kReportOctets, Duration(0));
        if (arrives) way.reports.emplace(*arrives, Report{i, *due});
      }
    }
    for (; !way.reports.empty() && way.reports.begin()->first <= now_;
         way.reports.erase(way.reports.begin())) {
      const Report& report = way.reports.begin()->second;
      (void)way.senders[report.stream]->on_report(now_, report.one);
    }
    while (send(way)) {
    }
  }

  // One batch of the next stream that has one.
  bool send(Direction& way) {
    for (std::size_t i = 0; i < way.senders.size(); ++i) {
      const std::size_t stream = way.turn;
      way.turn = (way.turn + 1) % way.senders.size();
      const auto batch = way.senders[stream]->poll(now_, way.buffer, DataSender::kMaxBatchPackets);
      if (!batch) continue;
      for (std::size_t offset = 0; offset < batch->bytes.size(); offset += batch->segment_size) {
        const auto bytes = batch->bytes.subspan(offset, batch->segment_size);
        ++way.figures.sent;
        const auto arrives = way.way->carry(now_, bytes.size(), Duration(0));
        if (!arrives) {
          ++way.figures.lost;
          continue;
        }
        Arrival arrival{.stream = stream, .octets = bytes.size()};
        std::copy_n(bytes.begin(), arrival.head.size(), arrival.head.begin());
        way.data.emplace(*arrives, arrival);
      }
      return true;
    }
    return false;
  }

  static constexpr std::size_t kReportOctets = 146;

  Direction forth_;
  Direction back_;
  Instant now_ = kBegin;
  Instant last_ = kBegin - 1s;
};

}  // namespace wyndrvr::engine::testing
