// The sending rate of a test without a fixed one, and how many datagrams may be under way: what the
// receiver's reports make of both. Joins RateController (the rate), FlightLimit (the window) and
// ArrivalCount (what the reports say where the path reorders). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/arrival_count.hpp"
#include "engine/flight_limit.hpp"
#include "engine/rate_controller.hpp"
#include "engine/send_history.hpp"
#include "engine/totals.hpp"

namespace wyndrvr::engine {

class AdaptiveRate {
 public:
  struct Options {
    Duration adjustment_delay = 1s;
    BitRate initial = RateController::kInitial;
    std::size_t packet_size = 0;  // octets of UDP payload; one datagram a second is the least rate
    FlightLimit* flight = nullptr;  // shared with other streams; absent: its own,
    std::uint64_t first_window = FlightLimit::kFirstWindow;  // with this
  };

  AdaptiveRate(const Options& options, Instant now);

  void on_sent(Instant now, ByteCount bytes, std::uint64_t packets);
  // The receiver's counts. The window follows all of them, the rate those that are to be judged by.
  // `above_least`: the newest datagram's one-way delay above the least.
  void on_counts(Instant now, const ReceiverTotals& totals, bool judge,
                 std::optional<Duration> above_least);
  // 0.14: what FLOW_CONTROL says. Not heeded once the receiver tells its counts, which say more.
  void on_missing(Instant now, RateController::Feedback feedback);
  // Datagrams are so long from now on, and nothing before counts: it was lost for its length. A
  // shared window is its owner's to begin anew.
  void restart(Instant now, std::size_t packet_size);

  [[nodiscard]] BitRate rate() const;
  [[nodiscard]] bool may_coalesce() const { return controller_.may_coalesce(); }
  // Datagrams.
  [[nodiscard]] std::uint64_t may_send(Instant now) const { return flight().may_send(now); }
  // Where none may leave: when one may, if no report comes before.
  [[nodiscard]] Instant window_opens() const { return flight().next(); }

 private:
  // Of the highest number before `expected`, where that is known.
  [[nodiscard]] std::optional<Instant> sent_at(std::uint64_t expected) const;
  void tell_flight(Instant now, const FlightLimit::Seen& seen);
  void heed_queue();
  [[nodiscard]] FlightLimit& flight() { return options_.flight ? *options_.flight : own_flight_; }
  [[nodiscard]] const FlightLimit& flight() const {
    return options_.flight ? *options_.flight : own_flight_;
  }

  // As of the last restart, and less what was so then.
  struct Counts {
    std::uint64_t sent = 0;  // by us, or as far as the highest number received tells
    std::uint64_t arrived = 0;
    std::uint64_t reordered = 0;
    std::uint64_t socket_drops = 0;
  };
  [[nodiscard]] Counts since_restart(const Counts& all) const;

  Options options_;
  Counts before_;
  Counts newest_;  // all that was reported
  RateController controller_;
  FlightLimit own_flight_;
  FlightLimit::Seen seen_;  // as told the limit
  SendHistory history_;
  ArrivalCount arrivals_;
  std::uint64_t sent_ = 0;
  bool has_counts_ = false;
};

}  // namespace wyndrvr::engine
