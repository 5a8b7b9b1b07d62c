// How long the program waits, at its end, for a reader who is slow: as long as something is read
// now and then. A signal ends the wait; after a signal that has ended the run it is short.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "os/signals.hpp"

namespace wyndrvr::app {

class Patience {
 public:
  static constexpr Duration kWithoutProgress = 20s;
  static constexpr Duration kAfterSignal = 1s;
  // For lines that tell how the run went, beside its result.
  static constexpr Duration kForLog = 2s;
  // How often a wait asks.
  static constexpr Duration kStep = 10ms;

  // `interrupted`: when the signal came that has ended the run.
  Patience(os::SignalFd& signals, std::optional<Instant> interrupted);

  // Begins to wait for another reader.
  void begin(Duration limit = kWithoutProgress);
  // Whether to wait on; `progress` grows with what is read.
  [[nodiscard]] bool lasts(std::uint64_t progress);

 private:
  os::SignalFd& signals_;
  std::optional<Instant> interrupted_;
  bool over_ = false;  // a signal came
  Duration limit_{};
  Instant since_;  // the last progress
  std::uint64_t progress_ = 0;
};

}  // namespace wyndrvr::app
