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
    : controller_(controller_options(options), now),
      shared_flight_(options.flight),
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
  controller_.on_receiver_drops(totals.socket_drops);
  const ArrivalCount::Report report{totals.expected, totals.unique, totals.reordered};
  if (totals.expected > sent_ || !arrivals_.on_report(now, report, history_)) return;
  const bool reorders = arrivals_.reorders();
  tell_flight(now, {.at = now,
                    .settled = arrivals_.settled(),
                    .arrived = arrivals_.unique(),
                    .sent_at = sent_at(totals.expected),
                    .expected = totals.expected,
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
