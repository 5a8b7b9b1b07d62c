// "Did you mean …?": the known word that a mistyped one comes closest to.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wyndrvr::app {

// By edit distance (insert, delete, replace, swap of neighbours); nothing when every candidate is
// more than a third of the word away. Of equally near candidates, the first.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 std::span<const std::string> candidates);

}  // namespace wyndrvr::app
