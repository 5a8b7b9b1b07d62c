#include "sim/link.hpp"

#include <algorithm>

namespace wyndrvr::sim {
namespace {

constexpr Duration kCopyDelay = 3ms;  // a duplicate follows within this

}  // namespace

Link::Outcome Link::drop(const char* why) {
  ++dropped_;
  Outcome outcome;
  outcome.fate = why;
  return outcome;
}

Duration Link::up_to(Duration most) {
  if (most <= Duration(0)) return Duration(0);
  return Duration(
      static_cast<Duration::rep>(random_.between(0, static_cast<std::uint64_t>(most.count()))));
}

bool Link::enqueue(TrueTime now, std::size_t octets) {
  const TrueTime free_at = std::max(busy_until_, now);
  if (config_.rate_bps <= 0) {
    busy_until_ = free_at;
    return true;
  }
  const double waiting = to_seconds(free_at - now) * config_.rate_bps / 8.0;
  const auto room = static_cast<double>(config_.queue_octets);
  if (waiting > 0 && waiting + static_cast<double>(octets) > room) return false;
  busy_until_ = free_at + from_seconds(static_cast<double>(octets) * 8.0 / config_.rate_bps);
  return true;
}

TrueTime Link::arrival() {
  const TrueTime at = busy_until_ + config_.delay + up_to(config_.jitter);
  if (random_.chance(config_.reordering)) return at + up_to(config_.reordering_delay);
  last_arrival_ = std::max(last_arrival_, at);
  return last_arrival_;
}

Link::Outcome Link::carry(TrueTime now, std::size_t payload) {
  const std::size_t octets = payload + header_octets_;
  if (octets > config_.mtu) return drop("longer than the MTU");
  if (config_.outage && now >= config_.outage->from && now < config_.outage->until) {
    return drop("outage");
  }
  if (!enqueue(now, octets)) return drop("queue full");
  if (random_.chance(config_.loss)) return drop("lost");
  Outcome outcome;
  outcome.count = 1;
  outcome.deliveries[0] = {arrival(), random_.chance(config_.corruption)};
  if (random_.chance(config_.duplication)) {
    outcome.count = 2;
    outcome.deliveries[1] = {outcome.deliveries[0].at + up_to(kCopyDelay),
                             random_.chance(config_.corruption)};
  }
  return outcome;
}

}  // namespace wyndrvr::sim
