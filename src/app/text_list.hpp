// The items of a value that is a list, as in "7000-7099, 7200": what port_ranges and cpu share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace wyndrvr::app {

// Without blanks and tabs at either end.
[[nodiscard]] inline std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// What stands between the commas, trimmed; views into `text`. Never empty: "" is one empty item.
[[nodiscard]] inline std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> items;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    items.push_back(trim(text.substr(start, comma - start)));
    start = comma + 1;
  }
  return items;
}

}  // namespace wyndrvr::app
