// Circuit breaker (RFC 8085 section 3.1.10): ends a test whose path loses most of what is sent.
//
// Judges periods of a second by cumulative counts: five in a row with more than half lost trip it
// for good. A period in which nothing was sent tells nothing, and neither counts nor interrupts.
// Pure.
//
// `sent` is the sender's own count and `received` what the newest report tells, as of the same
// moment at the sender. What is under way then looks lost for a while; a count up to the highest
// number that was received would not do, since it stands still when nothing arrives any more.
//
// Example, with each report:
//   breaker.on_figures(now, {.sent = sent, .received = report.figures.unique});
//   if (breaker.tripped()) return stop_test(StopReason::kSustainedLoss);
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.hpp"

namespace wyndrvr::engine {

class LossBreaker {
 public:
  static constexpr Duration kPeriod = 1s;
  static constexpr int kPeriodsToTrip = 5;
  // Fewer datagrams than this in the bad periods may be lost by chance: those go on counting, and
  // the breaker waits for more.
  static constexpr std::uint64_t kMinDatagrams = 20;

  // Since the test's beginning, in datagrams: different ones, by N.
  struct Figures {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
  };

  explicit LossBreaker(Instant now) : period_began_(now) {}

  // Figures older than those before them (fewer sent or received) are ignored.
  void on_figures(Instant now, const Figures& figures) {
    if (tripped_ || figures.sent < last_.sent || figures.received < last_.received) return;
    last_ = figures;
    if (now - period_began_ < kPeriod) return;
    judge(figures.sent - begin_.sent, figures.received - begin_.received);
    begin_ = figures;
    period_began_ = now;
  }

  // Stays so.
  [[nodiscard]] bool tripped() const { return tripped_; }

 private:
  void judge(std::uint64_t sent, std::uint64_t received) {
    if (sent == 0) return;
    const std::uint64_t lost = sent - std::min(sent, received);
    if (lost <= sent - lost) {  // at most half
      bad_periods_ = 0;
      bad_datagrams_ = 0;
      return;
    }
    ++bad_periods_;
    bad_datagrams_ += sent;
    tripped_ = bad_periods_ >= kPeriodsToTrip && bad_datagrams_ >= kMinDatagrams;
  }

  Instant period_began_;
  Figures begin_;  // when the period began
  Figures last_;
  int bad_periods_ = 0;  // in a row
  std::uint64_t bad_datagrams_ = 0;
  bool tripped_ = false;
};

}  // namespace wyndrvr::engine
