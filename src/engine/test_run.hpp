// One direction of a client's test while it runs: what the two ends have said so far, and the
// outcome that comes of it. Of either dialect. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "engine/interval_log.hpp"
#include "engine/message.hpp"
#include "engine/port_kind.hpp"
#include "engine/quiet_meter.hpp"
#include "engine/report.hpp"
#include "engine/result.hpp"
#include "engine/totals.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::engine {

class TestRun {
 public:
  // `outcome` holds what is known beforehand.
  TestRun(const TestPlan& plan, TestOutcome outcome) : plan_(plan), outcome_(std::move(outcome)) {}

  void on_started(Instant now, const TestStarted& started);
  // Each returns what is to be shown, where it is time for that.
  [[nodiscard]] std::optional<TestProgress> on_sender_progress(Instant now,
                                                               const SenderTotals& totals);
  // Of what has not grown, or was told before (in dialect 1 a sender repeats the newest report each
  // interval), it is shown that nothing was received.
  [[nodiscard]] std::optional<Report> on_receiver_progress(Instant now,
                                                           const ReceiverTotals& totals);
  // The same where no progress comes at all.
  [[nodiscard]] std::optional<NothingReceived> poll_silence(Instant now);
  // Only while there is no result.
  [[nodiscard]] Instant silence_deadline() const { return quiet_.deadline(); }
  // The last word on it: of a 0.14 server, or of the test's control in dialect 1.
  void on_result(const wire::TestResult& result);
  void on_reported(const TestReported& reported);
  // Ended before its time.
  void on_broken() { outcome_.broken = true; }
  // At the end of its port: final figures of the sender on this host.
  void on_sender_totals(const SenderTotals& totals) { outcome_.sender = totals; }
  // The same of its receiver, here or as its reports tell it.
  void on_receiver_totals(const ReceiverTotals& totals);
  // No result comes any more: what is known so far is what there is.
  void close_without_result();

  [[nodiscard]] const TestPlan& plan() const { return plan_; }
  [[nodiscard]] PortKind direction() const { return plan_.direction; }
  [[nodiscard]] bool started() const { return start_.has_value(); }
  [[nodiscard]] bool has_result() const { return outcome_.has_result; }
  // When its time is over.
  [[nodiscard]] Instant end() const { return start_.value_or(Instant()) + duration_; }
  [[nodiscard]] Duration duration() const { return duration_; }
  [[nodiscard]] const TestOutcome& outcome() const { return outcome_; }

 private:
  // Beyond what fits the time: those that were held up on the way.
  static constexpr std::uint64_t kSpareProgresses = 3;
  // A second, less what a progress that comes each second may be early.
  static constexpr Duration kShortestSilence = 900ms;

  // Where a progress comes that tells nothing new.
  [[nodiscard]] std::optional<NothingReceived> silence_of_progress(Instant now);
  [[nodiscard]] NothingReceived silence(Instant now) const;
  void close_intervals();
  [[nodiscard]] Duration intervals_end() const;

  TestPlan plan_;
  TestOutcome outcome_;
  std::optional<Instant> start_;
  Duration duration_{};
  unsigned sender_reports_ = 0;
  std::optional<ReceiverTotals> receiver_;  // the newest progress
  Instant grown_at_;                        // when it last told of more than before
  std::uint64_t progresses_ = 0;            // taken
  QuietMeter quiet_{Instant()};
  IntervalLog intervals_;
};

}  // namespace wyndrvr::engine
