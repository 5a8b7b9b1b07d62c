// The sending rate of a test without a fixed one, adjusted from what the receiver's reports show
// lost.
//
// Starts at `initial` and doubles with every clean report, until loss or a growing backlog shows;
// from then on it adjusts every adjustment_delay: up by a little while loss stays at the path's own
// level, else down to what was delivered. Loss that does not fall when the rate falls is the path's
// own (random) loss, and no reason to slow down; see docs/adr/0004-rate-control.md. Pure.
//
// Example:
//   controller.on_sent(bytes);
//   controller.on_feedback(now, {.sent = 100, .received = 97});
//   pacer.on_sent(now, bytes, controller.rate());
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/delivery_pace.hpp"

namespace wyndrvr::engine {

class RateController {
 public:
  static constexpr BitRate kInitial{10e6};
  static constexpr BitRate kMaximum{400e9};

  struct Options {
    Duration adjustment_delay = 1s;
    BitRate initial = kInitial;
    BitRate least{};  // the rate never falls below it
  };

  // Cumulative, in datagrams: of the first `sent`, the receiver has `received`. A statement about
  // any prefix of what was sent will do.
  struct Feedback {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    bool newest = true;  // the prefix reaches to the newest datagram that the receiver has seen
    // Where the path reorders: so many more of those sent before may come later than the newest.
    std::uint64_t late = 0;
    // What is under way is limited (FlightLimit): that bounds the queue, and not the rate.
    bool windowed = false;
    BitRate best_pace{};  // at which datagrams arrived lately; 0: not known
  };

  RateController(const Options& options, Instant now);

  void on_sent(ByteCount bytes, std::uint64_t packets = 1) {
    sent_bytes_ += bytes.value;
    sent_packets_ += packets;
  }
  void on_feedback(Instant now, const Feedback& feedback);
  // Of the datagrams lost so far, those that the receiver's own socket threw away: the host there
  // is too slow, but the path is no worse for bursts.
  void on_receiver_drops(std::uint64_t drops);
  // A queue of the path grows, from which datagrams come out at this pace: no ramp any more.
  void on_queue(BitRate pace);

  [[nodiscard]] BitRate rate() const { return rate_; }
  // Whether bursts do no harm here: no loss for a while.
  [[nodiscard]] bool may_coalesce() const { return clean_periods_ > 0; }
  // Loss ratio that the path has at any rate, as far as seen.
  [[nodiscard]] double path_loss() const { return path_loss_; }

 private:
  struct Period {
    double loss = 0;
    double progress = 1;  // how far the receiver got, in datagrams, per datagram sent
    BitRate sent;
    std::optional<BitRate> pace;  // at which datagrams arrived, where that is known
    std::uint64_t packets = 0;
  };
  // Deltas since `from`; nothing meaningful for an empty one.
  struct Mark {
    Instant at;
    Feedback feedback;
    std::uint64_t sent_bytes = 0;
    std::uint64_t sent_packets = 0;
  };

  [[nodiscard]] Period period_since(const Mark& mark, Instant now, const Feedback& feedback) const;
  [[nodiscard]] bool may_adjust(Instant now, const Feedback& feedback) const;
  [[nodiscard]] Mark mark_now(Instant now, const Feedback& feedback) const;
  [[nodiscard]] bool is_clean(const Period& period) const;
  void note_pace(Instant now, const Feedback& feedback);
  // Datagrams a second, as a rate.
  [[nodiscard]] BitRate rate_of_pace(double per_second) const;
  // `step_is_known`: the receiver has told of datagrams sent since the last step.
  void ramp(Instant now, const Period& period, bool step_is_known);
  void step_up();
  void on_stall(Instant now, const Period& period);
  void adjust(const Period& period);
  [[nodiscard]] bool loss_is_explained() const;
  void cut(const Period& period);
  // The rate that brings `pace` to the receiver through the path's own loss.
  [[nodiscard]] BitRate sustaining(BitRate pace) const { return pace * (1 / (1 - path_loss_)); }
  void follow(BitRate carried);
  void lower_to(BitRate carried);
  void ramp_again();

  Options options_;
  BitRate rate_;
  bool ramping_ = true;
  bool limit_seen_ = false;  // some rate was too much
  DeliveryPace pace_;
  BitRate last_pace_;
  std::uint64_t ramp_gate_ = 0;  // datagrams sent when the ramp took its last step
  std::uint64_t pace_gate_ = 0;  // and when it reached its highest rate
  BitRate highest_;
  int slow_periods_ = 0;     // in a row, after the ramp
  int stalled_reports_ = 0;  // in a row, while ramping
  Instant stalled_since_;    // the first of them
  BitRate carried_;          // by the path, for longer than a moment
  bool windowed_ = false;    // by the newest feedback
  BitRate best_pace_;        // by the same
  bool returning_ = false;   // to that, after the rate was lowered
  double path_loss_ = 0;
  double loss_before_cut_ = 0;  // 0: the last adjustment was no cut
  BitRate rate_before_cut_;
  std::uint64_t judge_after_ = 0;  // the lower rate counts from this datagram on,
  Instant judge_by_;               // and from then on at the latest
  int clean_periods_ = 1;
  std::uint64_t lost_ = 0;            // as of the newest feedback
  std::uint64_t receiver_drops_ = 0;  // of them
  std::uint64_t excused_ = 0;         // lost otherwise, and forgiven by now
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t sent_packets_ = 0;
  Mark ramp_mark_;
  Mark adjust_mark_;
};

}  // namespace wyndrvr::engine
