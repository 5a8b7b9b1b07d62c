#include "engine/stream_receiver.hpp"

#include <algorithm>
#include <limits>

#include "engine/narrow_link.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::engine {
namespace {

constexpr std::uint8_t kCongestionExperienced = 3;  // RFC 3168 section 5

// The last datagram is a whole one.
ByteCount most_octets(const TestTerms& terms) {
  const auto share = terms.stream_octets();
  if (!share) return {std::numeric_limits<std::uint64_t>::max()};
  return {share->value + std::min<std::uint64_t>(terms.payload_bytes, ~share->value)};
}

}  // namespace

StreamReceiver::StreamReceiver(ChannelId stream, const TestTerms& terms, std::uint32_t buffer,
                               seq::GapBudget* gap_budget)
    : terms_(terms),
      buffer_(buffer),
      shortest_(terms.payload_bytes),
      data_({.channel = stream,
             .reliable = terms.reliable,
             .from_first = true,
             .gap_budget = gap_budget,
             .packet_size = terms.payload_bytes}),
      granter_({.limit = terms.stream_rate(),
                .datagram = {terms.payload_bytes},
                .streams = terms.streams,
                .buffer = usable_buffer(buffer, terms.payload_bytes)}),
      most_(most_octets(terms)) {}

std::expected<void, wire::DropReason> StreamReceiver::on_packet(const wire::PathPacket& packet,
                                                                std::size_t octets,
                                                                const Datagram& datagram) {
  const std::size_t least = std::min(terms_.payload_bytes, kLeastShortened);
  if (octets < least || octets > terms_.payload_bytes) {
    return std::unexpected(wire::DropReason::kBadBody);
  }
  if (granted_from(packet.header.seq.value, octets) == 0) {
    return std::unexpected(wire::DropReason::kBeyondGrant);
  }
  const wire::Header header{{}, packet.header.channel, packet.header.seq, packet.header.offset};
  auto taken = data_.on_packet(header, octets, datagram);
  if (!taken) return taken;
  note_taken(1, octets, datagram);
  if (octets < shortest_) {
    shortest_ = octets;
    granter_.on_datagram({octets}, buffer_);
  }
  note_delay(packet, datagram);
  return {};
}

std::uint64_t StreamReceiver::on_run(const DataRun& run, const Datagram& datagram) {
  const std::uint64_t taken = data_.on_run(run, datagram);
  if (taken > 0) note_taken(taken, run.packet_size, datagram);
  return taken;
}

// Every datagram that was sent counts, whatever became of it, and none has a number above their
// count. So whoever keeps to the grants is never beyond them, whatever is on the way.
// Lengths do not grow, so all datagrams before one are at least as long as it is.
std::uint64_t StreamReceiver::granted_from(std::uint64_t first, std::size_t octets) const {
  const std::uint64_t all = granted_.value / octets;
  return all - std::min(all, first);
}

void StreamReceiver::note_taken(std::uint64_t datagrams, std::size_t octets,
                                const Datagram& datagram) {
  meter_.add(datagram.arrival, {datagrams * octets});
  if (datagram.traffic_class && (*datagram.traffic_class & 3U) == kCongestionExperienced) {
    ecn_ce_ += datagrams;
  }
}

// Datagrams of one batch have one time: only the first of it to arrive says something.
void StreamReceiver::note_delay(const wire::PathPacket& packet, const Datagram& datagram) {
  const std::uint64_t sent = wire::data_time_ns(packet.body);
  if (batch_time_ == sent) return;
  batch_time_ = sent;
  // The two clocks have nothing to do with each other, so this may wrap; differences do not.
  const auto arrived = static_cast<std::uint64_t>(datagram.arrival.time_since_epoch().count());
  const Duration transit(static_cast<std::int64_t>(arrived - sent));
  jitter_.record(transit);
  auto& least = shared_least_transit_ ? *shared_least_transit_ : own_least_transit_;
  least = std::min(least.value_or(transit), transit);
  const auto above =
      static_cast<std::uint64_t>(transit.count()) - static_cast<std::uint64_t>(least->count());
  constexpr auto kLongest = static_cast<std::uint64_t>(Duration::max().count());
  transit_above_least_ = Duration(static_cast<std::int64_t>(std::min(above, kLongest)));
}

Granter::Seen StreamReceiver::seen() const {
  return {data_.expected_octets(), rate_, round_trip_};
}

std::optional<wire::ReceiverReport> StreamReceiver::poll_report(Instant now) {
  if (!data_.go() || data_.finished() || now < granter_.due(seen())) return std::nullopt;
  if (!rate_taken_) rate_taken_ = now;
  if (now - *rate_taken_ >= kRateInterval) {
    const auto interval = meter_.take_interval(now);
    rate_ = rate_of(interval.bytes, interval.duration);
    rate_taken_ = now;
  }
  const Grant grant = granter_.grant(now, seen());
  wire::ReceiverReport report;
  report.number = grant.report_number;
  granted_ = std::min(grant.granted, most_);
  report.granted = granted_;
  report.valid_for = grant.valid_for;
  report.figures = figures(now);
  if (terms_.reliable) report.ranges = data_.missing(ranges_);
  return report;
}

wire::ReceiverFigures StreamReceiver::figures(Instant now) const {
  const ReceiverTotals totals = data_.totals();
  return {.time = std::max(now - data_.go()->start, Duration(0)),
          .datagrams = totals.packets,
          .unique = totals.unique,
          .duplicate = totals.duplicate,
          .reordered = totals.reordered,
          .expected = totals.expected,
          .octets = {totals.bytes},
          .written_off = totals.written_off,
          .socket_drops = totals.socket_drops,
          .receive_rate = std::min(rate_, wire::kMaxReportedRate),
          .delay_variation = jitter_.value().value_or(Duration(0)),
          .delay_above_least = transit_above_least_,
          .ecn_ce = ecn_ce_};
}

ReceiverTotals StreamReceiver::totals() const {
  ReceiverTotals totals = data_.totals();
  totals.jitter = jitter_.value();
  totals.ecn_ce = ecn_ce_;
  if (shortest_ < terms_.payload_bytes) totals.shortened_to = static_cast<std::uint32_t>(shortest_);
  return totals;
}

std::optional<Deadline> StreamReceiver::deadline() const {
  if (!data_.go() || data_.finished()) return std::nullopt;
  return earlier(data_.deadline(), Deadline{granter_.due(seen()), DeadlineReason::kReport});
}

}  // namespace wyndrvr::engine
