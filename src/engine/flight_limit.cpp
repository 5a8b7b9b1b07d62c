#include "engine/flight_limit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace wyndrvr::engine {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
constexpr Duration kMostQueue = 60ms;    // that the window leaves room for; halved with each loss
constexpr Duration kReportDelay = 50ms;  // from arrival to report, unless one was lost
constexpr Duration kLate = 35ms;         // more than the least delay: a queue
constexpr int kLateReports = 2;          // in a row: no moment of a host's,
constexpr Duration kLateSpacing = 3ms;   // so far apart, since several streams report at once
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
constexpr Duration kNewPacePatience = 300ms;  // while a pace is measured anew
constexpr Duration kMostPatience = 1s;        // the least rate is one datagram a second

}  // namespace

FlightLimit::FlightLimit(const Options& options)
    : options_(options),
      first_window_(static_cast<double>(options.first_window)),
      queue_(kMostQueue) {}

void FlightLimit::on_sent(Instant now, std::uint64_t packets) {
  history_.on_sent(now, sent_);
  sent_ += packets;
  sent_at_ = now;
}

void FlightLimit::on_report(Instant now, const Seen& before, const Seen& seen) {
  suspended_ = false;
  note_interval(now, before);
  if (seen.settled <= before.settled && seen.arrived <= before.arrived &&
      seen.expected <= before.expected) {
    return;
  }
  news_at_ = now;
  // A count that falls wraps here, and the sum is right again.
  Seen all = seen_;
  all.settled += seen.settled - before.settled;
  all.arrived += seen.arrived - before.arrived;
  all.expected += seen.expected - before.expected;
  all.late += seen.late - before.late;
  if (seen.sent_at) all.sent_at = std::max(all.sent_at.value_or(*seen.sent_at), *seen.sent_at);
  note_delay(now, before, seen);
  note_arrivals(now, all.arrived);
  note_loss(now, all.settled, all.arrived);
  seen_ = all;
  set_window(now);
}

void FlightLimit::note_interval(Instant now, const Seen& before) {
  constexpr int kWeight = 8;
  if (!before.at) return;
  Duration interval = now - *before.at;
  // A stream reports new arrivals within kReportDelay. Most reports of many streams have no news.
  if (options_.streams > 1) interval = std::min(interval, kReportDelay);
  report_interval_ += (interval - report_interval_) / kWeight;
}

// The time to the report includes the queue of the way back, and the one-way delay includes the
// drift of the two clocks. A queue of this way raises both.
void FlightLimit::note_delay(Instant now, const Seen& before, const Seen& seen) {
  if (!seen.sent_at || seen.expected <= before.expected) return;
  constexpr int kWeight = 4;
  const Duration delay = now - *seen.sent_at;
  least_delay_ = std::min(least_delay_.value_or(delay), delay);
  // What the report before did not tell of may have arrived soon after it.
  const Duration waited = std::min(now - before.at.value_or(now), kReportDelay);
  const Duration above = delay - waited - *least_delay_;
  const Duration usual = *least_delay_ / 4 + seen.lateness + kLate;
  const bool late = above > usual && seen.above_least.value_or(above) > usual;
  note_late(now, late, seen_.arrived + seen.arrived - before.arrived);
  if (!seen.above_least) return;
  const Duration back = delay - waited - *seen.above_least;
  if (!back_delay_) back_delay_ = back;
  *back_delay_ += (back - *back_delay_) / kWeight;
}

void FlightLimit::note_late(Instant now, bool late, std::uint64_t arrived) {
  if (!late) {
    late_ = 0;
    return;
  }
  if (late_ > 0 && now - late_at_ < kLateSpacing) return;
  ++late_;
  late_at_ = now;
  has_queue_ = has_queue_ || late_ >= kLateReports;
  // What came before there was a queue says nothing of the pace out of it.
  if (late_ == 1 && beginning_) {
    mark_count_ = std::min<std::size_t>(mark_count_, 1);
    if (mark_count_ > 0) marks_[0] = {now, arrived};
    best_pace_ = {};
    pace_ = 0;
    paced_since_ = now;
  }
}

void FlightLimit::note_arrivals(Instant now, std::uint64_t arrived) {
  if (arrived == seen_.arrived && mark_count_ > 0) return;
  const bool first = mark_count_ == 0;
  if (first || now - marks_[(mark_count_ - 1) % kMarks].at >= kMarkInterval) {
    marks_[mark_count_++ % kMarks] = {now, arrived};
    // Reports that came at once show a pace too high over less time.
    const bool is_new = paced_since_ > Instant() && now - paced_since_ < kPaceTime;
    pace_ = is_new ? 0 : measured_pace();
  }
  if (now - best_since_ >= kBestTime) {
    best_pace_ = {0, best_pace_[0]};
    best_since_ = now;
  }
  best_pace_[0] = std::max(best_pace_[0], pace_);
  clean_pace_ = std::max(clean_pace_, pace_);
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
    clean_pace_ = pace_;
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
  } else if (share > own_loss_ + kTellingShare && window_ && !has_queue) {
    beginning_ = false;
    // Each stream may send one datagram at once when a trial begins.
    if (pace_ <= kTrialPace * static_cast<double>(options_.streams)) return;
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

// The gain is not for the queue of the way back, which may take a second.
Duration FlightLimit::round_trip(double gain) const {
  const Duration least = least_delay_.value_or(Duration(0));
  const Duration back = std::max(back_delay_.value_or(least) - least, Duration(0));
  return from_seconds(to_seconds(least + report_interval_) * gain) + back;
}

bool FlightLimit::is_fast() const {
  return late_ == 0 && bits(pace_) >= kSlow && seen_.arrived >= kLeastForFast;
}

void FlightLimit::set_window(Instant now) {
  if (late_ >= kLateReports || is_fast()) beginning_ = false;
  if (is_fast()) {
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
    // One datagram leaves for each that arrives until the pace is known: the queue stays as it is.
    if (late_ == 1) window_ = std::min(window_.value_or(least_window_), held());
  } else if (const double pace = best_of_late(); pace > 0) {
    const bool lossy = loss_seen_at_ > Instant() && now - loss_seen_at_ < kLossMemory;
    const double round = to_seconds(round_trip(lossy ? kLossyGain : kGain));
    const double sent = pace / (1 - own_loss_);
    window_ = std::max(sent * (round + to_seconds(queue_)), least_window_) + late;
  }
}

double FlightLimit::held() const {
  return std::max(static_cast<double>(under_way()), least_window_);
}

double FlightLimit::best_of_late() const {
  return std::max({pace_, best_pace_[0], best_pace_[1]});
}

std::optional<double> FlightLimit::trial_rate() const {
  if (!trial_pace_) return std::nullopt;
  return share(*trial_pace_);
}

double FlightLimit::share(double datagrams) const {
  return bits(datagrams) / static_cast<double>(options_.streams);
}

double FlightLimit::best_pace() const {
  return share(std::max(best_pace_[0], best_pace_[1]));
}

std::optional<double> FlightLimit::queue_pace() const {
  if (late_ < kLateReports || pace_ <= 0 || bits(pace_) >= kSlow) return std::nullopt;
  const double best = std::max(best_pace_[0], best_pace_[1]);
  // Without a one-way delay it may be the queue of the way back.
  return share(back_delay_ ? best : std::max(best, clean_pace_));
}

// Twice what the next arrival takes, or a second where no pace is known.
Duration FlightLimit::patience() const {
  if (pace_ <= 0) return paced_since_ > Instant() ? kNewPacePatience : kMostPatience;
  const Duration wait =
      from_seconds(2 / pace_) + 2 * least_delay_.value_or(Duration(0)) + report_interval_;
  return std::clamp(wait, kLeastPatience, kMostPatience);
}

Instant FlightLimit::next() const {
  return std::max(news_at_, sent_at_) + patience();
}

// A loss shows with the stream's next datagram only, which takes long where there are many streams.
// A later datagram of another stream that has arrived shows it sooner.
std::uint64_t FlightLimit::under_way() const {
  const std::uint64_t untold = sent_ - std::min(sent_, seen_.settled);
  if (!seen_.sent_at || options_.streams == 1) return untold;
  const std::uint64_t passed = history_.sent_before(*seen_.sent_at) + 1;
  return std::min(untold, sent_ - passed);
}

std::uint64_t FlightLimit::may_send(Instant now) const {
  if (suspended_ || trial_pace_) return kNoLimit;
  const bool first = mark_count_ == 0;
  if (!first && !window_) return kNoLimit;
  const auto window =
      first ? options_.first_window : static_cast<std::uint64_t>(std::llround(window_.value_or(0)));
  const std::uint64_t used = under_way();
  if (used < window) return window - used;
  return now >= next() ? 1 : 0;
}

}  // namespace wyndrvr::engine
