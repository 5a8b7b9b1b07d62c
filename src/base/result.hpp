// Result<T>: an expected failure as a value.
//
// `Error` is a sentence for a person: it names the option, key, file or address and says what to
// do. Code that must branch on the kind of a failure uses an enum of its own instead.
//
// Example:
//   Result<Port> port = parse_port("7000");
//   if (!port) return std::unexpected(port.error());
#pragma once

#include <expected>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace wyndrvr {

struct Error {
  std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

// Builds the failing side of any Result from a fmt format string.
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace wyndrvr
