// Foreign text made fit to be shown on a terminal: arguments, file contents, a server's words.
//
// Control characters and bytes outside ASCII become \xNN, so nothing that we quote can move the
// cursor or forge a line; long text is cut.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wyndrvr::app {

inline constexpr std::size_t kMaxPrintable = 120;  // characters of foreign text in one message
// Of a whole sentence that came from elsewhere, such as a problem's.
inline constexpr std::size_t kMaxPrintableSentence = 400;

[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = kMaxPrintable);

}  // namespace wyndrvr::app
