// Signals as events: blocked for the process and read from a descriptor (signalfd(2)).
//
// Create it before any thread is started, so that all threads inherit the mask. The signals stay
// blocked when it is destroyed: one that arrives during shutdown must not kill the process half
// way. A program that is executed inherits the mask; whoever spawns resets it.
#pragma once

#include <initializer_list>
#include <optional>
#include <utility>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {

class SignalFd {
 public:
  // For example {SIGINT, SIGTERM}.
  [[nodiscard]] static Result<SignalFd> create(std::initializer_list<int> signals);

  // The next pending signal's number; nothing when there is none. Does not block.
  [[nodiscard]] std::optional<int> read();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit SignalFd(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// The signals that ask a program to end: INT, TERM, HUP and QUIT. HUP is left alone where it was
// ignored from the start, as nohup(1) does it.
[[nodiscard]] Result<SignalFd> watch_end_signals();

// Ends the process by this signal's default action, as if it had never been blocked.
[[noreturn]] void die_of(int signal);

// A write to a closed pipe or channel, or beyond the limit of a file's size, then fails with EPIPE
// or EFBIG and does not kill the process.
void ignore_write_signals();

}  // namespace wyndrvr::os
