#include "runtime/worker_loss.hpp"

#include <fmt/format.h>

namespace wyndrvr::runtime {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

std::string WorkerLoss::text() const {
  return words.empty() ? cause : fmt::format("{}; it wrote: {}", cause, words);
}

std::string last_words_of(std::string_view raw) {
  std::string words(trimmed(raw).substr(0, kMostWords));
  for (char& c : words) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '\n') {
      c = ' ';
    } else if (octet < 0x20 || octet >= 0x7f) {
      c = '?';
    }
  }
  return words;
}

}  // namespace wyndrvr::runtime
