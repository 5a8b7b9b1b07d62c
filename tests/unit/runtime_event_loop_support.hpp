// What the tests of EventLoop share: a clock that only moves when the test or a wait moves it, and
// sources that say what happens to them.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/event_loop.hpp"
#include "runtime/loop_time.hpp"

namespace wyndrvr::runtime::testing {

inline constexpr Duration kRest = 100us;

// A wait ends at once where there are events, and else takes as long as it may; work takes as long
// as the test says.
class FakeTime final : public LoopTime {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  void sleep(Duration duration) const override {
    sleeps.push_back(duration);
    now_ += duration;
  }
  [[nodiscard]] Result<std::span<const os::Event>> wait(
      os::Poller& poller, std::optional<Duration> timeout) const override {
    auto events = poller.wait(Duration(0));
    if (events && events->empty() && timeout) {
      waited += *timeout;
      now_ += *timeout;
    }
    return events;
  }
  void pass(Duration duration) const { now_ += duration; }

  mutable std::vector<Duration> sleeps;
  mutable Duration waited{};  // in all

 private:
  mutable Instant now_{Duration(1h)};
};

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

class EventLoopTest : public ::testing::Test {
 protected:
  [[nodiscard]] EventLoop make_loop(const LoopTuning& tuning = {}) const {
    auto loop = EventLoop::create(tuning, time);
    EXPECT_TRUE(loop);
    return std::move(*loop);
  }
  FakeTime time;
};

// Works for so long whenever it may.
class Worker final : public EventSource {
 public:
  Worker(EventLoop& loop, const FakeTime& time, Duration work, bool bulk)
      : loop_(loop), time_(time), work_(work) {
    id_ = *loop.add(EventLoop::kNoDescriptor, *this);
    loop.set_bulk(id_, bulk);
    loop.run_again(id_);
  }
  ~Worker() override { loop_.remove(id_); }
  void on_ready(const Readiness&) override {}
  void on_wake(Instant) override {
    ++wakes;
    time_.pass(work_);
    if (stop_after > 0 && wakes == stop_after) return loop_.stop();
    loop_.run_again(id_);
  }
  [[nodiscard]] EventLoop::Id id() const { return id_; }

  int wakes = 0;
  int stop_after = 0;

 private:
  EventLoop& loop_;
  const FakeTime& time_;
  Duration work_;
  EventLoop::Id id_{};
};

}  // namespace wyndrvr::runtime::testing
