#include "engine/heartbeat_client.hpp"

#include <algorithm>

namespace wyndrvr::engine {
namespace {

constexpr std::size_t kMaxOutstanding = 4096;
// Of both: what a path whose round trip is shorter than the interval needs.
constexpr std::size_t kUsual = 4;

std::size_t outstanding_capacity(Duration interval) {
  const auto fitting = HeartbeatClient::kAnswerTimeout / std::max(interval, Duration(1us)) + 2;
  return std::clamp<std::size_t>(static_cast<std::size_t>(fitting), 32, kMaxOutstanding);
}

}  // namespace

template <class Kind>
BasicHeartbeatClient<Kind>::BasicHeartbeatClient(const Options& options)
    : options_(options),
      due_(options.start),
      outstanding_({.most = outstanding_capacity(options.interval), .kept = kUsual}),
      replies_({.most = kMostHeartbeatsAtOnce, .kept = kUsual}) {}

template <class Kind>
auto BasicHeartbeatClient<Kind>::find(std::int64_t micros) -> Outstanding* {
  std::size_t low = 0;
  std::size_t high = outstanding_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (outstanding_.at(middle).micros < micros) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == outstanding_.size() || outstanding_.at(low).micros != micros) return nullptr;
  return &outstanding_.at(low);
}

template <class Kind>
auto BasicHeartbeatClient<Kind>::on_answer(Instant now, const Datagram& datagram,
                                           const typename Kind::Reply& answer)
    -> std::expected<Answered, wire::DropReason> {
  const std::optional<std::int64_t> micros = answer.client.to_micros();
  Outstanding* match = micros ? find(*micros) : nullptr;
  if (match == nullptr) return std::unexpected(wire::DropReason::kUnknownTimestamp);
  if (match->answered) return std::unexpected(wire::DropReason::kDuplicate);
  match->answered = true;

  RoundTrip trip;
  trip.rtt = datagram.arrival - match->sent;
  trip.application_rtt = now - match->sent;
  settle(answer.earlier);
  if (datagram.kernel_stamped && match->kernel_sent) {
    const Duration total = datagram.arrival - *match->kernel_sent;
    unsettled_ = Unsettled{answer.server, total, answer.turnaround_ns, match->loaded};
    trip.network_rtt = less_turnaround(total, answer.turnaround_ns);
  }
  tally_of(match->loaded).on_answer(trip);
  longest_rtt_ = std::max(longest_rtt_, trip.application_rtt);

  const Answered answered{trip, match->loaded, !answered_once_};
  if (!answered_once_) {
    answered_once_ = true;
    // Where the round trip is longer than the interval, those slots have had their heartbeats.
    due_ = std::max(due_, match->sent + options_.interval);
  }
  drop_answered();
  // Full only where a train of the kernel's holds more; the server then tries again.
  Waiting echo{.reply = {},
               .arrival = datagram.arrival,
               .tells_turnaround = answer.turnaround_ns.has_value()};
  echo.reply.client = answer.client;
  echo.reply.server = answer.server;
  (void)replies_.push(echo);
  return answered;
}

template <class Kind>
auto BasicHeartbeatClient<Kind>::poll_reply(Instant now) -> std::optional<typename Kind::Reply> {
  auto echo = replies_.pop();
  if (!echo) return std::nullopt;
  if (echo->tells_turnaround) echo->reply.turnaround_ns = turnaround_ns(echo->arrival, now);
  return echo->reply;
}

template <class Kind>
void BasicHeartbeatClient<Kind>::settle(const std::optional<typename Kind::Earlier>& earlier) {
  if (!unsettled_) return;
  const bool exact = earlier && earlier->server == unsettled_->server;
  const auto network_rtt = less_turnaround(
      unsettled_->total, exact ? earlier->turnaround_ns : unsettled_->turnaround_ns);
  if (network_rtt) tally_of(unsettled_->loaded).on_network_rtt(*network_rtt);
  unsettled_.reset();
}

template <class Kind>
void BasicHeartbeatClient<Kind>::on_transmit_stamp(std::uint32_t token, Instant stamp) {
  if (outstanding_.empty()) return;
  const std::uint32_t index = token - outstanding_.front().token;
  if (index < outstanding_.size()) outstanding_.at(index).kernel_sent = stamp;
}

template <class Kind>
Duration BasicHeartbeatClient<Kind>::answer_timeout() const {
  // After the last, waiting the full time-out would only bore: four times the longest round trip
  // seen, as irtt does. Not after load, whose queues may be longer than what was seen of them.
  if (!last_is_sent() || !answered_once_ || loaded_once_) return kAnswerTimeout;
  return std::clamp<Duration>(longest_rtt_ * 4, 250ms, kAnswerTimeout);
}

template <class Kind>
void BasicHeartbeatClient<Kind>::on_timer(Instant now) {
  while (!outstanding_.empty() && now - outstanding_.front().sent >= answer_timeout()) {
    give_up_oldest();
  }
}

template <class Kind>
void BasicHeartbeatClient<Kind>::stop(Instant now) {
  stopped_ = true;
  on_timer(now);
}

template <class Kind>
void BasicHeartbeatClient<Kind>::give_up_oldest() {
  const std::optional<Outstanding> oldest = outstanding_.pop();
  if (oldest && !oldest->answered) tally_of(oldest->loaded).on_lost();
  drop_answered();
}

template <class Kind>
void BasicHeartbeatClient<Kind>::drop_answered() {
  while (!outstanding_.empty() && outstanding_.front().answered) (void)outstanding_.pop();
}

template <class Kind>
auto BasicHeartbeatClient<Kind>::poll_heartbeat(Instant now) -> std::optional<Heartbeat> {
  if (last_is_sent() || now < due_) return std::nullopt;
  if (outstanding_.full()) give_up_oldest();
  // T names the heartbeat, so no two may be alike.
  last_micros_ = std::max(last_micros_ + 1, options_.clock.micros(now));
  const Outstanding entry{.micros = last_micros_,
                          .token = next_token_++,
                          .sent = now,
                          .kernel_sent = std::nullopt,
                          .loaded = loaded_};
  (void)outstanding_.push(entry);
  ++sent_;
  schedule_next(now);
  return Heartbeat{{Kind::Time::from_micros(entry.micros)}, entry.token};
}

template <class Kind>
void BasicHeartbeatClient<Kind>::schedule_next(Instant now) {
  if (!answered_once_) {
    due_ = now + std::min(options_.interval, kFirstRetryInterval);
    return;
  }
  due_ += options_.interval;
  if (due_ > now) return;
  const auto missed = (now - due_) / options_.interval + 1;
  tally_of(loaded_).on_skipped(static_cast<std::uint64_t>(missed));
  due_ += missed * options_.interval;
}

template <class Kind>
void BasicHeartbeatClient<Kind>::send_now(Instant now) {
  due_ = std::min(due_, now);
}

template <class Kind>
std::optional<Deadline> BasicHeartbeatClient<Kind>::deadline() const {
  std::optional<Deadline> next;
  if (!last_is_sent()) next = Deadline{due_, DeadlineReason::kHeartbeat};
  if (outstanding_.empty()) return next;
  return earlier(
      next, Deadline{outstanding_.front().sent + answer_timeout(), DeadlineReason::kHeartbeatLost});
}

template <class Kind>
bool BasicHeartbeatClient<Kind>::done() const {
  return last_is_sent() && outstanding_.empty();
}

template class BasicHeartbeatClient<OriginalHeartbeats>;
template class BasicHeartbeatClient<PathHeartbeats>;

}  // namespace wyndrvr::engine
