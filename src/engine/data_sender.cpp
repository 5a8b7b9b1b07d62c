#include "engine/data_sender.hpp"

#include <algorithm>
#include <array>

#include "engine/narrow_link.hpp"
#include "engine/span_report.hpp"
#include "wire/header.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::engine {

DataSender::DataSender(const Options& options)
    : options_(options),
      losses_(options.loss_buffer_length, options.report_ranges),
      pacer_(options.fixed_rate ? Pacer::kMaxFixedCatchUp : Pacer::kMaxCatchUp) {
  write_prefix();
}

void DataSender::write_prefix() {
  if (options_.path) {
    prefix_size_ = wire::kPathPrefixSize;
    wire::set_data_header(prefix_.data(), options_.channel, {0}, 0);
    wire::set_data_nonce(prefix_.data(), *options_.path);
  } else {
    prefix_size_ = wire::kHeaderSize;
    wire::write_header(prefix_.data(),
                       {wire::MessageType::kBandwidthTest, options_.channel, {0}, 0});
  }
}

void DataSender::set_path(wire::PathNonce nonce) {
  options_.path = nonce;
  write_prefix();
}

void DataSender::on_go(const Go& go, Instant now) {
  if (go_) return;
  go_ = go;
  if (!working_) working_.emplace(std::span<const seq::Range>{}, options_.waiting_ranges);
  if (!options_.fixed_rate) {
    rate_.emplace(AdaptiveRate::Options{.adjustment_delay = options_.adjustment_delay,
                                        .initial = options_.initial_rate,
                                        .packet_size = options_.packet_size,
                                        .flight = options_.flight,
                                        .first_window = options_.first_window},
                  now);
  }
  const double spacing = 8.0 * static_cast<double>(options_.packet_size) / rate().bps;
  const Duration stagger = from_seconds(options_.stagger * spacing);
  // Late, but not too late for its turn among the streams: nothing is missed. Else no burst.
  const Instant turn = go.start + stagger;
  pacer_.start(turn >= now ? turn : now + stagger);
  next_progress_ = go.start + options_.progress_interval;
}

void DataSender::on_missing(std::span<const wire::ClosedRange> missing) {
  if (!go_ || !options_.reliable) return;
  std::array<seq::Range, wire::kMaxRanges> storage;
  totals_.reported_lost += working_->add_lost(losses_.on_report(from_wire(missing, storage)));
}

void DataSender::on_report(Instant now, std::span<const wire::ClosedRange> missing) {
  std::array<seq::Range, wire::kMaxRanges> storage;
  const std::span<const seq::Range> ranges = from_wire(missing, storage);
  if (!go_) {
    if (!working_) working_.emplace(ranges, options_.waiting_ranges);
    return;
  }
  on_missing(missing);

  // What the report says of the numbers below its end: those sent are they and, once more, the
  // retransmissions.
  if (ranges.empty()) return;
  const bool has_tail = ranges.back().end == seq::kEnd;
  const std::uint64_t covered = has_tail ? ranges.back().begin : ranges.back().end;
  if (covered > working_->next_new()) return;  // speaks of what was never sent
  const std::uint64_t absent = seq::total(has_tail ? ranges.first(ranges.size() - 1) : ranges);
  const std::uint64_t arrived = covered - std::min(absent, covered);
  note_arrived(now, arrived);
  if (rate_) rate_->on_missing(now, {covered + totals_.retransmitted, arrived, has_tail});
}

void DataSender::on_receiver_progress(Instant now, const ReceiverTotals& totals, bool judge,
                                      std::optional<Duration> above_least) {
  note_arrived(now, totals.unique);
  if (rate_) rate_->on_counts(now, totals, judge, above_least);
}

void DataSender::note_arrived(Instant now, std::uint64_t datagrams) {
  if (datagrams <= arrived_) return;
  arrived_ = datagrams;
  arrived_at_ = now;
}

std::optional<std::uint32_t> DataSender::narrower(Instant now, const TooBig& told) const {
  if (!sending(now) || totals_.packets == 0 || shortenings_ == kMostShortenings) {
    return std::nullopt;
  }
  if (arrived_at_ && now - *arrived_at_ < kArrivalPatience) return std::nullopt;
  const auto payload = payload_through(told.mtu, told.to.address.is_v6());
  if (!payload || *payload >= options_.packet_size) return std::nullopt;
  return payload;
}

void DataSender::shorten(Instant now, std::uint32_t payload) {
  options_.packet_size = payload;
  ++shortenings_;
  // The receiver has only seen, and so counts, what is as long as the first one to arrive.
  if (!granted_) ungranted_ = totals_.bytes - totals_.packets * payload;
  if (rate_) rate_->restart(now, payload);
}

bool DataSender::sending(Instant now) const {
  return go_ && !stopped_ && now >= go_->start && now < go_->start + go_->duration;
}

bool DataSender::done(Instant now) const {
  if (stopped_) return true;
  return go_ && (now >= go_->start + go_->duration || packets_left() == 0);
}

BitRate DataSender::rate() const {
  const BitRate wanted =
      rate_ ? rate_->rate() : options_.fixed_rate.value_or(options_.initial_rate);
  return options_.most_rate ? std::min(wanted, *options_.most_rate) : wanted;
}

double DataSender::packets_per_batch() const {
  const double bits = rate().bps * to_seconds(kMaxBatchTime);
  return bits / 8.0 / static_cast<double>(options_.packet_size);
}

bool DataSender::may_coalesce() const {
  return packets_per_batch() >= kCoalescePackets && (!rate_ || rate_->may_coalesce());
}

std::uint64_t DataSender::packets_left() const {
  if (!options_.octets) return seq::kEnd;
  const std::uint64_t left =
      options_.octets->value - std::min(options_.octets->value, totals_.bytes);
  // The last one is whole: less than one more datagram than was asked for.
  return (left + options_.packet_size - 1) / options_.packet_size;
}

std::uint64_t DataSender::packets_granted() const {
  if (!granted_) return seq::kEnd;
  const std::uint64_t counted = totals_.bytes - ungranted_;
  return (granted_->value - std::min(granted_->value, counted)) / options_.packet_size;
}

std::uint64_t DataSender::packets_in_window(Instant now) const {
  return rate_ ? rate_->may_send(now) : seq::kEnd;
}

bool DataSender::has_numbers() const {
  if (packets_left() == 0) return false;
  // A first report may have named so few numbers that none is left.
  return !options_.reliable || working_->next_new() != seq::kEnd || working_->waiting() > 0;
}

std::size_t DataSender::batch_size(bool coalesce, std::size_t capacity) const {
  const std::size_t most = coalesce ? capacity : std::min(capacity, kMaxSeparatePackets);
  const double packets = packets_per_batch();
  if (packets >= static_cast<double>(most)) return most;
  if (packets < kCoalescePackets) return 1;
  return std::max<std::size_t>(1, static_cast<std::size_t>(packets));
}

seq::WorkingSet::Taken DataSender::take(std::uint64_t max_count) {
  if (options_.reliable) return working_->take(max_count);
  return {{next_datagram_, next_datagram_ + max_count}, false};
}

void DataSender::write_headers(const seq::Range& numbers, std::byte* out, Instant now) {
  const bool has_time = options_.path.has_value();
  const auto time = static_cast<std::uint64_t>(now.time_since_epoch().count());
  // N and E rise together.
  const std::uint64_t offset = next_datagram_ - numbers.begin;
  const std::uint64_t end = next_datagram_ + numbers.size();
  for (std::uint64_t seq = next_datagram_; seq < end; ++seq, out += options_.packet_size) {
    wire::set_header_numbers(out, {seq}, offset);
    if (has_time) wire::set_data_time(out, time);
  }
  next_datagram_ = end;
}

std::optional<DataSender::Batch> DataSender::poll(Instant now, BatchBuffer& buffer,
                                                  std::size_t most) {
  // What the last batch holds may still be waited with.
  if (most == 0 || !sending(now) || !pacer_.may_send(now)) return std::nullopt;
  buffer.cut(options_.packet_size);
  const bool coalesce = may_coalesce();
  const std::size_t wanted =
      std::min<std::uint64_t>({batch_size(coalesce, buffer.capacity()), most, packets_left(),
                               packets_granted(), packets_in_window(now)});
  if (wanted > 0) buffer.set_prefix(ByteView(prefix_).first(prefix_size_), wanted);
  std::size_t filled = 0;
  while (filled < wanted) {
    const seq::WorkingSet::Taken taken = take(wanted - filled);
    if (taken.numbers.empty()) break;
    write_headers(taken.numbers, buffer.at(filled), now);
    filled += taken.numbers.size();
    if (taken.retransmission) totals_.retransmitted += taken.numbers.size();
  }
  if (filled == 0) return std::nullopt;
  const ByteCount bytes{filled * options_.packet_size};
  totals_.packets += filled;
  totals_.bytes += bytes.value;
  if (rate_) rate_->on_sent(now, bytes, filled);
  pacer_.on_sent(now, bytes, rate());
  return Batch{buffer.first(filled), static_cast<std::uint32_t>(options_.packet_size), coalesce};
}

std::optional<SenderProgress> DataSender::poll_progress(Instant now) {
  if (!sending(now) || options_.progress_interval <= Duration(0) || now < next_progress_) {
    return std::nullopt;
  }
  next_progress_ += options_.progress_interval;
  if (next_progress_ <= now) next_progress_ = now + options_.progress_interval;
  return SenderProgress{options_.channel, totals()};
}

SenderTotals DataSender::totals() const {
  SenderTotals totals = totals_;
  if (go_) totals.target_bps = rate().bps;
  if (shortenings_ > 0) totals.shortened_to = static_cast<std::uint32_t>(options_.packet_size);
  return totals;
}

std::optional<Deadline> DataSender::end_deadline() const {
  if (!go_) return std::nullopt;
  return Deadline{go_->start + go_->duration, DeadlineReason::kTestEnd};
}

std::optional<Deadline> DataSender::deadline(Instant now) const {
  if (!go_ || stopped_ || now >= go_->start + go_->duration) return std::nullopt;
  std::optional<Deadline> next;
  if (has_numbers() && packets_granted() > 0) {
    Instant at = std::max(pacer_.next(), go_->start);
    if (packets_in_window(now) == 0) at = std::max(at, rate_->window_opens());
    next = Deadline{at, DeadlineReason::kPacing};
  }
  if (options_.progress_interval <= Duration(0)) return next;
  return earlier(next, Deadline{next_progress_, DeadlineReason::kProgress});
}

}  // namespace wyndrvr::engine
