// Seeded pseudo-random numbers (xoshiro256**, Blackman and Vigna 2018, public domain).
//
// Not for secrets. The seed is an argument, so a simulation replays; the programs take theirs from
// getrandom(2) in `os`.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace wyndrvr::base {

class Random {
 public:
  using result_type = std::uint64_t;

  explicit Random(std::uint64_t seed) {
    for (auto& word : state_) word = split_mix(seed);
  }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }

  result_type operator()() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [low, high]; low <= high. The bias of the modulus is below 2^-32 for our ranges.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    const std::uint64_t span = high - low + 1;
    return span == 0 ? (*this)() : low + (*this)() % span;
  }
  // Uniform in [0, 1).
  double unit() { return static_cast<double>((*this)() >> 11U) * 0x1.0p-53; }
  bool chance(double probability) { return probability > 0 && unit() < probability; }

 private:
  static std::uint64_t split_mix(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace wyndrvr::base
