// How a worker was lost, and what it wrote to its stderr before.
#pragma once

#include <string>
#include <string_view>

namespace wyndrvr::runtime {

struct WorkerLoss {
  std::string cause;  // "upload worker (pid 42) was killed by SIGKILL"; the supervisor's own words
  // The worker's, printable and on one line. They may tell of this host, and they may be an
  // attacker's: for its own log alone, never for a peer.
  std::string words;

  // Both, for this host's log.
  [[nodiscard]] std::string text() const;
};

// Raw octets made fit for a log: each that is not printable ASCII becomes "?", blanks at both ends
// go, and the text is cut to kMostWords characters.
inline constexpr std::size_t kMostWords = 200;
[[nodiscard]] std::string last_words_of(std::string_view raw);

}  // namespace wyndrvr::runtime
