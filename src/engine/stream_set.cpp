#include "engine/stream_set.hpp"

#include <algorithm>
#include <array>

#include "engine/result_figures.hpp"

namespace wyndrvr::engine {

StreamSet::StreamSet(const Options& options)
    : options_(options), flight_(StreamSender::flight_options(options.terms)) {
  const std::size_t count = options.terms.streams;
  if (options.sends) {
    senders_.resize(count);
    batch_.emplace(options.terms.payload_bytes, std::nullopt);
    return;
  }
  const auto sharing = static_cast<std::uint32_t>(options.shares_socket ? count : 1);
  socket_drops_.resize(options.shares_socket ? 1 : count);
  gap_budget_.emplace(options.max_gaps, count * (options.terms.reliable ? 2 : 1));
  receivers_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    receivers_.emplace_back(stream_channel(i), options.terms, options.receive_buffer / sharing,
                            &*gap_budget_);
    receivers_.back().share_least_transit(least_transit_);
  }
  due_.resize(count);
  receivers_left_ = count;
}

void StreamSet::on_go(const Go& go) {
  if (go_) return;
  go_ = go;
  next_progress_ = go.start + options_.plan.progress_interval;
  for (auto& sender : senders_) {
    if (!sender) continue;
    sender->on_go(go);
    note_begin(*sender);
  }
  for (StreamReceiver& receiver : receivers_) receiver.on_go(go);
  forget_all_due();
}

void StreamSet::stop(Instant now) {
  stopped_ = true;
  for (auto& sender : senders_) {
    if (sender) sender->stop();
  }
  for (StreamReceiver& receiver : receivers_) receiver.stop(now);
  forget_all_due();
}

void StreamSet::set_path(std::size_t stream, wire::PathNonce nonce) {
  if (!options_.sends) return;
  auto& sender = senders_[stream];
  if (sender) {
    sender->set_path(nonce);
    return;
  }
  sender.emplace(stream_channel(stream), nonce,
                 StreamSender::Shared{options_.terms, options_.protocol, flight_});
  if (begin_) sender->on_test_begun(*begin_);
  if (go_) sender->on_go(*go_);
}

// One clock for all streams: else the test lasts as much longer as the last of them begins later.
void StreamSet::note_begin(const StreamSender& sender) {
  if (begin_ || !sender.test_begin()) return;
  begin_ = sender.test_begin();
  for (auto& each : senders_) {
    if (each) each->on_test_begun(*begin_);
  }
}

void StreamSet::note_arrival(const StreamReceiver& receiver) {
  const auto first = receiver.first_arrival();
  if (!first || (begin_ && *first >= *begin_)) return;
  begin_ = first;
  for (StreamReceiver& each : receivers_) each.on_test_begun(*first);
  forget_all_due();
}

std::expected<void, wire::DropReason> StreamSet::on_data(Instant now, std::size_t stream,
                                                         const wire::PathPacket& packet,
                                                         std::size_t octets,
                                                         const Datagram& datagram) {
  if (options_.sends) return std::unexpected(wire::DropReason::kWrongPort);
  if (!go_) return std::unexpected(wire::DropReason::kNoTest);
  last_read_ = now;
  forget_due(stream);
  const auto taken = receivers_[stream].on_packet(packet, octets, datagram);
  note_arrival(receivers_[stream]);
  return taken;
}

std::uint64_t StreamSet::on_run(std::size_t stream, const DataRun& run, const Datagram& datagram) {
  return receivers_[stream].on_run(run, datagram);
}

std::expected<void, wire::DropReason> StreamSet::on_report(Instant now, std::size_t stream,
                                                           const wire::PathPacket& packet) {
  if (!options_.sends) return std::unexpected(wire::DropReason::kWrongPort);
  if (!senders_[stream]) return std::unexpected(wire::DropReason::kNoTest);
  std::array<wire::ClosedRange, wire::kMaxReportRanges> storage;
  const auto report = wire::parse_receiver_report(packet.body, storage);
  if (!report) return std::unexpected(report.error());
  if (!totals_of(report->figures)) return std::unexpected(wire::DropReason::kBadBody);
  if (!senders_[stream]->on_report(now, *report)) {
    return std::unexpected(wire::DropReason::kDuplicate);
  }
  note_begin(*senders_[stream]);
  tripped_ = tripped_ || senders_[stream]->breaker_tripped();
  return {};
}

void StreamSet::on_buffer(std::optional<std::size_t> stream, const Datagram& buffer) {
  if (receivers_.empty()) return;
  if (stream && *stream < receivers_.size()) last_stream_ = *stream;
  SocketDropMeter& meter = socket_drops_[options_.shares_socket ? 0 : last_stream_];
  receivers_[last_stream_].on_socket_drops(meter.take(buffer.socket_drops, count_of(buffer)));
}

void StreamSet::on_round_trip(Duration round_trip) {
  least_round_trip_ = std::min(least_round_trip_.value_or(round_trip), round_trip);
  for (StreamReceiver& receiver : receivers_) receiver.on_round_trip(*least_round_trip_);
  forget_all_due();
}

void StreamSet::on_send_failed(std::uint64_t packets) {
  if (!senders_.empty() && senders_[last_stream_]) senders_[last_stream_]->on_send_failed(packets);
}

void StreamSet::on_send_blocked() {
  if (!senders_.empty() && senders_[last_stream_]) senders_[last_stream_]->on_send_blocked();
}

void StreamSet::on_packet_too_big(Instant now, std::size_t stream, const TooBig& told) {
  if (!options_.sends || !senders_[stream]) return;
  const auto payload = senders_[stream]->narrower(now, told);
  if (!payload) return;
  // Of senders to come, too.
  options_.terms.payload_bytes = *payload;
  flight_ = FlightLimit(StreamSender::flight_options(options_.terms));
  for (auto& sender : senders_) {
    if (sender) sender->shorten(now, *payload);
  }
}

std::optional<StreamSet::Batch> StreamSet::poll_data(Instant now, std::size_t most) {
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    const std::size_t stream = next_stream_;
    next_stream_ = (next_stream_ + 1) % senders_.size();
    if (!senders_[stream]) continue;
    if (const auto data = senders_[stream]->poll(now, *batch_, most)) {
      last_stream_ = stream;
      return Batch{stream, *data};
    }
  }
  return std::nullopt;
}

std::optional<StreamSet::Report> StreamSet::poll_report(Instant now) {
  refresh_due();
  if (!earliest_due_ || now < earliest_due_->at) return std::nullopt;
  for (std::size_t i = 0; i < receivers_.size(); ++i) {
    if (!due_[i].at || now < due_[i].at->at) continue;
    forget_due(i);
    if (const auto report = receivers_[i].poll_report(now)) return Report{i, *report};
  }
  return std::nullopt;
}

void StreamSet::forget_due(std::size_t stream) {
  due_[stream].known = false;
  all_due_known_ = false;
}

void StreamSet::forget_all_due() {
  for (std::size_t i = 0; i < due_.size(); ++i) forget_due(i);
}

void StreamSet::refresh_due() {
  if (all_due_known_) return;
  earliest_due_.reset();
  for (std::size_t i = 0; i < receivers_.size(); ++i) {
    if (!due_[i].known) due_[i] = {receivers_[i].deadline(), true};
    earliest_due_ = earlier(earliest_due_, due_[i].at);
  }
  all_due_known_ = true;
}

void StreamSet::poll_messages(Instant now, Mail& mail) {
  if (!go_ || told_finished_) return;
  if (options_.sends) {
    poll_sender_messages(now, mail);
  } else {
    poll_receiver_messages(now, mail);
  }
  if (!told_finished_ && progress_due(now)) tell_progress(now, mail);
}

void StreamSet::poll_sender_messages(Instant now, Mail& mail) {
  if (!broken_ && tripped_) {
    broken_ = true;
    stop(now);
    mail.post(Mailbox::kControl, TestBroken{channel(), wire::StopReason::kSustainedLoss});
  }
  // Who is done once stays so.
  const auto done = [now](const auto& sender) { return sender && sender->done(now); };
  while (senders_done_ < senders_.size() && done(senders_[senders_done_])) ++senders_done_;
  if (senders_done_ < senders_.size()) return;
  told_finished_ = true;
  mail.post(Mailbox::kControl, SenderFinished{channel(), *sender_totals()});
  // All octets have left before the time was over: the receiver need not wait for it.
  const bool early = options_.terms.octets && now < begin_.value_or(go_->start) + go_->duration;
  if (early && !broken_) {
    mail.post(Mailbox::kControl, TestBroken{channel(), wire::StopReason::kWanted});
  }
}

// Before its time is over, receivers need not know what the others have read.
bool StreamSet::may_be_finished(Instant now) const {
  return stopped_ || now >= go_->start + go_->duration;
}

void StreamSet::poll_receiver_messages(Instant now, Mail& mail) {
  if (!may_be_finished(now)) return;
  for (StreamReceiver& receiver : receivers_) {
    receiver.on_read(last_read_);
    if (receiver.poll_finished(now)) --receivers_left_;
  }
  forget_all_due();
  if (receivers_left_ > 0) return;
  told_finished_ = true;
  mail.post(Mailbox::kControl, TestFinished{channel(), *receiver_totals(now)});
}

bool StreamSet::progress_due(Instant now) {
  const Duration interval = options_.plan.progress_interval;
  if (interval <= Duration(0) || now < next_progress_) return false;
  next_progress_ += interval;
  if (next_progress_ <= now) next_progress_ = now + interval;
  return true;
}

// Only at the client, whose plans want it.
void StreamSet::tell_progress(Instant now, Mail& mail) {
  if (options_.sends) {
    mail.post(Mailbox::kCoordinator, SenderProgress{channel(), *sender_totals()});
  }
  if (const auto totals = receiver_totals(now)) {
    mail.post(Mailbox::kCoordinator, ReceiverProgress{channel(), *totals});
  }
}

std::optional<ReceiverTotals> StreamSet::receiver_totals(Instant now) const {
  if (!go_) return std::nullopt;
  ReceiverTotals sum;
  bool any = false;
  for (const auto& sender : senders_) {
    if (!sender || !sender->figures()) continue;
    if (const auto totals = totals_of(*sender->figures())) add(sum, *totals);
    any = true;
  }
  for (const StreamReceiver& receiver : receivers_) {
    ReceiverTotals totals = receiver.totals();
    if (!told_finished_) totals.elapsed = now - go_->start;
    add(sum, totals);
    any = true;
  }
  if (!any) return std::nullopt;
  sum.first_to_last = first_to_last();
  return sum;
}

// Of all streams: each of them may have had its first datagram late, and its last one early.
Duration StreamSet::first_to_last() const {
  std::optional<Instant> first;
  std::optional<Instant> last;
  for (const StreamReceiver& receiver : receivers_) {
    if (!receiver.first_arrival()) continue;
    first = std::min(first.value_or(*receiver.first_arrival()), *receiver.first_arrival());
    last = std::max(last.value_or(*receiver.last_arrival()), *receiver.last_arrival());
  }
  return first ? *last - *first : Duration(0);
}

std::optional<Deadline> StreamSet::deadline(Instant now) const {
  if (!go_ || told_finished_) return std::nullopt;
  std::optional<Deadline> next;
  if (options_.plan.progress_interval > Duration(0)) {
    next = Deadline{next_progress_, DeadlineReason::kProgress};
  }
  for (const auto& sender : senders_) {
    if (sender) next = earlier(next, sender->deadline(now));
  }
  if (all_due_known_) return earlier(next, earliest_due_);
  for (std::size_t i = 0; i < receivers_.size(); ++i) {
    next = earlier(next, due_[i].known ? due_[i].at : receivers_[i].deadline());
  }
  return next;
}

bool StreamSet::is_silent(std::size_t stream, Instant now) const {
  if (!go_ || told_finished_) return false;
  if (options_.sends) return senders_[stream] && senders_[stream]->starved(now);
  const StreamReceiver& receiver = receivers_[stream];
  if (receiver.finished() || now >= go_->start + go_->duration) return false;
  return now - receiver.last_arrival().value_or(go_->start) >= kSilence;
}

std::optional<SenderTotals> StreamSet::sender_totals() const {
  if (!options_.sends) return std::nullopt;
  SenderTotals sum;
  for (const auto& sender : senders_) {
    if (sender) add(sum, sender->totals());
  }
  return sum;
}

}  // namespace wyndrvr::engine
