// The time of a loop: its clock, its waits and its sleeps. A test puts a clock of its own in.
#pragma once

#include <optional>
#include <span>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/clock.hpp"
#include "os/poller.hpp"

namespace wyndrvr::runtime {

// The host's. No state: one object serves every loop of every thread.
class LoopTime {
 public:
  constexpr virtual ~LoopTime() {}  // GCC 12 takes no `= default` for a constant's destructor
  [[nodiscard]] virtual Instant now() const { return os::monotonic_now(); }
  virtual void sleep(Duration duration) const { os::sleep_for(duration); }
  // As Poller::wait.
  [[nodiscard]] virtual Result<std::span<const os::Event>> wait(
      os::Poller& poller, std::optional<Duration> timeout) const {
    return poller.wait(timeout);
  }
};

inline constexpr LoopTime kHostTime{};

}  // namespace wyndrvr::runtime
