#include "runtime/event_loop.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "os/clock.hpp"

namespace wyndrvr::runtime {
namespace {

constexpr std::uint64_t tag_of(EventLoop::Id id, std::uint32_t generation) {
  return std::uint64_t{generation} << 32U | id;
}

constexpr Readiness readiness_of(const os::Event& event) {
  return {event.readable, event.writable, event.error};
}

}  // namespace

Result<EventLoop> EventLoop::create(const LoopTuning& tuning, const LoopTime& time) {
  auto poller = os::Poller::create();
  if (!poller) return std::unexpected(poller.error());
  // A deadline is met to the microsecond rather than to the default 50 us.
  os::set_timer_slack(Duration(1));
  return EventLoop(std::move(*poller), tuning, time);
}

Result<EventLoop::Id> EventLoop::add(int fd, EventSource& source) {
  Id id = 0;
  if (free_ids_.empty()) {
    id = static_cast<Id>(sources_.size());
    sources_.emplace_back();
  } else {
    id = free_ids_.back();
    free_ids_.pop_back();
  }
  Registration& entry = sources_[id];
  entry.source = &source;
  entry.fd = fd;
  if (fd == kNoDescriptor) return id;
  const auto added = poller_.add(fd, tag_of(id, entry.generation));
  if (added) return id;
  entry.fd = kNoDescriptor;
  remove(id);
  return std::unexpected(added.error());
}

void EventLoop::remove(Id id) {
  Registration& entry = sources_[id];
  WYNDRVR_CHECK(entry.source != nullptr);
  timers_.set(id, std::nullopt);
  // Closing a descriptor takes it out of epoll as well, so a failure here loses nothing.
  if (entry.fd != kNoDescriptor && !entry.polled) (void)poller_.remove(entry.fd);
  if (entry.polled) (void)std::erase(polled_, id);
  if (entry.queued) (void)std::erase(again_, id);
  entry = Registration{.generation = entry.generation + 1};
  free_ids_.push_back(id);
}

bool EventLoop::set_want_write(Id id, bool want_write) {
  Registration& entry = sources_[id];
  if (entry.want_write == want_write) return true;
  if (entry.fd == kNoDescriptor) return false;
  set_polled(id, std::nullopt);
  if (entry.polled) return false;
  if (!poller_.modify(entry.fd, tag_of(id, entry.generation), want_write)) return false;
  entry.want_write = want_write;
  return true;
}

void EventLoop::set_polled(Id id, std::optional<Duration> rest) {
  Registration& entry = sources_[id];
  const bool polled = rest.has_value();
  if (polled) entry.rest = *rest;
  if (entry.polled == polled || entry.fd == kNoDescriptor) return;
  if (polled) {
    if (!poller_.remove(entry.fd)) return;
    polled_.push_back(id);
  } else {
    // Where the kernel has no memory for it, it goes on being polled.
    if (!poller_.add(entry.fd, tag_of(id, entry.generation), entry.want_write)) return;
    (void)std::erase(polled_, id);
  }
  entry.polled = polled;
}

void EventLoop::run_again(Id id) {
  if (std::exchange(sources_[id].queued, true)) return;
  again_.push_back(id);
}

Result<void> EventLoop::run() {
  while (!stopped_) {
    if (const auto result = turn(); !result) return result;
  }
  stopped_ = false;
  return {};
}

std::optional<Duration> EventLoop::wait_time() const {
  if (!again_.empty() || !deferred_.empty() || poll_at_once_) return Duration(0);
  const auto next = timers_.earliest();
  std::optional<Instant> until = lag_due_;
  if (next) until = until ? std::min(*until, next->at) : next->at;
  Duration limit = tuning_.block_limit;
  for (const Id id : polled_) limit = std::min(limit, sources_[id].rest);
  if (!until) return limit;
  const Duration left = std::max(*until - time_->now(), Duration(0));
  return std::min(left, limit);
}

Result<void> EventLoop::turn() {
  const auto events = time_->wait(poller_, wait_time());
  if (!events) return std::unexpected(events.error());
  poll_at_once_ = false;
  if (!events->empty() && tuning_.gather > Duration(0)) time_->sleep(tuning_.gather);
  had_bulk_ = false;
  dispatch(*events);
  wake_due();
  dispatch_bulk();
  wake_again();
  run_deferred();
  if (tuning_.pause() > Duration(0)) time_->sleep(tuning_.pause());
  if (had_bulk_ && !lag_due_) lag_due_ = time_->now() + kLagInterval;
  return {};
}

EventLoop::Registration* EventLoop::find(const os::Event& event) {
  const auto id = static_cast<Id>(event.tag);
  Registration& entry = sources_[id];
  // Removed, and perhaps reused, by a source before it in this turn.
  if (entry.source == nullptr || tag_of(id, entry.generation) != event.tag) return nullptr;
  return &entry;
}

void EventLoop::dispatch(std::span<const os::Event> events) {
  bulk_events_.clear();
  for (const os::Event& event : events) {
    const Registration* entry = find(event);
    if (entry == nullptr) continue;
    if (entry->bulk) {
      bulk_events_.push_back(event);
    } else {
      entry->source->on_ready(readiness_of(event));
    }
  }
}

void EventLoop::add_polled(Instant now) {
  const bool look_for_errors = now >= next_error_look_;
  if (look_for_errors) next_error_look_ = now + kErrorInterval;
  for (const Id id : polled_) {
    bulk_events_.push_back(
        {.tag = tag_of(id, sources_[id].generation), .readable = true, .error = look_for_errors});
  }
}

// What is watched and there is no time for reports itself again, but in the kernel's order, which
// stays the same (level-triggered epoll(7)): whatever has waited longest comes first. Nothing
// reports what is polled, so the next turn looks at it without waiting.
void EventLoop::dispatch_bulk() {
  if (!polled_.empty()) add_polled(time_->now());
  if (bulk_events_.empty()) return;
  had_bulk_ = true;
  std::ranges::sort(bulk_events_, {}, [this](const os::Event& event) {
    const Registration* entry = find(event);
    return entry != nullptr ? entry->bulk_served : 0;
  });
  const Instant end = time_->now() + kBulkTime;
  bool served = false;
  for (const os::Event& event : bulk_events_) {
    if (served && time_->now() >= end) {
      poll_at_once_ = true;
      if (event.error) next_error_look_ = {};
      return;
    }
    if (Registration* entry = find(event)) {
      entry->bulk_served = ++bulk_served_;
      entry->source->on_ready(readiness_of(event));
      served = true;
    }
  }
}

void EventLoop::wake_due() {
  const Instant now = time_->now();
  measure_lag(now);
  // Each source at most once a turn: one whose new deadline is past again waits for the next.
  for (std::size_t budget = timers_.size(); budget > 0; --budget) {
    const auto next = timers_.earliest();
    if (!next || next->at > now) return;
    timers_.set(next->id, std::nullopt);
    if (sources_[next->id].bulk) {
      run_again(next->id);
    } else {
      sources_[next->id].source->on_wake(now);
    }
  }
}

// Bulk that there is no time for stays first in line.
void EventLoop::wake_again() {
  running_again_.swap(again_);
  std::optional<Instant> end;
  for (const Id id : running_again_) {
    Registration& entry = sources_[id];
    if (entry.source == nullptr || !entry.queued) continue;
    const Instant now = time_->now();
    if (entry.bulk) {
      had_bulk_ = true;
      if (end && now >= *end) {
        left_over_.push_back(id);
        continue;
      }
      if (!end) end = now + kBulkTime;
    }
    entry.queued = false;
    entry.source->on_wake(now);
  }
  running_again_.clear();
  again_.insert(again_.begin(), left_over_.begin(), left_over_.end());
  left_over_.clear();
}

void EventLoop::run_deferred() {
  std::vector<std::function<void()>> actions;
  actions.swap(deferred_);
  for (const auto& action : actions) action();
}

// By a deadline that lies ahead when it is set, and that nothing but the loop keeps from being met.
void EventLoop::measure_lag(Instant now) {
  if (!lag_due_ || now < *lag_due_) return;
  lag_->record(now - *lag_due_);
  lag_due_.reset();
}

}  // namespace wyndrvr::runtime
