// How a worker is brought to its end: asked, told, ended; each rung with a time-out. Pure.
//
//   ask (end of channel) --kPatience--> terminate (SIGTERM) --kPatience--> kill (SIGKILL)
//   --kPatience--> abandon: it cannot be ended, which only a thread can do to us
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace wyndrvr::runtime {

enum class Rung : std::uint8_t { kAsk, kTerminate, kKill, kAbandon };

class StopLadder {
 public:
  static constexpr Duration kPatience = 400ms;

  // Begins, or begins further up; never goes down. Returns the rung to carry out.
  Rung begin(Instant now, Rung from = Rung::kAsk) {
    if (!rung_ || *rung_ < from) {
      rung_ = from;
      next_ = now + kPatience;
    }
    return *rung_;
  }
  // The next rung, once its time has come.
  [[nodiscard]] std::optional<Rung> on_timer(Instant now) {
    if (!rung_ || now < next_ || *rung_ == Rung::kAbandon) return std::nullopt;
    return begin(now, static_cast<Rung>(static_cast<std::uint8_t>(*rung_) + 1));
  }
  [[nodiscard]] bool begun() const { return rung_.has_value(); }
  [[nodiscard]] std::optional<Instant> deadline() const {
    if (!rung_ || *rung_ == Rung::kAbandon) return std::nullopt;
    return next_;
  }

 private:
  std::optional<Rung> rung_;
  Instant next_;
};

}  // namespace wyndrvr::runtime
