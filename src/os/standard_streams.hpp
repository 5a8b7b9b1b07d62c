// stdin, stdout and stderr as the program was started with them.
//
// Thread rule: none, it holds nothing.
#pragma once

namespace wyndrvr::os {

inline constexpr int kStdout = 1;
inline constexpr int kStderr = 2;

// Fills the numbers 0 to 2 where they are closed, so that no socket gets one of them and is written
// text to. What stands there then can be neither read nor written. For the program's main, first.
void hold_standard_streams();

// Cannot be written to, from the start.
[[nodiscard]] bool is_closed(int descriptor);
// Whether both lead to the same file, pipe, socket or terminal.
[[nodiscard]] bool same_file(int one, int other);
// The writing end of a pipe, which poll(2) reports in error once nobody reads it.
[[nodiscard]] bool is_write_only_pipe(int descriptor);

}  // namespace wyndrvr::os
