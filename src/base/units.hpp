// Quantities of the protocol as types, so that a sequence number is never taken for a length.
//
// Raw integers live only inside the codecs. 1 Mbit = 10^6 bit.
#pragma once

#include <compare>
#include <cstdint>

#include "base/time.hpp"

namespace wyndrvr {

// Number of octets.
struct ByteCount {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const ByteCount&) const = default;
  constexpr ByteCount& operator+=(ByteCount other) { return value += other.value, *this; }
  friend constexpr ByteCount operator+(ByteCount a, ByteCount b) { return {a.value + b.value}; }
  friend constexpr ByteCount operator-(ByteCount a, ByteCount b) { return {a.value - b.value}; }
};

// Bits per second.
struct BitRate {
  double bps = 0;
  constexpr auto operator<=>(const BitRate&) const = default;
  friend constexpr BitRate operator*(BitRate rate, double factor) { return {rate.bps * factor}; }
};

// `bytes` over `time` as a rate; zero when no time has passed.
[[nodiscard]] constexpr BitRate rate_of(ByteCount bytes, Duration time) {
  if (time <= Duration::zero()) return {0};
  return {static_cast<double>(bytes.value) * 8.0 / to_seconds(time)};
}

// A 64-bit number that counts datagrams (wraps at 2^64, protocol 0.14 section 2).
struct SeqNo {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const SeqNo&) const = default;
};

// Data channel, 24 bits on the wire.
struct ChannelId {
  static constexpr std::uint32_t kMax = (1U << 24U) - 1;
  std::uint32_t value = 0;
  constexpr auto operator<=>(const ChannelId&) const = default;
};

// UDP port; 0 means "any" where a port may be left to the kernel.
struct Port {
  std::uint16_t value = 0;
  constexpr auto operator<=>(const Port&) const = default;
};

}  // namespace wyndrvr
