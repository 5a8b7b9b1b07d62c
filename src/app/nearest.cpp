#include "app/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace wyndrvr::app {
namespace {

constexpr std::size_t kLongestWord = 64;  // characters; nothing longer is a known word mistyped

// Optimal string alignment distance (Damerau 1964), row by row.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > kLongestWord) return std::nullopt;
  std::size_t best = word.size() / 3 + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    const std::size_t apart = distance(word, candidate);
    if (apart >= best) continue;
    best = apart;
    found = candidate;
  }
  return found;
}

}  // namespace wyndrvr::app
