// Tells a loop, once, that the program's output is lost: what is written has no reader any more.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "runtime/event_loop.hpp"

namespace wyndrvr::runtime {

class OutputWatch final : public EventSource {
 public:
  // `descriptors` stay the caller's. One that cannot be watched is left out.
  OutputWatch(EventLoop& loop, const std::vector<int>& descriptors, std::function<void()> on_lost)
      : loop_(loop), on_lost_(std::move(on_lost)) {
    for (const int descriptor : descriptors) {
      if (const auto id = loop_.add(descriptor, *this)) ids_.push_back(*id);
    }
  }
  ~OutputWatch() override { remove_all(); }
  OutputWatch(const OutputWatch&) = delete;
  OutputWatch& operator=(const OutputWatch&) = delete;

  void on_ready(const Readiness& /*readiness*/) override {
    // It stays ready.
    remove_all();
    on_lost_();
  }
  void on_wake(Instant /*now*/) override {}

 private:
  void remove_all() {
    for (const EventLoop::Id id : std::exchange(ids_, {})) loop_.remove(id);
  }

  EventLoop& loop_;
  std::function<void()> on_lost_;
  std::vector<EventLoop::Id> ids_;
};

}  // namespace wyndrvr::runtime
