#include "engine/rate_controller.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace wyndrvr::engine {
namespace {

constexpr double kRampFactor = 2.0;
constexpr double kProbeFactor = 1.05;       // a step up where a limit is near
constexpr double kReturnFactor = 1.5;       // a step towards what was carried before
constexpr double kRampProgress = 0.75;      // below it the last step was too much
constexpr double kSteadyProgress = 0.95;    // below it the backlog grows: do not go faster
constexpr int kSlowPeriods = 2;             // in a row, below that
constexpr int kStalledReports = 3;          // in a row: this is the limit, not a long round trip
constexpr Duration kStallTime = 50ms;       // and for so long: nor a moment of the host's
constexpr double kTolerance = 0.01;         // of loss above the path's own
constexpr double kUnused = 0.7;             // sending less than this of the rate is not its limit
constexpr double kSameLoss = 0.8;           // a cut that leaves this share of the loss did not help
constexpr double kTellingCut = 0.5;         // of the loss: what a cut takes off if it is to tell
constexpr double kMaxPathLoss = 0.5;        // more is an outage or far too much, not chance
constexpr int kCleanPeriodsToCoalesce = 4;  // after loss
constexpr double kWindowHeadroom = 1.5;     // over what is carried, where a window bounds the queue
constexpr std::uint64_t kLeastPackets = 16;  // that an adjustment is made for,
constexpr int kLongestPeriod = 3;            // or in so many adjustment_delays,
constexpr std::uint64_t kTellingLoss = 3;    // or with so many lost
constexpr double kExplained = 0.9;  // of the loss: then the receiver's socket was the cause

}  // namespace

RateController::RateController(const Options& options, Instant now)
    : options_(options), rate_(options.initial) {
  ramp_mark_.at = now;
  adjust_mark_.at = now;
}

RateController::Mark RateController::mark_now(Instant now, const Feedback& feedback) const {
  return {now, feedback, sent_bytes_, sent_packets_};
}

RateController::Period RateController::period_since(const Mark& mark, Instant now,
                                                    const Feedback& feedback) const {
  Period period;
  period.packets = feedback.sent - mark.feedback.sent;
  const std::uint64_t received = feedback.received - mark.feedback.received;
  // Late and repeated numbers may make up for more than was missing: no loss then.
  if (period.packets > received) {
    period.loss =
        static_cast<double>(period.packets - received) / static_cast<double>(period.packets);
  }
  period.sent = rate_of({sent_bytes_ - mark.sent_bytes}, now - mark.at);
  const std::uint64_t sent_packets = sent_packets_ - mark.sent_packets;
  // Before the first report there is nothing to compare the receiver's pace with.
  if (feedback.newest && mark.feedback.newest && mark.feedback.sent > 0 && sent_packets > 0) {
    period.progress = static_cast<double>(period.packets) / static_cast<double>(sent_packets);
    const double share = static_cast<double>(received) / static_cast<double>(sent_packets);
    period.pace = period.sent * share;
  }
  return period;
}

void RateController::on_feedback(Instant now, const Feedback& feedback) {
  // A report that went back in time, or one without news, says nothing about the rate.
  if (feedback.sent <= ramp_mark_.feedback.sent ||
      feedback.received < ramp_mark_.feedback.received) {
    return;
  }
  lost_ = feedback.sent - std::min(feedback.sent, feedback.received);
  windowed_ = feedback.windowed;
  best_pace_ = feedback.best_pace;
  // A pace that was measured too low, in a pause, must not keep the rate there.
  if (windowed_) rate_ = std::max(rate_, sustaining(best_pace_) * kWindowHeadroom);
  note_pace(now, feedback);
  if (ramping_) {
    Period report = period_since(ramp_mark_, now, feedback);
    // A report's own time is too short to tell, and what it tells may be of a moment of the host's.
    if (report.pace) report.pace = std::max(last_pace_, rate_of_pace(pace_.once()));
    ramp(now, report, feedback.sent >= ramp_gate_ + feedback.late);
    adjust_mark_ = mark_now(now, feedback);
  } else if (feedback.sent < judge_after_ && now < judge_by_) {
    // Still about what was sent before the rate fell: that must not be held against it.
    adjust_mark_ = mark_now(now, feedback);
  } else if (may_adjust(now, feedback)) {
    const Period period = period_since(adjust_mark_, now, feedback);
    if (period.pace) last_pace_ = *period.pace;
    adjust(period);
    adjust_mark_ = mark_now(now, feedback);
  }
  ramp_mark_ = mark_now(now, feedback);
}

// A few datagrams say little: at a low rate it takes longer.
bool RateController::may_adjust(Instant now, const Feedback& feedback) const {
  const Duration time = now - adjust_mark_.at;
  const Feedback& before = adjust_mark_.feedback;
  if (time < options_.adjustment_delay || feedback.received < before.received) return false;
  const std::uint64_t packets = feedback.sent - before.sent;
  const std::uint64_t lost = packets - std::min(packets, feedback.received - before.received);
  return packets >= kLeastPackets || lost >= kTellingLoss ||
         time >= kLongestPeriod * options_.adjustment_delay;
}

BitRate RateController::rate_of_pace(double per_second) const {
  if (sent_packets_ == 0) return {};
  return rate_of({sent_bytes_ / sent_packets_}, 1s) * per_second;
}

void RateController::note_pace(Instant now, const Feedback& feedback) {
  if (!feedback.newest) return;
  pace_.on_report(now, feedback.received);
  if (const auto per_second = pace_.per_second()) last_pace_ = rate_of_pace(*per_second);
  if (ramping_) carried_ = std::max(carried_, sustaining(rate_of_pace(pace_.twice())));
  // Nothing from before the ramp's highest rate has a say in what that rate came to.
  if (feedback.sent < pace_gate_ + feedback.late) pace_.restart();
}

bool RateController::loss_is_explained() const {
  const std::uint64_t otherwise = lost_ - std::min(lost_, receiver_drops_ + excused_);
  const auto to_explain = static_cast<double>(lost_ - std::min(lost_, excused_));
  return static_cast<double>(otherwise) <= (1 - kExplained) * to_explain;
}

void RateController::on_receiver_drops(std::uint64_t drops) {
  if (drops == receiver_drops_) return;
  receiver_drops_ = drops;
  // Told after the loss had shown: taken back.
  if (clean_periods_ < 1 && loss_is_explained()) clean_periods_ = 1;
}

// Loss within what chance makes of the path's own loss, and of what is tolerated in any case (three
// standard deviations, and one datagram more): of few, one or two say nothing.
bool RateController::is_clean(const Period& period) const {
  // The window has its own answer to loss, and leaves a bound on what it may come to.
  if (windowed_ && period.loss <= kMaxPathLoss) return true;
  const auto packets = static_cast<double>(period.packets);
  const auto bound = [packets](double p) {
    return p + 3.0 * std::sqrt(p * (1 - p) / packets) + 1 / packets;
  };
  return period.loss <= std::max({bound(path_loss_), path_loss_ + kTolerance, bound(kTolerance)});
}

void RateController::ramp(Instant now, const Period& period, bool step_is_known) {
  if (period.loss > 0 && !loss_is_explained()) clean_periods_ = -kCleanPeriodsToCoalesce;
  if (!is_clean(period)) {
    ramping_ = false;
    cut(period);
    return;
  }
  // No word yet of what was sent since the last step: over a long round trip that takes a while.
  if (!step_is_known) return;
  if (period.progress < kSteadyProgress && !windowed_) {
    on_stall(now, period);
    return;
  }
  stalled_reports_ = 0;
  if (period.sent.bps >= kUnused * rate_.bps) step_up();
}

void RateController::step_up() {
  // What has arrived of a faster moment counts as known to be good.
  const BitRate good = std::clamp(sustaining(last_pace_), rate_, rate_ * kRampFactor);
  rate_ = std::min(good * kRampFactor, kMaximum);
  ramp_gate_ = sent_packets_;
  if (rate_ > highest_) {
    highest_ = rate_;
    pace_gate_ = sent_packets_;
    pace_.restart();
  }
}

// The receiver falls behind: a queue fills.
void RateController::on_stall(Instant now, const Period& period) {
  if (stalled_reports_++ == 0) stalled_since_ = now;
  if (stalled_reports_ >= kStalledReports && now - stalled_since_ >= kStallTime) {
    ramping_ = false;
    // One of the three may have been a moment of the host's; what was carried before was none.
    follow(std::max(sustaining(last_pace_), carried_));
  } else if (period.progress < kRampProgress) {
    // One step back, then see.
    rate_ = std::max({rate_ * (1.0 / kRampFactor), sustaining(last_pace_), options_.least});
  }
}

void RateController::on_queue(BitRate pace) {
  const BitRate enough = sustaining(pace) * kWindowHeadroom;
  if (rate_.bps <= enough.bps * kProbeFactor) return;
  ramping_ = false;
  stalled_reports_ = 0;
  lower_to(enough);
}

void RateController::adjust(const Period& period) {
  if (period.loss > 0 && !loss_is_explained()) {
    clean_periods_ = -kCleanPeriodsToCoalesce;
  } else if (++clean_periods_ >= 1) {
    clean_periods_ = 1;
    excused_ = lost_ - std::min(lost_, receiver_drops_);
  }
  const double loss_before = std::exchange(loss_before_cut_, 0);
  const bool same = period.loss - path_loss_ >= kSameLoss * (loss_before - path_loss_);
  if (loss_before > 0 && same && period.loss <= kMaxPathLoss) {
    // The cut did not help: this much is lost at any rate. Find the limit again from here.
    path_loss_ = std::min({period.loss, loss_before, kMaxPathLoss});
    rate_ = std::max(rate_, rate_before_cut_);
    ramp_again();
    return;
  }
  if (is_clean(period)) {
    path_loss_ = std::min(path_loss_, period.loss);
    // So deep a cut says little about where the limit is, if nothing else does.
    const bool is_known = carried_ * kReturnFactor > rate_ && rate_ * kReturnFactor > carried_;
    if (loss_before > kMaxPathLoss && !is_known) {
      ramp_again();
      return;
    }
    if (period.progress < kSteadyProgress && !windowed_) {
      // Once may be a receiver that was held up for a moment.
      if (++slow_periods_ >= kSlowPeriods) follow(sustaining(period.pace.value_or(last_pace_)));
      return;
    }
    slow_periods_ = 0;
    if (period.pace) carried_ = std::max(carried_, sustaining(*period.pace));
    if (period.sent.bps < kUnused * rate_.bps) return;
    // Where nothing has been lost, what ended the ramp may have been a moment of the host's.
    if (!limit_seen_) ramp_again();
    // And so may what lowered the rate below what the path has carried before.
    const BitRate known = std::min(carried_, rate_ * kReturnFactor);
    const BitRate probe = rate_ * kProbeFactor;
    returning_ = known > probe;
    rate_ = std::min(std::max(probe, known), kMaximum);
  } else {
    cut(period);
  }
}

// No loss, but the receiver falls behind: a queue is filling. Its pace is the limit.
void RateController::follow(BitRate carried) {
  slow_periods_ = 0;
  lower_to(carried);
}

void RateController::cut(const Period& period) {
  const BitRate before = rate_;
  // What arrived in this time is what the path carries; the datagrams lost may have been sent in
  // another, faster one. Where the pace is not known, what is left of the rate, by the loss.
  const double kept = (1 - period.loss) / (1 - path_loss_);
  const BitRate carried =
      period.pace ? sustaining(*period.pace) : std::max(period.sent * kept, sustaining(last_pace_));
  limit_seen_ = true;
  // A window makes for pauses, which are not the path's.
  lower_to(windowed_ ? std::max(carried, sustaining(best_pace_)) : carried);
  // A rate that hardly fell is still too much where the one before was. That as much is lost at it
  // says nothing about the path's own loss then.
  if (rate_.bps > before.bps * (1 - kTellingCut * (1 - kept))) return;
  loss_before_cut_ = period.loss;
  rate_before_cut_ = before;
}

void RateController::lower_to(BitRate carried) {
  // It was no moment of the host's: the path has become slower.
  if (std::exchange(returning_, false)) carried_ = carried;
  rate_ = std::clamp(carried, std::min(options_.least, rate_), rate_);
  judge_after_ = sent_packets_;
  judge_by_ = ramp_mark_.at + 2 * options_.adjustment_delay;
}

void RateController::ramp_again() {
  ramping_ = true;
  highest_ = rate_;
  limit_seen_ = false;
  stalled_reports_ = 0;
}

}  // namespace wyndrvr::engine
