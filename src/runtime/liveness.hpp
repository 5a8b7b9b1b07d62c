// Whether a worker still turns its loop: asked every kInterval, and believed dead after so much
// patience without an answer. Pure.
//
// When this loop itself slept (the whole program was stopped, or its terminal did not take its
// output), silence proves nothing and the waiting starts anew.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace wyndrvr::runtime {

class Liveness {
 public:
  static constexpr Duration kInterval = 250ms;
  static constexpr Duration kPatience = 3s;

  enum class Verdict : std::uint8_t {
    kAsk,   // send a Ping with number()
    kLate,  // the last one is not answered yet
    kDead,
  };

  // The first answer is Hello, which needs no Ping. `patience`: kPatience, or more where a turn is
  // made to take long (LoopTuning).
  explicit Liveness(Instant now, Duration patience = kPatience)
      : patience_(patience), asked_at_(now), last_tick_(now) {}

  void on_answer(std::uint32_t number) { answered_ = answered_ || number == number_; }
  [[nodiscard]] Verdict on_tick(Instant now) {
    const bool slept = now - last_tick_ > kInterval * 4;
    last_tick_ = now;
    if (answered_) {
      answered_ = false;
      ++number_;
      asked_at_ = now;
      return Verdict::kAsk;
    }
    if (slept) asked_at_ = now;
    return now - asked_at_ >= patience_ ? Verdict::kDead : Verdict::kLate;
  }
  [[nodiscard]] Duration patience() const { return patience_; }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] Instant next_tick() const { return last_tick_ + kInterval; }

 private:
  Duration patience_;
  std::uint32_t number_ = 0;
  bool answered_ = false;
  Instant asked_at_;
  Instant last_tick_;
};

}  // namespace wyndrvr::runtime
