// SIGTERM at a worker process: whoever sends it to the whole group (systemd, timeout, kill of a
// job) has sent it to the supervisor too, which ends its workers in order. So a worker waits for
// that, and only then does as it was told.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/result.hpp"
#include "os/signals.hpp"
#include "runtime/event_loop.hpp"

namespace wyndrvr::runtime {

class TerminationGrace final : public EventSource {
 public:
  // A supervisor that was told to end asks its actors for their last words first.
  static constexpr Duration kPatience = 700ms;

  [[nodiscard]] static Result<std::unique_ptr<TerminationGrace>> create(EventLoop& loop);
  ~TerminationGrace() override;
  TerminationGrace(const TerminationGrace&) = delete;
  TerminationGrace& operator=(const TerminationGrace&) = delete;

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;

 private:
  TerminationGrace(EventLoop& loop, os::SignalFd signals)
      : loop_(loop), signals_(std::move(signals)) {}

  EventLoop& loop_;
  os::SignalFd signals_;
  std::optional<EventLoop::Id> id_;
};

}  // namespace wyndrvr::runtime
