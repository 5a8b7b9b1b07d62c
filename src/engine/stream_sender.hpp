// The sending half of one stream of a dialect-1 test: a DataSender that sends only what its
// receiver has granted, and gives up where most of it is lost (docs/PROTOCOL.md, "Grants").
//
// The test's time begins with the first grant that is valid at Go or later, of any of its streams:
// a stream whose own first grant is later sends for what is left of that time. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/config.hpp"
#include "engine/data_sender.hpp"
#include "engine/grant.hpp"
#include "engine/loss_breaker.hpp"
#include "engine/message.hpp"
#include "engine/test_terms.hpp"
#include "wire/receiver_report.hpp"

namespace wyndrvr::engine {

class StreamSender {
 public:
  // Of one stream, and of all together. Several begin faster than one: each is judged by its own
  // datagrams alone (kFeedbackPackets), which at a share of one stream's rate are as much slower
  // to come.
  static constexpr BitRate kInitialRate{10e6};
  static constexpr BitRate kInitialSum{40e6};
  // Numbers are looked at for losses this often, however often reports come.
  static constexpr Duration kLossInterval = 100ms;
  // The rate is judged by a report no sooner than after so many datagrams or so long: less is too
  // little to say anything of it.
  static constexpr std::uint64_t kFeedbackPackets = 16;
  static constexpr Duration kFeedbackInterval = 3ms;
  static constexpr Duration kMaxFeedbackInterval = 50ms;
  // Ranges of a report that are looked at, and that wait to be sent again: of all streams of a test
  // together, but these of each at least.
  static constexpr std::size_t kReportRanges = 1024;
  static constexpr std::size_t kLeastReportRanges = 16;
  static constexpr std::size_t kWaitingRanges = 4096;
  static constexpr std::size_t kLeastWaitingRanges = 128;

  // What the streams of a test have in common. The limit is for all of them together.
  struct Shared {
    const TestTerms& terms;
    const ProtocolConfig& protocol;
    FlightLimit& flight;
  };
  static FlightLimit::Options flight_options(const TestTerms& terms) {
    return {.datagram_bits = 8.0 * terms.payload_bytes, .streams = terms.streams};
  }

  StreamSender(ChannelId stream, wire::PathNonce path, const Shared& shared);

  // From now on grants count.
  void on_go(const Go& go);
  // Another stream of the test has begun: its time is this one's. Once, before this one begins.
  void on_test_begun(Instant begin) { test_begin_ = begin; }
  // The report of this stream's receiver. False for one that is older than another.
  bool on_report(Instant now, const wire::ReceiverReport& report);
  void set_path(wire::PathNonce nonce) { data_.set_path(nonce); }
  void stop() { data_.stop(); }
  void on_send_failed(std::uint64_t packets) { data_.on_send_failed(packets); }
  void on_send_blocked() { data_.on_send_blocked(); }
  // As DataSender's.
  [[nodiscard]] std::optional<std::uint32_t> narrower(Instant now, const TooBig& told) const {
    return data_.narrower(now, told);
  }
  void shorten(Instant now, std::uint32_t payload) { data_.shorten(now, payload); }

  // As DataSender::poll.
  [[nodiscard]] std::optional<DataSender::Batch> poll(Instant now, BatchBuffer& buffer,
                                                      std::size_t most);
  [[nodiscard]] std::optional<Deadline> deadline(Instant now) const;

  // When the test's time began; nothing before the first grant.
  [[nodiscard]] std::optional<Instant> test_begin() const { return test_begin_; }
  // Nothing more will be sent; `true` also where no grant has come for all of the test's time.
  [[nodiscard]] bool done(Instant now) const;
  [[nodiscard]] bool breaker_tripped() const { return breaker_ && breaker_->tripped(); }
  // No grant is valid though there is something to send: nothing comes back on this path.
  [[nodiscard]] bool starved(Instant now) const;
  [[nodiscard]] SenderTotals totals() const { return data_.totals(); }
  // What the newest report says; nothing before the first one.
  [[nodiscard]] const std::optional<wire::ReceiverFigures>& figures() const { return figures_; }

 private:
  [[nodiscard]] bool feedback_due(Instant now) const;
  void give_feedback(Instant now, const wire::ReceiverFigures& figures);
  void begin(Instant now);
  [[nodiscard]] Instant give_up_at() const;

  DataSender data_;
  Allowance allowance_;
  std::optional<Go> go_;
  std::optional<Instant> test_begin_;
  std::optional<LossBreaker> breaker_;
  std::optional<wire::ReceiverFigures> figures_;
  Instant last_feedback_;
  std::uint64_t packets_at_feedback_ = 0;
  Instant next_losses_;
};

}  // namespace wyndrvr::engine
