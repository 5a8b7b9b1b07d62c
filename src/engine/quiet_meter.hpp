// QuietMeter: when to tell the person who watches that nothing is received, and for how long.
//
// The first line is due a second after something should have come, and further ones each second
// until something does. Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.hpp"

namespace wyndrvr::engine {

class QuietMeter {
 public:
  static constexpr Duration kStep = 1s;

  // Something should come at least so often; a second where that is less.
  explicit QuietMeter(Instant now, Duration expected = kStep) { restart(now, expected); }

  void restart(Instant now, Duration expected) {
    expected_ = expected < kStep ? kStep : expected;
    on_heard(now);
  }
  void on_heard(Instant now) {
    heard_ = now;
    told_.reset();
    next_ = now + expected_ + kStep;
  }
  // Whole seconds of silence, where they are to be told now.
  [[nodiscard]] std::optional<Duration> poll(Instant now) {
    if (now < next_) return std::nullopt;
    const auto silent = std::chrono::floor<std::chrono::seconds>(now - heard_);
    next_ = heard_ + silent + kStep;
    return silent;
  }
  // Where something comes that says that nothing new does: whether a second has passed since the
  // last line. What is late by a tenth is still each second's.
  [[nodiscard]] bool tell_now(Instant now) {
    if (told_ && now - *told_ < kStep - kStep / 10) return false;
    told_ = now;
    next_ = std::max(next_, now + kStep + kStep / 2);
    return true;
  }
  [[nodiscard]] Instant deadline() const { return next_; }

 private:
  Duration expected_{};
  Instant heard_;
  Instant next_;
  std::optional<Instant> told_;  // by tell_now
};

}  // namespace wyndrvr::engine
