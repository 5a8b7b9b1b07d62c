#include "engine/heartbeat_server.hpp"

#include <algorithm>

namespace wyndrvr::engine {
namespace {

constexpr std::size_t kMaxUnconfirmed = 64;

}  // namespace

template <class Kind>
BasicHeartbeatServer<Kind>::BasicHeartbeatServer(WallClock clock, std::size_t max_waiting)
    : clock_(clock), waiting_(max_waiting), unconfirmed_(kMaxUnconfirmed) {}

template <class Kind>
bool BasicHeartbeatServer<Kind>::on_heartbeat(const Datagram& datagram,
                                              const typename Kind::Request& heartbeat,
                                              std::size_t path) {
  return waiting_.push(
      {heartbeat.timestamp, path, datagram.from, datagram.arrival, datagram.kernel_stamped});
}

template <class Kind>
std::expected<Duration, wire::DropReason> BasicHeartbeatServer<Kind>::on_confirmation(
    const Datagram& datagram, const typename Kind::Time& server_time, bool measured) {
  const std::optional<std::int64_t> micros = server_time.to_micros();
  if (!micros) return std::unexpected(wire::DropReason::kUnknownTimestamp);
  for (std::size_t i = 0; i < unconfirmed_.size(); ++i) {
    Unconfirmed& entry = unconfirmed_.at(i);
    if (entry.micros != *micros || entry.to != datagram.from) continue;
    if (entry.confirmed) return std::unexpected(wire::DropReason::kDuplicate);
    entry.confirmed = true;
    const Duration rtt = std::max(datagram.arrival - entry.sent, Duration(0));
    if (measured) rtt_ns_.record(static_cast<double>(rtt.count()));
    return rtt;
  }
  return std::unexpected(wire::DropReason::kUnknownTimestamp);
}

template <class Kind>
auto BasicHeartbeatServer<Kind>::poll_reply(Instant now) -> std::optional<Reply> {
  const std::optional<Waiting> waiting = waiting_.pop();
  if (!waiting) return std::nullopt;
  last_micros_ = std::max(last_micros_ + 1, clock_.micros(now));
  if (unconfirmed_.full()) (void)unconfirmed_.pop();
  (void)unconfirmed_.push({last_micros_, now, waiting->to});
  Reply reply;
  reply.path = waiting->path;
  reply.to = waiting->to;
  reply.token = next_token_++;
  reply.body.client = waiting->timestamp;
  reply.body.server = Kind::Time::from_micros(last_micros_);
  const Duration turnaround = std::max(now - waiting->arrival, Duration(0));
  reply.body.turnaround_ns = static_cast<std::uint64_t>(turnaround.count());
  if (last_reply_ && last_reply_->turnaround_ns) {
    reply.body.earlier = typename Kind::Earlier{last_reply_->server, *last_reply_->turnaround_ns};
  }
  last_reply_ = LastReply{reply.body.server, waiting->arrival, waiting->kernel_stamped, reply.token,
                          std::nullopt};
  return reply;
}

template <class Kind>
void BasicHeartbeatServer<Kind>::on_transmit_stamp(std::uint32_t token, Instant stamp) {
  if (!last_reply_ || last_reply_->token != token || !last_reply_->kernel_stamped) return;
  const Duration turnaround = std::max(stamp - last_reply_->arrival, Duration(0));
  last_reply_->turnaround_ns = static_cast<std::uint64_t>(turnaround.count());
}

template class BasicHeartbeatServer<OriginalHeartbeats>;
template class BasicHeartbeatServer<PathHeartbeats>;

}  // namespace wyndrvr::engine
