#include "runtime/event_loop.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "os/clock.hpp"

namespace wyndrvr::runtime {
namespace {

constexpr std::uint64_t tag_of(EventLoop::Id id, std::uint32_t generation) {
  return std::uint64_t{generation} << 32U | id;
}

}  // namespace

Result<EventLoop> EventLoop::create(const LoopTuning& tuning) {
  auto poller = os::Poller::create();
  if (!poller) return std::unexpected(poller.error());
  // A deadline is met to the microsecond rather than to the default 50 us.
  os::set_timer_slack(Duration(1));
  return EventLoop(std::move(*poller), tuning);
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
  if (entry.fd != kNoDescriptor) (void)poller_.remove(entry.fd);
  (void)std::erase(again_, id);
  entry = Registration{.generation = entry.generation + 1};
  free_ids_.push_back(id);
}

bool EventLoop::set_want_write(Id id, bool want_write) {
  Registration& entry = sources_[id];
  if (entry.want_write == want_write) return true;
  if (entry.fd == kNoDescriptor) return false;
  if (!poller_.modify(entry.fd, tag_of(id, entry.generation), want_write)) return false;
  entry.want_write = want_write;
  return true;
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
  if (!again_.empty() || !deferred_.empty()) return Duration(0);
  const auto next = timers_.earliest();
  if (!next) return tuning_.block_limit;
  const Duration left = std::max(next->at - os::monotonic_now(), Duration(0));
  return std::min(left, tuning_.block_limit);
}

Result<void> EventLoop::turn() {
  const auto events = poller_.wait(wait_time());
  if (!events) return std::unexpected(events.error());
  if (!events->empty() && tuning_.gather > Duration(0)) os::sleep_for(tuning_.gather);
  dispatch(*events);
  wake_due();
  wake_again();
  run_deferred();
  if (tuning_.pause() > Duration(0)) os::sleep_for(tuning_.pause());
  return {};
}

void EventLoop::dispatch(std::span<const os::Event> events) {
  for (const os::Event& event : events) {
    const auto id = static_cast<Id>(event.tag);
    const Registration& entry = sources_[id];
    // Removed, and perhaps reused, by a source before it in this turn.
    if (entry.source == nullptr || tag_of(id, entry.generation) != event.tag) continue;
    entry.source->on_ready({event.readable, event.writable, event.error});
  }
}

void EventLoop::wake_due() {
  const Instant now = os::monotonic_now();
  // Each source at most once a turn: one whose new deadline is past again waits for the next.
  for (std::size_t budget = timers_.size(); budget > 0; --budget) {
    const auto next = timers_.earliest();
    if (!next || next->at > now) return;
    timers_.set(next->id, std::nullopt);
    sources_[next->id].source->on_wake(now);
  }
}

void EventLoop::wake_again() {
  running_again_.swap(again_);
  for (const Id id : running_again_) {
    Registration& entry = sources_[id];
    if (entry.source == nullptr || !entry.queued) continue;
    entry.queued = false;
    entry.source->on_wake(os::monotonic_now());
  }
  running_again_.clear();
}

void EventLoop::run_deferred() {
  std::vector<std::function<void()>> actions;
  actions.swap(deferred_);
  for (const auto& action : actions) action();
}

}  // namespace wyndrvr::runtime
