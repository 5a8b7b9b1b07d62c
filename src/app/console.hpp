// Two streams of lines and, on a terminal, one live line below them that is rewritten in place.
//
// Every line is flushed at once: scripts read them through a pipe. A stream that cannot be written
// to (a closed pipe) is ignored: a measurement is not worth less for it. Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace wyndrvr::app {

class Console {
 public:
  using Write = std::function<void(std::string_view)>;

  Console(Write out, Write err);
  // stdout and stderr; with `out_to_stderr` the lines for stdout go there too, since stdout
  // belongs to a document.
  [[nodiscard]] static Console standard(bool out_to_stderr = false);

  // One line each, without its end.
  void out(std::string_view line);
  void err(std::string_view line);

  // Shows `text` (shorter than the terminal is wide) in the live line, on stderr.
  void live(std::string_view text);
  void clear_live();

 private:
  Write out_;
  Write err_;
  bool live_shown_ = false;
};

// Writes and flushes; false where the stream refuses.
[[nodiscard]] bool write_stdout(std::string_view text);

}  // namespace wyndrvr::app
