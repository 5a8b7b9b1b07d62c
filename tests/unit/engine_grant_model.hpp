// A model of one test's data and reports: a sender that doubles its rate every 100 ms, a link, and
// a receiver that grants. Time goes in steps of 1 ms; octets are a fluid, numbered by their sum.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/random.hpp"
#include "engine/grant.hpp"

namespace wyndrvr::engine::testing {

class GrantModel {
 public:
  struct Options {
    double start_bps = 10e6;
    double top_bps = 10e9;                   // the ramp ends here
    std::optional<BitRate> limit{};          // what the receiver grants by
    double link_bps = 1e12;                  // more than this is lost
    Duration delay{};                        // one way, the same both ways
    double report_loss = 0;                  // a probability
    Instant outage_begins = Instant::max();  // all data is lost,
    Instant outage_ends = Instant::max();    // until then
    Instant receiver_dies = Instant::max();  // sends nothing any more
    std::uint64_t seed = 1;
  };

  explicit GrantModel(const Options& options)
      : options_(options),
        granter_({.limit = options.limit, .datagram = {kDatagram}}),
        random_(options.seed) {}

  // Advances by 1 ms. Before any octet leaves, all that has arrived by then is dealt with.
  void step() {
    now_ += kStep;
    deliver_data();
    report();
    deliver_reports();
    send();
  }

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] double wanted() const { return wanted_; }     // octets in all, without grants
  [[nodiscard]] std::uint64_t sent() const { return sent_; }  // octets in all
  [[nodiscard]] std::uint64_t arrived() const { return arrived_; }
  [[nodiscard]] std::uint64_t granted_at_sender() const { return highest_grant_; }
  [[nodiscard]] std::uint64_t reports() const { return reports_; }
  [[nodiscard]] std::optional<Instant> last_report() const { return last_report_; }
  [[nodiscard]] std::uint32_t newest_report() const { return newest_report_; }
  [[nodiscard]] Instant last_sent() const { return last_sent_; }
  Allowance& allowance() { return allowance_; }

 private:
  static constexpr Duration kStep = 1ms;
  static constexpr std::uint64_t kDatagram = 1200;
  static constexpr std::size_t kRateSteps = 100;  // the rate is over the last 100 ms

  struct Burst {
    Instant arrives;
    std::uint64_t sent_until = 0;  // sum of all octets sent so far
    std::uint64_t arriving = 0;
  };
  struct FlyingReport {
    Instant arrives;
    Grant grant;
  };

  void deliver_data() {
    std::uint64_t arriving = 0;
    for (; !bursts_.empty() && bursts_.front().arrives <= now_; bursts_.pop_front()) {
      arriving += bursts_.front().arriving;
      if (bursts_.front().arriving > 0) seen_ = bursts_.front().sent_until;
    }
    arrived_ += arriving;
    in_window_ += arriving - steps_[step_];
    steps_[step_] = arriving;
    step_ = (step_ + 1) % kRateSteps;
  }

  void report() {
    if (now_ >= options_.receiver_dies) return;
    const Granter::Seen seen{
        .octets = {seen_}, .rate = rate_of({in_window_}, 100ms), .round_trip = 2 * options_.delay};
    if (now_ < granter_.due(seen)) return;
    ++reports_;
    const Grant grant = granter_.grant(now_, seen);
    if (random_.chance(options_.report_loss)) return;
    flying_.push_back({.arrives = now_ + options_.delay, .grant = grant});
  }

  void deliver_reports() {
    for (; !flying_.empty() && flying_.front().arrives <= now_; flying_.pop_front()) {
      const Grant& grant = flying_.front().grant;
      allowance_.on_report(now_, grant.report_number, grant.granted, grant.valid_for);
      if (!last_report_) began_ = now_;
      last_report_ = now_;
      newest_report_ = grant.report_number;
      highest_grant_ = std::max(highest_grant_, grant.granted.value);
    }
  }

  // What a sender without grants has sent since the first report. One that was held back does not
  // make up for it.
  void send() {
    if (!last_report_) return;
    const double ramp = options_.start_bps * std::exp2(to_seconds(now_ - began_) / 0.1);
    const double octets = std::min(ramp, options_.top_bps) / 8 * to_seconds(kStep);
    wanted_ += octets;
    carry_ += octets;
    const auto whole = static_cast<std::uint64_t>(carry_);
    carry_ -= static_cast<double>(whole);
    const std::uint64_t leaving = std::min(whole, allowance_.may_send(now_).value);
    if (leaving == 0) return;
    allowance_.on_sent({leaving});
    sent_ += leaving;
    last_sent_ = now_;
    const auto room = static_cast<std::uint64_t>(options_.link_bps / 8 * to_seconds(kStep));
    const bool outage = now_ >= options_.outage_begins && now_ < options_.outage_ends;
    bursts_.push_back({.arrives = now_ + options_.delay,
                       .sent_until = sent_,
                       .arriving = outage ? 0 : std::min(leaving, room)});
  }

  Options options_;
  Granter granter_;
  Allowance allowance_;
  base::Random random_;
  Instant now_;
  Instant began_;
  std::deque<Burst> bursts_;
  std::deque<FlyingReport> flying_;
  std::array<std::uint64_t, kRateSteps> steps_{};
  std::size_t step_ = 0;
  std::uint64_t in_window_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t arrived_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t reports_ = 0;
  std::uint64_t highest_grant_ = 0;
  std::uint32_t newest_report_ = 0;
  double wanted_ = 0;
  double carry_ = 0;
  std::optional<Instant> last_report_;
  Instant last_sent_;
};

}  // namespace wyndrvr::engine::testing
