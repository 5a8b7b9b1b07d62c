// The loop of one thread: waits for descriptors and deadlines, then lets their owners act.
//
// A turn: wait (to the nanosecond, never by sleeping and looking); then whatever is readable,
// writable or in error; then deadlines that have passed; then sources that asked to run again;
// then what was deferred. The order within each is that of the kernel, or of registration. What
// one source may do in a turn is bounded by the source, so none starves the others.
//
// One thread. Sources must outlive their registration. A failing epoll ends `run` with an error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/poller.hpp"
#include "runtime/run.hpp"
#include "runtime/timer_table.hpp"

namespace wyndrvr::runtime {

struct Readiness {
  bool readable = false;
  bool writable = false;
  bool error = false;
};

// Something that the loop wakes.
class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual void on_ready(const Readiness& readiness) = 0;
  // Its deadline has passed, or it asked to run again.
  virtual void on_wake(Instant now) = 0;
};

class EventLoop {
 public:
  using Id = TimerTable::Id;

  // No descriptor: a source of deadlines only.
  static constexpr int kNoDescriptor = -1;

  [[nodiscard]] static Result<EventLoop> create(const LoopTuning& tuning);

  [[nodiscard]] Result<Id> add(int fd, EventSource& source);
  void remove(Id id);
  // False where the kernel refuses: nothing will be told.
  bool set_want_write(Id id, bool want_write);
  void set_deadline(Id id, std::optional<Instant> at) { timers_.set(id, at); }
  // on_wake in the next turn, which does not wait.
  void run_again(Id id);
  // Runs at the end of this turn: the place to destroy a source from within its own call.
  void defer(std::function<void()> action) { deferred_.push_back(std::move(action)); }

  [[nodiscard]] Result<void> run();
  // Ends `run` after this turn; before it, the next `run` ends at once.
  void stop() { stopped_ = true; }
  [[nodiscard]] const LoopTuning& tuning() const { return tuning_; }

 private:
  struct Registration {
    EventSource* source = nullptr;
    int fd = kNoDescriptor;
    std::uint32_t generation = 0;  // tells a reused id from the one that an event was for
    bool want_write = false;
    bool queued = false;  // is in again_
  };

  EventLoop(os::Poller poller, const LoopTuning& tuning)
      : poller_(std::move(poller)), tuning_(tuning) {}
  [[nodiscard]] Result<void> turn();
  [[nodiscard]] std::optional<Duration> wait_time() const;
  void dispatch(std::span<const os::Event> events);
  void wake_due();
  void wake_again();
  void run_deferred();

  os::Poller poller_;
  LoopTuning tuning_;
  TimerTable timers_;
  std::vector<Registration> sources_;
  std::vector<Id> free_ids_;
  std::vector<Id> again_;
  std::vector<Id> running_again_;
  std::vector<std::function<void()>> deferred_;
  bool stopped_ = false;
};

}  // namespace wyndrvr::runtime
