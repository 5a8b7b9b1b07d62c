#include "runtime/termination_grace.hpp"

#include <csignal>

#include "os/clock.hpp"

namespace wyndrvr::runtime {

Result<std::unique_ptr<TerminationGrace>> TerminationGrace::create(EventLoop& loop) {
  auto signals = os::SignalFd::create({SIGTERM});
  if (!signals) return std::unexpected(signals.error());
  std::unique_ptr<TerminationGrace> grace(new TerminationGrace(loop, std::move(*signals)));
  auto id = loop.add(grace->signals_.fd(), *grace);
  if (!id) return std::unexpected(id.error());
  grace->id_ = *id;
  return grace;
}

TerminationGrace::~TerminationGrace() {
  if (id_) loop_.remove(*id_);
}

void TerminationGrace::on_ready(const Readiness& /*readiness*/) {
  if (signals_.read()) loop_.set_deadline(*id_, os::monotonic_now() + kPatience);
}

void TerminationGrace::on_wake(Instant /*now*/) {
  os::die_of(SIGTERM);
}

}  // namespace wyndrvr::runtime
