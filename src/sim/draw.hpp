// Drawing a scenario from a seed: what its parts have in common.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/random.hpp"
#include "base/time.hpp"
#include "sim/scenario.hpp"

namespace wyndrvr::sim {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  bool chance(double probability) { return random_.chance(probability); }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return random_.between(low, high);
  }
  double real(double low, double high) { return low + (high - low) * random_.unit(); }
  // Each order of magnitude is as likely as the next.
  double magnitude(double low, double high) {
    return std::exp(real(std::log(low), std::log(high)));
  }
  Duration time(Duration low, Duration high) {
    return Duration(static_cast<Duration::rep>(random_.between(
        static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count()))));
  }
  // A number in (0, most] with that probability, else 0.
  double sometimes(double probability, double most) {
    return chance(probability) ? real(most / 100, most) : 0;
  }

 private:
  base::Random random_;
};

// Seconds. Keeps one seed at some milliseconds, by the datagrams that a test sends before its first
// report.
[[nodiscard]] inline double longest_test(double packet_bits) {
  constexpr double kMostDatagrams = 6'000;
  constexpr double kFirstRate = 20e6;  // bits per second, of the engine's rate controller
  return std::clamp(kMostDatagrams * packet_bits / kFirstRate, 0.2, 3.0);
}

// Makes it a world of dialect 1, whole or in part, with the faults that it has, and more.
void draw_dialect_one(Draw& draw, Scenario& scenario);

}  // namespace wyndrvr::sim
