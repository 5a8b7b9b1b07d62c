#include "engine/stream_sender.hpp"

#include <algorithm>

#include "engine/data_receiver.hpp"

namespace wyndrvr::engine {
namespace {

// A sender whose receiver never grants anything waits a little longer than the receiver does.
constexpr Duration kNoGrantPatience = DataReceiver::kFirstPatience + 1s;

DataSender::Options data_options(ChannelId stream, wire::PathNonce path,
                                 const StreamSender::Shared& shared) {
  const TestTerms& terms = shared.terms;
  const BitRate share{StreamSender::kInitialSum.bps / terms.streams};
  return {.channel = stream,
          .packet_size = terms.payload_bytes,
          .path = path,
          .reliable = terms.reliable,
          .fixed_rate = terms.adaptive ? std::nullopt : terms.stream_rate(),
          .most_rate = terms.stream_rate(),
          .initial_rate = std::min(share, StreamSender::kInitialRate),
          .stagger = static_cast<double>(stream.value - wire::kFirstStreamChannel) / terms.streams,
          .flight = &shared.flight,
          .octets = terms.stream_octets(),
          .adjustment_delay = shared.protocol.adjustment_delay,
          .loss_buffer_length = shared.protocol.flow_control_rate,
          .report_ranges = std::max(StreamSender::kReportRanges / terms.streams,
                                    StreamSender::kLeastReportRanges),
          .waiting_ranges = std::max(StreamSender::kWaitingRanges / terms.streams,
                                     StreamSender::kLeastWaitingRanges)};
}

}  // namespace

StreamSender::StreamSender(ChannelId stream, wire::PathNonce path, const Shared& shared)
    : data_(data_options(stream, path, shared)) {}

void StreamSender::on_go(const Go& go) {
  go_ = go;
  // A REPORT may overtake READY, on another port.
  if (allowance_.may_send(go.start).value > 0) begin(go.start);
}

void StreamSender::begin(Instant now) {
  if (!test_begin_) test_begin_ = now;
  data_.on_go({go_->channel, *test_begin_, go_->duration}, now);
  breaker_.emplace(now);
}

bool StreamSender::on_report(Instant now, const wire::ReceiverReport& report) {
  if (!allowance_.on_report(now, report.number, report.granted, report.valid_for)) return false;
  figures_ = report.figures;
  if (!go_) return true;
  if (!data_.begun()) {
    // It is known by now to have sent nothing.
    if (now >= give_up_at()) return true;
    begin(now);
    return true;
  }
  give_feedback(now, report.figures);
  if (now >= next_losses_) {
    next_losses_ = now + kLossInterval;
    data_.on_missing(report.ranges);
  }
  return true;
}

bool StreamSender::feedback_due(Instant now) const {
  const Duration since = now - last_feedback_;
  if (since >= kMaxFeedbackInterval) return true;
  return since >= kFeedbackInterval &&
         data_.totals().packets - packets_at_feedback_ >= kFeedbackPackets;
}

void StreamSender::give_feedback(Instant now, const wire::ReceiverFigures& figures) {
  const bool due = feedback_due(now);
  ReceiverTotals seen;
  seen.expected = figures.expected;
  seen.unique = figures.unique;
  seen.reordered = figures.reordered;
  seen.socket_drops = figures.socket_drops;
  data_.on_receiver_progress(now, seen, due, figures.delay_above_least);
  if (!due) return;
  last_feedback_ = now;
  packets_at_feedback_ = data_.totals().packets;
  breaker_->on_figures(now, {data_.totals().packets, figures.unique});
}

std::optional<DataSender::Batch> StreamSender::poll(Instant now, BatchBuffer& buffer,
                                                    std::size_t most) {
  const std::size_t allowed = allowance_.may_send(now).value / data_.packet_size();
  if (allowed == 0) return std::nullopt;
  const auto batch = data_.poll(now, buffer, std::min(most, allowed));
  if (batch) allowance_.on_sent({batch->bytes.size()});
  return batch;
}

Instant StreamSender::give_up_at() const {
  if (test_begin_) return *test_begin_ + go_->duration;
  return go_->start + go_->duration + kNoGrantPatience;
}

std::optional<Deadline> StreamSender::deadline(Instant now) const {
  if (!go_ || done(now)) return std::nullopt;
  if (!data_.begun()) return Deadline{give_up_at(), DeadlineReason::kTestEnd};
  // Without a grant the next report is what there is to wait for, and the end.
  if (allowance_.may_send(now).value < data_.packet_size()) {
    return data_.end_deadline();
  }
  return data_.deadline(now);
}

bool StreamSender::done(Instant now) const {
  if (data_.done(now)) return true;
  return go_ && !data_.begun() && now >= give_up_at();
}

bool StreamSender::starved(Instant now) const {
  if (!go_ || done(now)) return false;
  const auto valid_until = allowance_.deadline();
  return !valid_until || now >= *valid_until;
}

}  // namespace wyndrvr::engine
