// The pace at which datagrams reach a receiver, by its reports: over a stretch long enough that
// neither a burst of a shaper nor a report that was held up makes much of it. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/time.hpp"

namespace wyndrvr::engine {

class DeliveryPace {
 public:
  static constexpr Duration kStretch = 50ms;
  // At a low rate a stretch lasts until so many have come, or for so long.
  static constexpr std::uint64_t kDatagrams = 4;
  static constexpr Duration kLongestStretch = 1s;

  // `received`: datagrams in all, of which the sender hears at `now`.
  void on_report(Instant now, std::uint64_t received) {
    const Mark mark{now, received};
    if (!last_) older_ = newer_ = mark;
    last_ = mark;
    const bool whole = is_whole(mark);
    const std::optional<double> pace = between(whole ? newer_ : older_, mark);
    if (pace) per_second_ = pace;
    if (!whole) return;
    whole_ = {whole_.second, pace.value_or(0)};
    older_ = newer_;
    newer_ = mark;
  }

  // From the last report on: what came before says nothing about the pace that there is now.
  void restart() {
    if (last_) older_ = newer_ = *last_;
  }

  // Datagrams a second, over the last one to two stretches, or as much as there is since the
  // restart; absent before the second report.
  [[nodiscard]] std::optional<double> per_second() const { return per_second_; }
  // What one of the last two whole stretches reached, and what both did; 0: none. The one may have
  // seen what the other was held up with.
  [[nodiscard]] double once() const { return std::max(whole_.first, whole_.second); }
  [[nodiscard]] double twice() const { return std::min(whole_.first, whole_.second); }

 private:
  struct Mark {
    Instant at;
    std::uint64_t received = 0;
  };

  [[nodiscard]] bool is_whole(const Mark& mark) const {
    const Duration time = mark.at - newer_.at;
    if (time < kStretch) return false;
    return mark.received >= newer_.received + kDatagrams || time >= kLongestStretch;
  }

  // Nothing where no time has passed.
  static std::optional<double> between(const Mark& from, const Mark& to) {
    if (to.at <= from.at || to.received < from.received) return std::nullopt;
    return static_cast<double>(to.received - from.received) / to_seconds(to.at - from.at);
  }

  std::optional<Mark> last_;
  Mark older_;
  Mark newer_;
  std::optional<double> per_second_;
  std::pair<double, double> whole_;  // the last two stretches
};

}  // namespace wyndrvr::engine
