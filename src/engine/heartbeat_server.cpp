#include "engine/heartbeat_server.hpp"

#include <algorithm>

namespace wyndrvr::engine {
namespace {

constexpr std::size_t kMaxUnconfirmed = 64;
// Answers remembered although they are confirmed, so that copies are told from what is made up;
// half as many where others are still waited for.
constexpr std::size_t kRemembered = 8;
// A client gives an answer up after 4 s, and its confirmation has to come back.
constexpr Duration kForgottenAfter = 10s;
// Answers that wait where each is sent at once, but came with another one.
constexpr std::size_t kUsuallyWaiting = 2;

}  // namespace

template <class Kind>
BasicHeartbeatServer<Kind>::BasicHeartbeatServer(WallClock clock, std::size_t max_waiting)
    : clock_(clock),
      waiting_({.most = max_waiting, .kept = std::min(max_waiting, kUsuallyWaiting)}),
      unconfirmed_({.most = kMaxUnconfirmed, .kept = kRemembered}) {}

template <class Kind>
bool BasicHeartbeatServer<Kind>::on_heartbeat(const Datagram& datagram,
                                              const typename Kind::Request& heartbeat,
                                              std::size_t path) {
  return waiting_.push(
      {heartbeat.timestamp, path, datagram.from, datagram.arrival, datagram.kernel_stamped});
}

template <class Kind>
auto BasicHeartbeatServer<Kind>::on_confirmation(const Datagram& datagram,
                                                 const Confirmation& confirmation, bool measured)
    -> std::expected<Confirmed, wire::DropReason> {
  const std::optional<std::int64_t> micros = confirmation.server.to_micros();
  if (!micros) return std::unexpected(wire::DropReason::kUnknownTimestamp);
  for (std::size_t i = 0; i < unconfirmed_.size(); ++i) {
    Unconfirmed& entry = unconfirmed_.at(i);
    if (entry.micros != *micros || entry.to != datagram.from) continue;
    if (entry.confirmed) return std::unexpected(wire::DropReason::kDuplicate);
    entry.confirmed = true;
    const Duration rtt = std::max(datagram.arrival - entry.sent, Duration(0));
    if (measured) rtt_ns_.record(static_cast<double>(rtt.count()));
    return Confirmed{rtt, less_turnaround(rtt, confirmation.turnaround_ns).value_or(rtt)};
  }
  return std::unexpected(wire::DropReason::kUnknownTimestamp);
}

template <class Kind>
auto BasicHeartbeatServer<Kind>::poll_reply(Instant now) -> std::optional<Reply> {
  const std::optional<Waiting> waiting = waiting_.pop();
  if (!waiting) return std::nullopt;
  last_micros_ = std::max(last_micros_ + 1, clock_.micros(now));
  forget_answers(now);
  (void)unconfirmed_.push({last_micros_, now, waiting->to});
  Reply reply;
  reply.path = waiting->path;
  reply.to = waiting->to;
  reply.token = next_token_++;
  reply.body.client = waiting->timestamp;
  reply.body.server = Kind::Time::from_micros(last_micros_);
  reply.body.turnaround_ns = turnaround_ns(waiting->arrival, now);
  if (last_reply_ && last_reply_->turnaround_ns) {
    reply.body.earlier = typename Kind::Earlier{last_reply_->server, *last_reply_->turnaround_ns};
  }
  last_reply_ = LastReply{reply.body.server, waiting->arrival, waiting->kernel_stamped, reply.token,
                          std::nullopt};
  return reply;
}

// Makes room for one more.
template <class Kind>
void BasicHeartbeatServer<Kind>::forget_answers(Instant now) {
  const auto is_settled = [&](const Unconfirmed& entry) {
    return entry.confirmed || now - entry.sent >= kForgottenAfter;
  };
  while (unconfirmed_.full() ||
         (unconfirmed_.size() >= kRemembered && is_settled(unconfirmed_.front()))) {
    (void)unconfirmed_.pop();
  }
  if (unconfirmed_.size() < std::max(unconfirmed_.room(), kRemembered)) return;
  // More memory only for what is still waited for: one that is must not keep all behind it.
  for (std::size_t left = unconfirmed_.size(); left > 0; --left) {
    const std::optional<Unconfirmed> entry = unconfirmed_.pop();
    if (left <= kRemembered / 2 || !is_settled(*entry)) (void)unconfirmed_.push(*entry);
  }
}

template <class Kind>
void BasicHeartbeatServer<Kind>::on_transmit_stamp(std::uint32_t token, Instant stamp) {
  if (!last_reply_ || last_reply_->token != token || !last_reply_->kernel_stamped) return;
  last_reply_->turnaround_ns = turnaround_ns(last_reply_->arrival, stamp);
}

template class BasicHeartbeatServer<OriginalHeartbeats>;
template class BasicHeartbeatServer<PathHeartbeats>;

}  // namespace wyndrvr::engine
