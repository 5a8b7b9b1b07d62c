// Writes lines to a descriptor of another's (stdout, stderr, a pipe) and never makes its caller
// wait for whoever reads there.
//
// The descriptor's O_NONBLOCK belongs to all processes that share it, so it is left as it is.
// A line is written at once where the kernel can do that without blocking (RWF_NOWAIT,
// MSG_DONTWAIT). Else it waits in a bounded queue for a thread that may block. What the queue has
// no room for is left out, and the reader is told how many lines that were.
//
// A write that fails loses its text. Later text is tried all the same: a disk may have room again,
// a FIFO another reader. Calls come from one thread. The writing thread is not waited for at the
// end: nothing can interrupt it, and the end of the process ends it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace wyndrvr::os {

class LineWriter {
 public:
  // Octets that may wait for the reader: some 3,000 lines.
  static constexpr std::size_t kMostWaiting = 256UZ * 1024;
  // The line that tells of those left out.
  using LeftOut = std::string (*)(std::uint64_t lines);

  // `descriptor` stays the caller's, and open for as long as this lives.
  LineWriter(int descriptor, LeftOut left_out);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Whole lines, which may be left out.
  void write(std::string_view lines);
  // Text that is not left out for lack of room; the caller bounds its size.
  void write_always(std::string_view text);

  // Waits for the reader until everything is written or has failed; at most for `patience`. True
  // where nothing waits any more.
  [[nodiscard]] bool wait(Duration patience);
  // Octets written so far: whether a slow reader reads at all.
  [[nodiscard]] std::uint64_t written() const;
  // errno of the first write that failed.
  [[nodiscard]] std::optional<int> error() const;
  // Readable from the first write that failed; -1 where there was no descriptor for it.
  [[nodiscard]] int failure() const;

 private:
  struct Shared;
  void add(std::string_view text, bool always);

  std::shared_ptr<Shared> shared_;
};

}  // namespace wyndrvr::os
