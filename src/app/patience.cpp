#include "app/patience.hpp"

#include "os/clock.hpp"
#include "runtime/interrupt.hpp"

namespace wyndrvr::app {

Patience::Patience(os::SignalFd& signals, std::optional<Instant> interrupted)
    : signals_(signals), interrupted_(interrupted) {
  begin();
}

void Patience::begin(Duration limit) {
  limit_ = interrupted_ ? kAfterSignal : limit;
  since_ = os::monotonic_now();
  progress_ = 0;
}

bool Patience::lasts(std::uint64_t progress) {
  const Instant now = os::monotonic_now();
  while (signals_.read()) {
    // What follows at once is the same order, told twice.
    const bool same = interrupted_ && now - *interrupted_ < runtime::Interrupt::kSameOrder;
    over_ = over_ || !same;
  }
  if (progress != progress_) {
    progress_ = progress;
    since_ = now;
  }
  return !over_ && now - since_ < limit_;
}

}  // namespace wyndrvr::app
