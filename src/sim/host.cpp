#include "sim/host.hpp"

#include <algorithm>

#include "sim/world.hpp"

namespace wyndrvr::sim {

void Host::go_dark() {
  if (dark_) return;
  dark_ = true;
  environment_.trace.line(environment_.queue.now(), name_, "goes dark");
}

void Alarm::set(const std::optional<engine::Deadline>& deadline) {
  deadline_ = deadline;
  if (!deadline_) return;
  // One that is over already may be so by the host's whole uptime.
  const Instant due = std::max(deadline_->at, host_.now());
  const TrueTime at = std::max(host_.clock().when(due), host_.environment().queue.now());
  // An event that comes earlier will look again.
  if (armed_ && armed_for_ <= at) return;
  arm(at);
}

void Alarm::arm(TrueTime at) {
  if (silenced_) return;
  Environment& environment = host_.environment();
  // The world is over by then, and does not come to rest before its last event.
  if (at > environment.queue.now() + World::kLongestRun) return;
  armed_ = true;
  armed_for_ = at;
  ++generation_;
  const TrueTime late = at + environment.up_to(host_.config().max_timer_lateness);
  environment.queue.at(late, [this, generation = generation_] {
    if (generation == generation_) fire();
  });
}

void Alarm::fire() {
  armed_ = false;
  if (!deadline_ || host_.dark()) return;
  if (host_.now() < deadline_->at) {
    arm(host_.clock().when(deadline_->at));
    return;
  }
  Environment& environment = host_.environment();
  const TrueTime now = environment.queue.now();
  rings_at_once_ = now == last_ring_ ? rings_at_once_ + 1 : 0;
  last_ring_ = now;
  if (rings_at_once_ > kMaxRingsAtOnce) {
    silenced_ = true;
    environment.findings.add(now, "{}: the deadline (reason {}) never moves: a loop would spin",
                             what_, static_cast<int>(deadline_->reason));
    return;
  }
  ring_();
}

}  // namespace wyndrvr::sim
