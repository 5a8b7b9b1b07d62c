#include "engine/test_run.hpp"

#include <algorithm>

#include "engine/judgement.hpp"

namespace wyndrvr::engine {

void TestRun::on_started(Instant now, const TestStarted& started) {
  start_ = started.start;
  grown_at_ = now;
  quiet_.restart(now, plan_.progress_interval);
  duration_ = started.duration;
  outcome_.ran = started.duration;
}

std::optional<TestProgress> TestRun::on_sender_progress(Instant now, const SenderTotals& totals) {
  outcome_.sender = totals;
  // Where the receiver tells its own figures, they are the ones to show. An interval's patience
  // tells which kind of server this is.
  if (!started() || now >= end() || receiver_ || ++sender_reports_ < 2) return std::nullopt;
  return TestProgress{plan_.direction, now - *start_, duration_, totals, std::nullopt};
}

std::optional<Report> TestRun::on_receiver_progress(Instant now, const ReceiverTotals& totals) {
  if (!started() || has_result()) return std::nullopt;
  if (receiver_ && totals.elapsed <= receiver_->elapsed) return silence_of_progress(now);
  // A server that tells of itself more often than it was asked to does not fill the log.
  const Duration interval = std::max<Duration>(plan_.progress_interval, 1ms);
  if (progresses_ > static_cast<std::uint64_t>((now - *start_) / interval) + kSpareProgresses) {
    return std::nullopt;
  }
  ++progresses_;
  // What drains after the test's time is its last interval's.
  const bool drains = receiver_ && receiver_->elapsed >= duration_;
  const bool grown = totals.packets > (receiver_ ? receiver_->packets : 0);
  receiver_ = totals;
  if (!drains) intervals_.add(totals);
  if (grown) {
    grown_at_ = now;
    quiet_.on_heard(now);
  } else if (now - grown_at_ >= kShortestSilence) {
    return silence_of_progress(now);
  }
  return TestProgress{plan_.direction, totals.elapsed, duration_, outcome_.sender, receiver_};
}

std::optional<NothingReceived> TestRun::silence_of_progress(Instant now) {
  if (now - grown_at_ < kShortestSilence || !quiet_.tell_now(now)) return std::nullopt;
  return silence(now);
}

std::optional<NothingReceived> TestRun::poll_silence(Instant now) {
  if (!started() || has_result()) return std::nullopt;
  const auto silent = quiet_.poll(now);
  if (!silent) return std::nullopt;
  NothingReceived told = silence(now);
  told.silent = *silent;  // whole seconds that have passed: each of them once
  return told;
}

NothingReceived TestRun::silence(Instant now) const {
  // Rounded, since a progress that comes each second is late now and then.
  return {.silent = std::chrono::round<std::chrono::seconds>(now - grown_at_),
          .direction = plan_.direction,
          .elapsed = std::min<Duration>(now - *start_, duration_),
          .duration = duration_};
}

void TestRun::on_result(const wire::TestResult& result) {
  outcome_.has_result = true;
  outcome_.bytes_received = result.bytes_received;
  outcome_.packets_received = result.packet_count;
  outcome_.retransmitted_by_receiver = result.retransmit_count;
  outcome_.reported_bps = result.bandwidth_bps;
  outcome_.reported_duration = from_seconds(result.duration_s);
  outcome_.receiver = receiver_totals_of(result);
  close_intervals();
}

void TestRun::on_reported(const TestReported& reported) {
  outcome_.has_result = true;
  outcome_.receiver = reported.receiver;
  outcome_.bytes_received = reported.receiver.bytes;
  outcome_.packets_received = reported.receiver.packets;
  outcome_.retransmitted_by_receiver = reported.receiver.retransmitted;
  outcome_.reported_duration = reported.receiver.elapsed;
  if (plan_.direction == PortKind::kDownload && reported.sender) {
    outcome_.sender = *reported.sender;
    outcome_.sender_known = true;
  }
  close_intervals();
}

void TestRun::on_receiver_totals(const ReceiverTotals& totals) {
  if (!started() || has_result()) return;
  if (!receiver_ || totals.elapsed > receiver_->elapsed) receiver_ = totals;
}

void TestRun::close_without_result() {
  if (has_result() || !receiver_) return;
  outcome_.receiver = receiver_;
  outcome_.bytes_received = receiver_->bytes;
  outcome_.packets_received = receiver_->packets;
  outcome_.retransmitted_by_receiver = receiver_->retransmitted;
  outcome_.reported_duration = receiver_->elapsed;
  close_intervals();
}

void TestRun::close_intervals() {
  if (!outcome_.receiver) return;
  intervals_.close(*outcome_.receiver, intervals_end());
  outcome_.intervals = intervals_.intervals();
}

// The last datagram is followed by as much time as the others, as far as the test lasted: an
// interval that ended with it would overstate the rate of few.
Duration TestRun::intervals_end() const {
  const Duration reported = outcome_.reported_duration;
  if (reported >= duration_) return reported;
  const ReceiverTotals& receiver = *outcome_.receiver;
  if (receiver.packets > 1) {
    const auto gaps = static_cast<double>(receiver.packets - 1);
    const Duration gap = from_seconds(to_seconds(receiver.first_to_last) / gaps);
    return reported + std::min(gap, duration_ - reported);
  }
  // Whoever had no more to send did not send for all of that time.
  return outcome_.octets_bound || outcome_.broken ? reported : duration_;
}

}  // namespace wyndrvr::engine
