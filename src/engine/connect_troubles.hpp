// ConnectTroubles: why the server's addresses cannot be reached, while the client asks them for a
// session, and when there is no more hope.
//
// A single ICMP error may be forged or pass, so hope ends only when every address was refused,
// several times in all, for kGiveUpAfter, and still is. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "engine/unreachable.hpp"

namespace wyndrvr::engine {

class ConnectTroubles {
 public:
  static constexpr Duration kGiveUpAfter = 2s;
  // A refusal that is older is a thing of the past. More than the time between two CONNECTs.
  static constexpr Duration kFresh = 1100ms;
  static constexpr unsigned kFewestRefusals = 2;

  explicit ConnectTroubles(std::size_t candidates) : causes_(candidates) {}

  // `candidate`: which of the addresses.
  void on_unreachable(Instant now, std::size_t candidate, Unreachable cause) {
    keep_cause(causes_[candidate], cause);
    if (!first_) first_ = now;
    last_ = now;
    ++refusals_;
  }
  [[nodiscard]] bool hopeless(Instant now) const {
    const bool all =
        std::ranges::all_of(causes_, [](const auto& cause) { return cause.has_value(); });
    return all && refusals_ >= kFewestRefusals && now - *first_ >= kGiveUpAfter &&
           now - last_ <= kFresh;
  }
  // When to ask whether it is hopeless, beside after each refusal.
  [[nodiscard]] std::optional<Instant> next_look(Instant now) const {
    if (!first_ || now >= *first_ + kGiveUpAfter) return std::nullopt;
    return *first_ + kGiveUpAfter;
  }
  [[nodiscard]] std::optional<Unreachable> cause_of(std::size_t candidate) const {
    return causes_[candidate];
  }

 private:
  std::vector<std::optional<Unreachable>> causes_;
  std::optional<Instant> first_;
  Instant last_;
  unsigned refusals_ = 0;
};

}  // namespace wyndrvr::engine
