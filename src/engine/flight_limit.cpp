#include "engine/flight_limit.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace wyndrvr::engine {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
constexpr Duration kMostQueue = 60ms;    // that the window leaves room for; halved with each loss
constexpr Duration kReportDelay = 50ms;  // from arrival to report, unless one was lost
constexpr Duration kLate = 35ms;         // more than the least delay: a queue
constexpr int kLateReports = 2;          // in a row: no moment of a host's
constexpr double kGain = 1.25;           // of the window over what arrives in a round trip,
constexpr double kLossyGain = 1.05;      // and so long after a loss
constexpr Duration kLossMemory = 1s;
constexpr Duration kLongDelay = 50ms;        // from which on a beginning takes fewer rounds
constexpr std::uint64_t kLongGrowth = 2;     // for each that has arrived
constexpr std::uint64_t kLeastForFast = 64;  // arrived: fewer may have been in a shaper's bucket
constexpr std::uint64_t kRound = 32;         // datagrams that a share of loss is taken of,
constexpr std::uint64_t kLossesToJudge = 2;  // or so many lost in a beginning
constexpr std::uint64_t kTrial = 16;         // of a trial
constexpr double kTrialPace = 40;            // datagrams a second: a slower trial takes too long
constexpr double kTellingShare = 0.125;      // of loss, above the path's own
constexpr double kOwnLossShare = 0.4;        // half as much sent, and still this share of the loss
constexpr double kMostOwnLoss = 0.5;
constexpr Duration kMarkInterval = 10ms;
constexpr Duration kPaceTime = 100ms;        // that a pace is measured over, at the least,
constexpr std::uint64_t kPaceDatagrams = 4;  // and of so many datagrams
constexpr Duration kBestTime = 500ms;
constexpr Duration kLeastPatience = 100ms;
constexpr Duration kMostPatience = 1s;  // the least rate is one datagram a second

}  // namespace

void FlightLimit::on_report(Instant now, const Seen& seen) {
  if (mark_count_ == 0) {
    queue_ = kMostQueue;
    first_window_ = static_cast<double>(options_.first_window);
  }
  suspended_ = false;
  const Instant before = reported_at_.value_or(now);
  note_interval(now);
  if (seen.settled <= seen_.settled && seen.arrived <= seen_.arrived &&
      seen.expected <= seen_.expected) {
    return;
  }
  news_at_ = now;
  note_delay(now, before, seen);
  note_arrivals(now, seen.arrived);
  note_loss(now, seen.settled, seen.arrived);
  seen_ = seen;
  set_window(now);
}

void FlightLimit::note_interval(Instant now) {
  constexpr int kWeight = 8;
  if (reported_at_) report_interval_ += (now - *reported_at_ - report_interval_) / kWeight;
  reported_at_ = now;
}

// `before`: when the report before it came. What that one did not tell of may have arrived soon
// after it.
void FlightLimit::note_delay(Instant now, Instant before, const Seen& seen) {
  if (!seen.sent_at || seen.expected <= seen_.expected) return;
  const Duration delay = now - *seen.sent_at;
  least_delay_ = std::min(least_delay_.value_or(delay), delay);
  const Duration usual = *least_delay_ + *least_delay_ / 4 + seen.lateness;
  const bool late = delay - std::min(now - before, kReportDelay) > usual + kLate;
  late_ = late ? late_ + 1 : 0;
  has_queue_ = has_queue_ || late_ >= kLateReports;
  // What came before there was a queue says nothing of the pace out of it.
  if (late_ == 1 && beginning_) {
    mark_count_ = std::min<std::size_t>(mark_count_, 1);
    if (mark_count_ > 0) marks_[0] = {now, seen.arrived};
    best_pace_ = {};
  }
}

void FlightLimit::note_arrivals(Instant now, std::uint64_t arrived) {
  if (arrived == seen_.arrived && mark_count_ > 0) return;
  const bool first = mark_count_ == 0;
  if (first || now - marks_[(mark_count_ - 1) % kMarks].at >= kMarkInterval) {
    marks_[mark_count_++ % kMarks] = {now, arrived};
    pace_ = measured_pace();
  }
  if (now - best_since_ >= kBestTime) {
    best_pace_ = {0, best_pace_[0]};
    best_since_ = now;
  }
  best_pace_[0] = std::max(best_pace_[0], pace_);
}

// Over the shortest time that is long enough, back from the newest mark.
double FlightLimit::measured_pace() const {
  const Mark& newest = marks_[(mark_count_ - 1) % kMarks];
  double pace = 0;
  const std::size_t kept = std::min(mark_count_, kMarks);
  for (std::size_t back = 2; back <= kept; ++back) {
    const Mark& mark = marks_[(mark_count_ - back) % kMarks];
    const std::uint64_t datagrams = newest.arrived - mark.arrived;
    pace = static_cast<double>(datagrams) / to_seconds(newest.at - mark.at);
    if (newest.at - mark.at >= kPaceTime && datagrams >= kPaceDatagrams) break;
  }
  return pace;
}

void FlightLimit::note_loss(Instant now, std::uint64_t settled, std::uint64_t arrived) {
  const std::uint64_t lost = settled - std::min(settled, arrived);
  if (lost > lost_ && own_loss_ == 0) {
    loss_seen_at_ = now;
    if (has_queue_ || late_ > 0) least_window_ = 1;
    // What is lost together is one loss.
    if (now - lost_at_ >= std::max(least_delay_.value_or(Duration(0)), kPaceTime)) {
      lost_at_ = now;
      queue_ /= 2;
    }
  }
  lost_ = std::max(lost_, lost);
  if (settled < round_.from) return;
  if (round_.settled < round_.from) round_ = {round_.from, settled, lost};
  const std::uint64_t count = settled - round_.settled;
  const bool enough = count >= (trial_pace_ ? kTrial : kRound);
  if (!enough && !(beginning_ && lost >= round_.lost + kLossesToJudge)) return;
  const double share = static_cast<double>(lost - std::min(lost, round_.lost)) /
                       static_cast<double>(std::max<std::uint64_t>(count, 1));
  if (enough || share > own_loss_ + kTellingShare) on_round(settled, lost, share);
}

// A loss that stays as it is with half of what the path carries is the path's own, and no reason to
// send less.
void FlightLimit::on_round(std::uint64_t settled, std::uint64_t lost, double share) {
  round_ = {settled, settled, lost};
  const double before = std::exchange(suspect_, 0);
  const bool has_queue = std::exchange(has_queue_, false) || late_ > 0;
  trial_pace_.reset();
  if (before > 0 && share >= std::max(kOwnLossShare * before, kTellingShare)) {
    own_loss_ = std::min({share, before, kMostOwnLoss});
    least_window_ = 2;
    begin_again(settled - lost);
  } else if (share > own_loss_ + kTellingShare && window_ && !has_queue && pace_ > kTrialPace) {
    beginning_ = false;
    suspect_ = share;
    trial_pace_ = pace_ / 2;
    // Those under way now have left too early to tell.
    round_.from = sent_;
  }
}

void FlightLimit::begin_again(std::uint64_t arrived) {
  beginning_ = true;
  begun_at_ = arrived;
  first_window_ = window_.value_or(static_cast<double>(options_.first_window));
}

Duration FlightLimit::round_trip() const {
  return least_delay_.value_or(Duration(0)) + report_interval_;
}

bool FlightLimit::is_fast(const Seen& seen) const {
  return late_ == 0 && bits(pace_) >= kSlow && seen.arrived >= kLeastForFast;
}

void FlightLimit::set_window(Instant now) {
  if (late_ >= kLateReports || is_fast(seen_)) beginning_ = false;
  if (is_fast(seen_)) {
    window_.reset();
    trial_pace_.reset();
    suspect_ = 0;
    return;
  }
  const auto late = static_cast<double>(seen_.late);
  if (beginning_) {
    const std::uint64_t growth = least_delay_ >= kLongDelay ? kLongGrowth : 1;
    const auto grown = static_cast<double>(growth * (seen_.arrived - begun_at_));
    if (late_ == 0) window_ = first_window_ + grown + late;
  } else {
    const double pace = std::max({pace_, best_pace_[0], best_pace_[1]});
    const bool lossy = loss_seen_at_ > Instant() && now - loss_seen_at_ < kLossMemory;
    const double round = to_seconds(round_trip()) * (lossy ? kLossyGain : kGain);
    const double sent = pace / (1 - own_loss_);
    window_ = std::max(sent * (round + to_seconds(queue_)), least_window_) + late;
  }
}

std::optional<double> FlightLimit::trial_rate() const {
  if (!trial_pace_) return std::nullopt;
  return bits(*trial_pace_);
}

double FlightLimit::best_pace() const {
  return bits(std::max(best_pace_[0], best_pace_[1]));
}

std::optional<double> FlightLimit::queue_pace() const {
  if (late_ < kLateReports || pace_ <= 0 || bits(pace_) >= kSlow) return std::nullopt;
  return bits(pace_);
}

// Twice what the next arrival takes, or a second where no pace is known.
Duration FlightLimit::patience() const {
  if (pace_ <= 0) return kMostPatience;
  const Duration wait =
      from_seconds(2 / pace_) + 2 * least_delay_.value_or(Duration(0)) + report_interval_;
  return std::clamp(wait, kLeastPatience, kMostPatience);
}

Instant FlightLimit::next() const {
  return std::max(news_at_, sent_at_) + patience();
}

std::uint64_t FlightLimit::may_send(Instant now) const {
  if (suspended_ || trial_pace_) return kNoLimit;
  const bool first = mark_count_ == 0;
  if (!first && !window_) return kNoLimit;
  const auto window =
      first ? options_.first_window : static_cast<std::uint64_t>(window_.value_or(0) + 0.5);
  const std::uint64_t under_way = sent_ - std::min(sent_, seen_.settled);
  if (under_way < window) return window - under_way;
  return now >= next() ? 1 : 0;
}

}  // namespace wyndrvr::engine
