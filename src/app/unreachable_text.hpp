// Words for why a server cannot be reached, and the whole text of a problem.
#pragma once

#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "engine/unreachable.hpp"

namespace wyndrvr::app {

// "Operation not permitted: does a local firewall drop it?"
[[nodiscard]] std::string_view words_of(engine::Unreachable cause);
// "local_firewall", as in the result document.
[[nodiscard]] std::string_view name_of(engine::Unreachable cause);
// Its message, its cause in words, and how often it was found, where that is more than once.
[[nodiscard]] std::string problem_text(const engine::Problem& problem);

}  // namespace wyndrvr::app
