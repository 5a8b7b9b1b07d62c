#include "engine/data_sender.hpp"

#include <algorithm>
#include <array>

#include "engine/span_report.hpp"
#include "wire/data_body.hpp"
#include "wire/header.hpp"

namespace wyndrvr::engine {
DataSender::DataSender(const TestPlan& plan, Duration adjustment_delay,
                       std::uint32_t loss_buffer_length)
    : plan_(plan),
      adjustment_delay_(adjustment_delay),
      packet_size_(wire::data_packet_size(plan.payload_bytes)),
      losses_(loss_buffer_length) {
  const std::size_t packets = std::min(kMaxBatchPackets, kMaxBatchBytes / packet_size_);
  buffer_.resize(packets * packet_size_);
  for (std::size_t i = 0; i < packets; ++i) {
    const auto body =
        MutableByteView(buffer_).subspan(i * packet_size_, packet_size_).subspan(wire::kHeaderSize);
    wire::write_data_body(body, plan.payload_bytes);
  }
}

void DataSender::on_go(const Go& go) {
  if (go_) return;
  go_ = go;
  if (!working_) working_.emplace();
  rate_.emplace(adjustment_delay_, go.start);
  pacer_.start(go.start);
  next_progress_ = go.start + plan_.progress_interval;
}

void DataSender::on_report(Instant now, std::span<const wire::ClosedRange> missing) {
  std::array<seq::Range, wire::kMaxRanges> storage;
  const std::span<const seq::Range> ranges = from_wire(missing, storage);
  if (!go_) {
    if (!working_) working_.emplace(ranges);
    return;
  }
  const std::vector<seq::Range> lost = losses_.on_report(ranges);
  totals_.reported_lost += working_->add_lost(lost);

  // What the report says of the numbers below its end: those sent are they and, once more, the
  // retransmissions.
  if (ranges.empty()) return;
  const bool has_tail = ranges.back().end == seq::kEnd;
  const std::uint64_t covered = has_tail ? ranges.back().begin : ranges.back().end;
  if (covered > working_->next_new()) return;  // speaks of what was never sent
  const std::uint64_t absent = seq::total(has_tail ? ranges.first(ranges.size() - 1) : ranges);
  rate_->on_feedback(
      now, {covered + totals_.retransmitted, covered - std::min(absent, covered), has_tail});
}

void DataSender::on_receiver_progress(Instant now, const ReceiverTotals& totals) {
  if (!rate_) return;
  rate_->on_receiver_drops(totals.socket_drops);
  rate_->on_feedback(now, {totals.expected, totals.unique});
}

bool DataSender::sending(Instant now) const {
  return go_ && !stopped_ && now >= go_->start && now < go_->start + go_->duration;
}

std::size_t DataSender::batch_size(bool coalesce) const {
  const std::size_t most = coalesce ? buffer_.size() / packet_size_ : kMaxSeparatePackets;
  const double bits = rate_->rate().bps * to_seconds(kMaxBatchTime);
  const double packets = bits / 8.0 / static_cast<double>(packet_size_);
  if (packets >= static_cast<double>(most)) return most;
  // Below kCoalesceFrom datagrams leave one by one, evenly spaced.
  if (rate_->rate() < RateController::kCoalesceFrom) return 1;
  return std::max<std::size_t>(1, static_cast<std::size_t>(packets));
}

std::optional<DataSender::Batch> DataSender::poll(Instant now, std::size_t most) {
  if (!sending(now) || !pacer_.may_send(now)) return std::nullopt;
  const bool coalesce = rate_->may_coalesce();
  const std::size_t wanted = std::min(batch_size(coalesce), most);
  std::size_t filled = 0;
  while (filled < wanted) {
    const seq::WorkingSet::Taken taken = working_->take(wanted - filled);
    if (taken.numbers.empty()) break;
    for (std::uint64_t number = taken.numbers.begin; number < taken.numbers.end; ++number) {
      const wire::Header header{wire::MessageType::kBandwidthTest,
                                plan_.channel,
                                {next_datagram_},
                                next_datagram_ - number};
      wire::write_header(buffer_.data() + filled * packet_size_, header);
      ++next_datagram_;
      ++filled;
    }
    if (taken.retransmission) totals_.retransmitted += taken.numbers.size();
  }
  if (filled == 0) return std::nullopt;
  const ByteCount bytes{filled * packet_size_};
  totals_.packets += filled;
  totals_.bytes += bytes.value;
  rate_->on_sent(bytes, filled);
  pacer_.on_sent(now, bytes, rate_->rate());
  return Batch{ByteView(buffer_).first(bytes.value), static_cast<std::uint32_t>(packet_size_),
               coalesce};
}

std::optional<SenderProgress> DataSender::poll_progress(Instant now) {
  if (!sending(now) || plan_.progress_interval <= Duration(0) || now < next_progress_) {
    return std::nullopt;
  }
  next_progress_ += plan_.progress_interval;
  if (next_progress_ <= now) next_progress_ = now + plan_.progress_interval;
  return SenderProgress{plan_.channel, totals()};
}

SenderTotals DataSender::totals() const {
  SenderTotals totals = totals_;
  if (rate_) totals.target_bps = rate_->rate().bps;
  return totals;
}

std::optional<Deadline> DataSender::deadline(Instant now) const {
  if (!go_ || stopped_ || now >= go_->start + go_->duration) return std::nullopt;
  std::optional<Deadline> next;
  // A first report may have named so few numbers that none is left.
  if (working_->next_new() != seq::kEnd || working_->waiting() > 0) {
    next = Deadline{std::max(pacer_.next(), go_->start), DeadlineReason::kPacing};
  }
  if (plan_.progress_interval <= Duration(0)) return next;
  return earlier(next, Deadline{next_progress_, DeadlineReason::kProgress});
}

}  // namespace wyndrvr::engine
