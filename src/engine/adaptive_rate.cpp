#include "engine/adaptive_rate.hpp"

#include <algorithm>

namespace wyndrvr::engine {
namespace {

double bits_of(std::size_t octets) {
  return 8.0 * static_cast<double>(octets);
}

RateController::Options controller_options(const AdaptiveRate::Options& options) {
  return {.adjustment_delay = options.adjustment_delay,
          .initial = options.initial,
          .least = BitRate{bits_of(options.packet_size)}};
}

}  // namespace

AdaptiveRate::AdaptiveRate(const Options& options, Instant now)
    : options_(options),
      controller_(controller_options(options), now),
      own_flight_(
          {.first_window = options.first_window, .datagram_bits = bits_of(options.packet_size)}) {}

void AdaptiveRate::on_sent(Instant now, ByteCount bytes, std::uint64_t packets) {
  history_.on_sent(now, sent_);
  sent_ += packets;
  flight().on_sent(now, packets);
  controller_.on_sent(bytes, packets);
}

void AdaptiveRate::on_counts(Instant now, const ReceiverTotals& totals, bool judge,
                             std::optional<Duration> above_least) {
  has_counts_ = true;
  newest_ = {totals.expected, totals.unique, totals.reordered, totals.socket_drops};
  const Counts counts = since_restart(newest_);
  controller_.on_receiver_drops(counts.socket_drops);
  const ArrivalCount::Report report{counts.sent, counts.arrived, counts.reordered};
  if (counts.sent > sent_ || !arrivals_.on_report(now, report, history_)) return;
  const bool reorders = arrivals_.reorders();
  tell_flight(now, {.at = now,
                    .settled = arrivals_.settled(),
                    .arrived = arrivals_.unique(),
                    .sent_at = sent_at(counts.sent),
                    .expected = counts.sent,
                    .late = arrivals_.late(),
                    .lateness = reorders ? ArrivalCount::kLateness : Duration(0),
                    .above_least = above_least});
  if (judge) {
    controller_.on_feedback(now, {.sent = arrivals_.settled(),
                                  .received = arrivals_.unique(),
                                  .late = reorders ? arrivals_.late_at_most(now, history_) : 0,
                                  .windowed = flight().limited(),
                                  .best_pace = BitRate{flight().best_pace()}});
  }
  heed_queue();
}

std::optional<Instant> AdaptiveRate::sent_at(std::uint64_t expected) const {
  return expected > 0 ? history_.sent_at(expected - 1) : std::nullopt;
}

void AdaptiveRate::on_missing(Instant now, RateController::Feedback feedback) {
  if (has_counts_) return;
  newest_ = {.sent = feedback.sent, .arrived = feedback.received};
  const Counts counts = since_restart(newest_);
  feedback.sent = counts.sent;
  feedback.received = counts.arrived;
  if (!feedback.newest) {
    flight().suspend();
  } else if (feedback.sent <= sent_) {
    tell_flight(now, {.at = now,
                      .settled = feedback.sent,
                      .arrived = feedback.received,
                      .sent_at = sent_at(feedback.sent),
                      .expected = feedback.sent});
  }
  feedback.windowed = flight().limited();
  feedback.best_pace = BitRate{flight().best_pace()};
  controller_.on_feedback(now, feedback);
  heed_queue();
}

void AdaptiveRate::restart(Instant now, std::size_t packet_size) {
  Options options = options_;
  options.packet_size = packet_size;
  AdaptiveRate anew(options, now);
  anew.before_ = newest_;
  anew.before_.sent = before_.sent + sent_;
  anew.newest_ = newest_;
  anew.has_counts_ = has_counts_;
  *this = anew;
}

AdaptiveRate::Counts AdaptiveRate::since_restart(const Counts& all) const {
  const auto less = [](std::uint64_t from, std::uint64_t before) {
    return from - std::min(from, before);
  };
  Counts counts;
  counts.sent = less(all.sent, before_.sent);
  counts.arrived = less(all.arrived, before_.arrived);
  // What was sent before may still come.
  if (before_.sent > 0) counts.arrived = std::min(counts.arrived, counts.sent);
  counts.reordered = less(all.reordered, before_.reordered);
  counts.socket_drops = less(all.socket_drops, before_.socket_drops);
  return counts;
}

BitRate AdaptiveRate::rate() const {
  const auto most = flight().trial_rate();
  return most ? std::min(controller_.rate(), BitRate{*most}) : controller_.rate();
}

// A report without news counts for the interval between reports only.
void AdaptiveRate::tell_flight(Instant now, const FlightLimit::Seen& seen) {
  flight().on_report(now, seen_, seen);
  const bool news = seen.settled > seen_.settled || seen.arrived > seen_.arrived ||
                    seen.expected > seen_.expected;
  if (news) seen_ = seen;
  seen_.at = now;
}

void AdaptiveRate::heed_queue() {
  if (const auto pace = flight().queue_pace()) controller_.on_queue(BitRate{*pace});
}

}  // namespace wyndrvr::engine
