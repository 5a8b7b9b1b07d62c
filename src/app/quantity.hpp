// Quantities as a person writes them: "10M" bit/s, "1.5GiB", "500ms", "EF"; text in, a typed value
// out.
//
// A number is decimal, with or without a fraction. Suffixes are read in either case of letters:
// nobody means a thousandth by "10m". What a key allows is setting_table's to say. Pure.
//
// Example: parse_bit_rate("1.5G") is 1.5 Gbit/s; parse_octets("2Ki") is 2048 octets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "base/units.hpp"

namespace wyndrvr::app {

// Of one test. Below, a single datagram would take longer than most tests; above, no link is.
inline constexpr BitRate kLowestRate{1e3};
inline constexpr BitRate kHighestRate{1e15};
inline constexpr ByteCount kMostOctets{1'000'000'000'000'000};

// Bit/s, with k, M, G or T for powers of 1000. Nothing for what is no number; any finite number
// from 0 is one.
[[nodiscard]] std::optional<BitRate> parse_bit_rate(std::string_view text);

// Octets, with k, M, G or T for powers of 1000 or Ki, Mi, Gi, Ti for powers of 1024, and a B behind
// them or not. A part of an octet is cut off. Nothing for what is no number or above kMostOctets.
[[nodiscard]] std::optional<ByteCount> parse_octets(std::string_view text);

// A time with its unit, us, ms, s, m or h, or a bare number of `bare`. To the nanosecond. Nothing
// for what is no such number, or longer than kLongestTime.
inline constexpr Duration kLongestTime = 24h * 365;
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text, Duration bare);

// The six bits of a code point: 0 to 63, or a name of IANA's registry (DF, CS0 to CS7, AF11 to
// AF43, EF, VOICE-ADMIT, LE).
[[nodiscard]] std::optional<std::uint8_t> parse_dscp(std::string_view text);

}  // namespace wyndrvr::app
