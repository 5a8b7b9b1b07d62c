// Two streams of lines and, on a terminal, one live line below them that is rewritten in place.
//
// Every line is flushed at once: scripts read them through a pipe. What becomes of it there is the
// writer's to know (app/output.hpp). Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace wyndrvr::app {

class Console {
 public:
  using Write = std::function<void(std::string_view)>;

  Console(Write out, Write err);
  // stdout and stderr where no loop runs: a write waits for its reader, and failures are ignored.
  [[nodiscard]] static Console standard();

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

// Writes and flushes where no loop runs. Error: why the stream refuses.
[[nodiscard]] Result<void> write_stdout(std::string_view text);

}  // namespace wyndrvr::app
