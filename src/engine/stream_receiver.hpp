// The receiving half of one stream of a dialect-1 test: counts what arrives (DataReceiver), grants
// what may be sent (Granter), and measures rate and delay variation for the reports
// (docs/PROTOCOL.md, "REPORT"). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>

#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/data_receiver.hpp"
#include "engine/datagram.hpp"
#include "engine/grant.hpp"
#include "engine/message.hpp"
#include "engine/test_terms.hpp"
#include "seq/gap_budget.hpp"
#include "stats/jitter.hpp"
#include "stats/rate_meter.hpp"
#include "wire/flow_control.hpp"
#include "wire/path_packet.hpp"
#include "wire/receiver_report.hpp"

namespace wyndrvr::engine {

class StreamReceiver {
 public:
  // What the rate of a report is taken over, at least.
  static constexpr Duration kRateInterval = 100ms;

  // `buffer`: the part of the socket's receive buffer that is for this stream; 0: not known.
  // `gap_budget`: DataReceiver::Options.
  StreamReceiver(ChannelId stream, const TestTerms& terms, std::uint32_t buffer,
                 seq::GapBudget* gap_budget = nullptr);

  void on_go(const Go& go) { data_.on_go(go); }
  void on_test_begun(Instant begin) { data_.on_test_begun(begin); }
  // The least one-way delay is that of all streams which share `least`: a stream's own first
  // datagram may already have waited in a queue.
  void share_least_transit(std::optional<Duration>& least) { shared_least_transit_ = &least; }
  // DATA of this stream. Error: kBadBody for a length above the one granted or below what a narrow
  // link leaves (kLeastShortened), kBeyondGrant, and what DataReceiver::on_packet says.
  [[nodiscard]] std::expected<void, wire::DropReason> on_packet(const wire::PathPacket& packet,
                                                                std::size_t octets,
                                                                const Datagram& datagram);
  // What follows in the same buffer on a datagram that on_packet has taken, with the same length
  // and time, and is granted. As DataReceiver::on_run.
  [[nodiscard]] std::uint64_t on_run(const DataRun& run, const Datagram& datagram);
  // Of the datagrams with the number `first` and the ones after it, so many may have been sent,
  // where each is of so many octets.
  [[nodiscard]] std::uint64_t granted_from(std::uint64_t first, std::size_t octets) const;
  void on_socket_drops(std::uint64_t datagrams) { data_.on_socket_drops(datagrams); }
  void on_read(Instant now) { data_.on_read(now); }
  void stop(Instant now) { data_.stop(now); }
  // The path's least round trip so far.
  void on_round_trip(Duration round_trip) {
    round_trip_ = round_trip;
    data_.on_round_trip(round_trip);
  }

  // The next report, where one is due; its ranges lie in this object.
  [[nodiscard]] std::optional<wire::ReceiverReport> poll_report(Instant now);
  // The test is over and drained. Once.
  [[nodiscard]] bool poll_finished(Instant now) { return data_.poll_finished(now).has_value(); }
  [[nodiscard]] bool finished() const { return data_.finished(); }
  [[nodiscard]] std::optional<Deadline> deadline() const;
  [[nodiscard]] ReceiverTotals totals() const;
  // Absent before the first datagram.
  [[nodiscard]] std::optional<Instant> first_arrival() const { return meter_.first(); }
  [[nodiscard]] std::optional<Instant> last_arrival() const { return meter_.last(); }

 private:
  void note_taken(std::uint64_t datagrams, std::size_t octets, const Datagram& datagram);
  void note_delay(const wire::PathPacket& packet, const Datagram& datagram);
  [[nodiscard]] Granter::Seen seen() const;
  [[nodiscard]] wire::ReceiverFigures figures(Instant now) const;

  TestTerms terms_;
  std::uint32_t buffer_;
  std::size_t shortest_;  // datagram taken, or granted
  DataReceiver data_;
  Granter granter_;
  ByteCount most_;     // to be granted in all
  ByteCount granted_;  // so far
  stats::RateMeter meter_;
  BitRate rate_;
  Duration round_trip_{};
  std::optional<Instant> rate_taken_;
  stats::InterarrivalJitter jitter_;
  std::optional<std::uint64_t> batch_time_;  // the sender's, of the newest batch
  std::optional<Duration> own_least_transit_;
  std::optional<Duration>* shared_least_transit_ = nullptr;
  Duration transit_above_least_{};
  std::uint64_t ecn_ce_ = 0;
  std::array<wire::ClosedRange, wire::kMaxReportRanges> ranges_{};
};

}  // namespace wyndrvr::engine
