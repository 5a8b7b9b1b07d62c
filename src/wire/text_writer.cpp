#include "wire/text_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace wyndrvr::wire {
namespace {

// Python's repr() writes a float without an exponent in this range.
constexpr double kFixedLow = 1e-4;
constexpr double kFixedEnd = 1e16;

}  // namespace

TextWriter& TextWriter::put_unsigned(std::uint64_t number) {
  std::array<char, 20> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return put(std::string_view(digits.data(), result.ptr));
}

TextWriter& TextWriter::put_float(double number) {
  WYNDRVR_CHECK(std::isfinite(number));
  // Sign, 17 significant digits, a point, and four zeros or an exponent of three digits.
  std::array<char, 32> digits{};
  const double size = std::abs(number);
  const bool fixed = size == 0 || (size >= kFixedLow && size < kFixedEnd);
  const auto result =
      std::to_chars(digits.data(), digits.data() + digits.size(), number,
                    fixed ? std::chars_format::fixed : std::chars_format::scientific);
  WYNDRVR_CHECK(result.ec == std::errc{});
  const std::string_view text(digits.data(), result.ptr);
  put(text);
  return text.find_first_of(".e") == std::string_view::npos ? put(".0") : *this;
}

TextWriter& TextWriter::put_number(double number) {
  constexpr double kExactEnd = 0x1p53;
  const bool whole = number >= 0 && number < kExactEnd && number == std::trunc(number);
  return whole ? put(static_cast<std::uint64_t>(number)) : put_float(number);
}

}  // namespace wyndrvr::wire
