#include "runtime/interrupt.hpp"

#include <unistd.h>

#include "os/clock.hpp"

namespace wyndrvr::runtime {

Result<std::unique_ptr<Interrupt>> Interrupt::create(EventLoop& loop,
                                                     std::function<void()> on_first) {
  auto signals = os::watch_end_signals();
  if (!signals) return std::unexpected(signals.error());
  std::unique_ptr<Interrupt> interrupt(
      new Interrupt(loop, std::move(*signals), std::move(on_first)));
  auto id = loop.add(interrupt->signals_.fd(), *interrupt);
  if (!id) return std::unexpected(id.error());
  interrupt->id_ = *id;
  return interrupt;
}

Interrupt::~Interrupt() {
  if (id_) loop_.remove(*id_);
}

void Interrupt::on_ready(const Readiness& /*readiness*/) {
  while (const auto signal = signals_.read()) {
    const Instant now = os::monotonic_now();
    if (!first_) {
      first_ = now;
      on_first_();
    } else if (now - *first_ >= kSameOrder) {
      ::_exit(128 + *signal);
    }
  }
}

void Interrupt::on_wake(Instant /*now*/) {}

}  // namespace wyndrvr::runtime
