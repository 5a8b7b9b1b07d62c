// Collects the round trips of one port in one phase. Allocates its histograms with the first
// sample and never again.
#pragma once

#include <memory>
#include <optional>

#include "base/time.hpp"
#include "engine/totals.hpp"
#include "stats/jitter.hpp"
#include "stats/latency_summary.hpp"
#include "stats/running_stats.hpp"

namespace wyndrvr::engine {

struct RoundTrip {
  Duration rtt{};              // arrival by the kernel's stamp - T
  Duration application_rtt{};  // when the program read it - T
  // By kernel stamps at our side, less the turnaround that this answer told; the one that counts
  // (on_network_rtt) may come later and be more exact.
  std::optional<Duration> network_rtt;
};

class LatencyTally {
 public:
  void on_answer(const RoundTrip& sample);
  // Of an answer that was counted before.
  void on_network_rtt(Duration network_rtt) { recorders_->network_rtt.record(network_rtt); }
  void on_lost() { ++lost_; }
  void on_skipped(std::uint64_t slots) { skipped_ += slots; }
  [[nodiscard]] LatencyTotals totals() const;

 private:
  struct Recorders {
    stats::LatencyRecorder rtt;
    stats::LatencyRecorder application_rtt;
    stats::LatencyRecorder network_rtt;
  };

  std::uint64_t received_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t skipped_ = 0;
  stats::InterarrivalJitter jitter_;
  std::unique_ptr<Recorders> recorders_;
};

// Of a side that measures only means: the server's.
[[nodiscard]] LatencyTotals latency_of(const stats::RunningStats& rtt_ns);

}  // namespace wyndrvr::engine
