// Text that is a number and nothing else, for whole and for floating-point types.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace wyndrvr::app {

// No sign but '-', no blanks, no unit (std::from_chars); nothing when out of the type's range.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace wyndrvr::app
