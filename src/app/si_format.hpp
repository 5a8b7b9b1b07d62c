// Quantities as a person reads them: SI units chosen to fit (1 Mbit = 10^6 bit), few digits.
//
// For text only: the result document has whole nanoseconds and full numbers.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace wyndrvr::app {

// Three significant digits: "0.85 us", "12.3 us", "1.24 ms", "2.00 s".
[[nodiscard]] std::string format_duration(Duration duration);
// Always ms, as scripts around the original expect: "0.123 ms", "12.34 ms".
[[nodiscard]] std::string format_rtt(Duration rtt);
// Four significant digits: "987.6 Mbit/s".
[[nodiscard]] std::string format_rate(double bps);
// "123.4 MB"
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
// Seconds with one or two decimals: "10.00 s".
[[nodiscard]] std::string format_seconds(Duration duration);
// `part` of `whole`: "0.0 %", "<0.001 %", "0.012 %", "12.3 %"; "-" of nothing.
[[nodiscard]] std::string format_share(std::uint64_t part, std::uint64_t whole);

}  // namespace wyndrvr::app
