// INT, TERM, HUP and QUIT as events of a loop: the first asks for an orderly end, the second ends
// the process at once, as a user who presses Ctrl-C twice expects. One that follows within
// kSameOrder is the same order, told to the process and to its group (timeout(1) does so).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/signals.hpp"
#include "runtime/event_loop.hpp"

namespace wyndrvr::runtime {

class Interrupt final : public EventSource {
 public:
  static constexpr Duration kSameOrder = 100ms;

  [[nodiscard]] static Result<std::unique_ptr<Interrupt>> create(EventLoop& loop,
                                                                 std::function<void()> on_first);
  ~Interrupt() override;
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // When the first came.
  [[nodiscard]] std::optional<Instant> first() const { return first_; }

  void on_ready(const Readiness& readiness) override;
  void on_wake(Instant now) override;

 private:
  Interrupt(EventLoop& loop, os::SignalFd signals, std::function<void()> on_first)
      : loop_(loop), signals_(std::move(signals)), on_first_(std::move(on_first)) {}

  EventLoop& loop_;
  os::SignalFd signals_;
  std::function<void()> on_first_;
  std::optional<EventLoop::Id> id_;
  std::optional<Instant> first_;
};

}  // namespace wyndrvr::runtime
