// Waits for descriptors and for a point in time (epoll(7), level-triggered).
//
// Holds no descriptors but its own: remove one before closing it. Time-outs are exact to the
// nanosecond (epoll_pwait2(2), Linux 5.11), or rounded up to milliseconds where that is missing;
// the kernel's timer slack comes on top. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <sys/epoll.h>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {

struct Event {
  std::uint64_t tag = 0;
  bool readable = false;  // also at end of stream, which the read then shows
  bool writable = false;
  bool error = false;  // cannot be masked: for a UDP socket, its error queue is to be read
};

struct PollerOptions {
  // Events per wait(); what does not fit comes with the next one.
  std::size_t capacity = 64;
  // Use the millisecond call at once, as on old kernels.
  bool coarse_timeouts = false;
};

class Poller {
 public:
  [[nodiscard]] static Result<Poller> create(const PollerOptions& options = {});

  // Watches for readability, errors and, if asked, writability. `tag` comes back in the events.
  [[nodiscard]] Result<void> add(int fd, std::uint64_t tag, bool want_write = false);
  [[nodiscard]] Result<void> modify(int fd, std::uint64_t tag, bool want_write);
  [[nodiscard]] Result<void> remove(int fd);

  // Waits for at least one event or until `timeout` has passed (none: for ever; zero or less: only
  // looks). A signal ends the wait with no events. The events are valid until the next wait.
  [[nodiscard]] Result<std::span<const Event>> wait(std::optional<Duration> timeout);

  // The epoll descriptor, to be watched by another poller.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Poller(Fd fd, const PollerOptions& options);
  [[nodiscard]] Result<void> control(int operation, int fd, std::uint64_t tag, bool want_write);
  // Number of events, or -1 and errno.
  [[nodiscard]] int wait_kernel(std::optional<Duration> timeout);

  Fd fd_;
  std::vector<epoll_event> raw_;
  std::vector<Event> events_;
  bool coarse_;
};

}  // namespace wyndrvr::os
