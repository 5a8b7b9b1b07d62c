#include "engine/latency_tally.hpp"

namespace wyndrvr::engine {

void LatencyTally::on_answer(const RoundTrip& sample) {
  if (!recorders_) recorders_ = std::make_unique<Recorders>();
  ++received_;
  jitter_.record(sample.rtt);
  recorders_->rtt.record(sample.rtt);
  recorders_->application_rtt.record(sample.application_rtt);
}

LatencyTotals LatencyTally::totals() const {
  LatencyTotals totals;
  totals.sent = received_ + lost_;
  totals.received = received_;
  totals.lost = lost_;
  totals.skipped = skipped_;
  totals.jitter = jitter_.value();
  if (!recorders_) return totals;
  totals.rtt = recorders_->rtt.summary();
  totals.application_rtt = recorders_->application_rtt.summary();
  totals.network_rtt = recorders_->network_rtt.summary();
  return totals;
}

LatencyTotals latency_of(const stats::RunningStats& rtt_ns) {
  LatencyTotals totals;
  totals.sent = rtt_ns.count();
  totals.received = rtt_ns.count();
  if (const auto mean = rtt_ns.mean()) {
    stats::LatencySummary summary;
    summary.count = rtt_ns.count();
    summary.mean = Duration(static_cast<std::int64_t>(*mean));
    totals.rtt = summary;
  }
  return totals;
}

}  // namespace wyndrvr::engine
