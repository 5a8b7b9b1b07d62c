// What the tests of EventLoop share: sources that say what happens to them.
#pragma once

#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "os/clock.hpp"
#include "runtime/event_loop.hpp"

namespace wyndrvr::runtime::testing {

inline constexpr Duration kRest = 100us;

class Source final : public EventSource {
 public:
  void on_ready(const Readiness& readiness) override {
    if (ready) ready(readiness);
  }
  void on_wake(Instant now) override {
    if (wake) wake(now);
  }
  std::function<void(const Readiness&)> ready;
  std::function<void(Instant)> wake;
};

inline EventLoop make_loop(const LoopTuning& tuning = {}) {
  auto loop = EventLoop::create(tuning);
  EXPECT_TRUE(loop);
  return std::move(*loop);
}

// Works for so long whenever it may.
class Worker final : public EventSource {
 public:
  Worker(EventLoop& loop, Duration work, bool bulk) : loop_(loop), work_(work) {
    id_ = *loop.add(EventLoop::kNoDescriptor, *this);
    loop.set_bulk(id_, bulk);
    loop.run_again(id_);
  }
  ~Worker() override { loop_.remove(id_); }
  void on_ready(const Readiness&) override {}
  void on_wake(Instant now) override {
    ++wakes;
    while (os::monotonic_now() < now + work_) {
    }
    if (stop_after > 0 && wakes == stop_after) return loop_.stop();
    loop_.run_again(id_);
  }
  [[nodiscard]] EventLoop::Id id() const { return id_; }

  int wakes = 0;
  int stop_after = 0;

 private:
  EventLoop& loop_;
  Duration work_;
  EventLoop::Id id_{};
};

}  // namespace wyndrvr::runtime::testing
