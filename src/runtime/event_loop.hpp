// The loop of one thread: waits for descriptors and deadlines, then lets their owners act.
//
// A turn: wait (to the nanosecond, never by sleeping and looking); then whatever is readable,
// writable or in error; then deadlines that have passed; then sources that asked to run again;
// then what was deferred. The order within each is that of the kernel, or of registration. What
// one source may do in a turn is bounded by the source.
//
// Sources that move data in bulk come last, and share kBulkTime a turn, whatever their number: what
// is left over comes in the next turn. So the others keep their timing under full load; lag() tells
// how well.
//
// A busy one can be polled: taken out of epoll, where each of its datagrams would cost a wake-up or
// a call-back, and looked at in each turn, which waits for no longer than the source can.
//
// One thread. Sources must outlive their registration. A failing epoll ends `run` with an error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/poller.hpp"
#include "runtime/loop_time.hpp"
#include "runtime/run.hpp"
#include "runtime/timer_table.hpp"
#include "stats/latency_summary.hpp"

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
  // What bulk sources may take of a turn: so long for those that are ready, and for those that run
  // again. One of each runs in any case.
  static constexpr Duration kBulkTime = 100us;
  // How often a polled source is to look at its errors: nothing tells of them meanwhile.
  static constexpr Duration kErrorInterval = 1ms;
  // How often the loop measures its lag while there is bulk.
  static constexpr Duration kLagInterval = 2ms;

  // `time` must outlive the loop.
  [[nodiscard]] static Result<EventLoop> create(const LoopTuning& tuning,
                                                const LoopTime& time = kHostTime);

  [[nodiscard]] Result<Id> add(int fd, EventSource& source);
  void remove(Id id);
  // False where the kernel refuses: nothing will be told.
  bool set_want_write(Id id, bool want_write);
  void set_deadline(Id id, std::optional<Instant> at) { timers_.set(id, at); }
  // on_wake in the next turn, which does not wait.
  void run_again(Id id);
  // Whether the source moves data in bulk at present.
  void set_bulk(Id id, bool bulk) { sources_[id].bulk = bulk; }
  // Whether the source is polled: on_ready in each turn, whether there is anything or not. Then
  // `rest` is how long a turn may wait for all that; absent: it is watched.
  void set_polled(Id id, std::optional<Duration> rest);
  // Something polled has been left as it is: the next turn does not wait.
  void poll_at_once() { poll_at_once_ = true; }
  // Runs at the end of this turn: the place to destroy a source from within its own call.
  void defer(std::function<void()> action) { deferred_.push_back(std::move(action)); }

  [[nodiscard]] Result<void> run();
  // Ends `run` after this turn; before it, the next `run` ends at once.
  void stop() { stopped_ = true; }
  [[nodiscard]] const LoopTuning& tuning() const { return tuning_; }
  // By how much the loop met a deadline late: measured every kLagInterval while there is bulk, by a
  // deadline of its own. Nothing where there was none.
  [[nodiscard]] std::optional<stats::LatencySummary> lag() const { return lag_->summary(); }

 private:
  struct Registration {
    EventSource* source = nullptr;
    int fd = kNoDescriptor;
    std::uint32_t generation = 0;  // tells a reused id from the one that an event was for
    bool want_write = false;
    bool queued = false;  // is in again_
    bool bulk = false;
    bool polled = false;            // is in polled_, and not in epoll
    Duration rest{};                // while it is polled
    std::uint64_t bulk_served = 0;  // when it last ran as ready bulk, as a count of such runs
  };

  EventLoop(os::Poller poller, const LoopTuning& tuning, const LoopTime& time)
      : poller_(std::move(poller)),
        time_(&time),
        tuning_(tuning),
        lag_(std::make_unique<stats::LatencyRecorder>()) {}
  [[nodiscard]] Result<void> turn();
  [[nodiscard]] std::optional<Duration> wait_time() const;
  // All but bulk, which is kept for dispatch_bulk().
  void dispatch(std::span<const os::Event> events);
  void dispatch_bulk();
  void add_polled(Instant now);
  void wake_due();
  void wake_again();
  void run_deferred();
  void measure_lag(Instant now);
  // The registration that an event is for; nothing where it is gone by now.
  [[nodiscard]] Registration* find(const os::Event& event);

  os::Poller poller_;
  const LoopTime* time_;
  LoopTuning tuning_;
  TimerTable timers_;
  std::vector<Registration> sources_;
  std::vector<Id> free_ids_;
  std::vector<Id> again_;
  std::vector<Id> running_again_;
  std::vector<Id> left_over_;
  std::vector<Id> polled_;
  std::vector<std::function<void()>> deferred_;
  std::unique_ptr<stats::LatencyRecorder> lag_;
  std::optional<Instant> lag_due_;
  std::vector<os::Event> bulk_events_;  // of this turn
  std::uint64_t bulk_served_ = 0;
  bool had_bulk_ = false;  // in this turn
  bool poll_at_once_ = false;
  Instant next_error_look_;
  bool stopped_ = false;
};

}  // namespace wyndrvr::runtime
