#include "engine/heartbeat_server.hpp"

#include <algorithm>

namespace wyndrvr::engine {
namespace {

constexpr std::size_t kMaxWaiting = 32;
constexpr std::size_t kMaxUnconfirmed = 64;

}  // namespace

HeartbeatServer::HeartbeatServer(WallClock clock)
    : clock_(clock), waiting_(kMaxWaiting), unconfirmed_(kMaxUnconfirmed) {}

bool HeartbeatServer::on_heartbeat(const Datagram& datagram, const wire::Heartbeat0& heartbeat) {
  return waiting_.push(
      {heartbeat.timestamp, datagram.from, datagram.arrival, datagram.kernel_stamped});
}

std::expected<Duration, wire::DropReason> HeartbeatServer::on_confirmation(
    const Datagram& datagram, const wire::HeartbeatReply& confirmation) {
  const std::optional<std::int64_t> micros = confirmation.server.to_micros();
  if (!micros) return std::unexpected(wire::DropReason::kUnknownTimestamp);
  for (std::size_t i = 0; i < unconfirmed_.size(); ++i) {
    Unconfirmed& entry = unconfirmed_.at(i);
    if (entry.micros != *micros || entry.to != datagram.from) continue;
    if (entry.confirmed) return std::unexpected(wire::DropReason::kDuplicate);
    entry.confirmed = true;
    const Duration rtt = std::max(datagram.arrival - entry.sent, Duration(0));
    rtt_ns_.record(static_cast<double>(rtt.count()));
    return rtt;
  }
  return std::unexpected(wire::DropReason::kUnknownTimestamp);
}

std::optional<HeartbeatServer::Reply> HeartbeatServer::poll_reply(Instant now) {
  const std::optional<Waiting> waiting = waiting_.pop();
  if (!waiting) return std::nullopt;
  last_micros_ = std::max(last_micros_ + 1, clock_.micros(now));
  if (unconfirmed_.full()) (void)unconfirmed_.pop();
  (void)unconfirmed_.push({last_micros_, now, waiting->to});
  Reply reply;
  reply.to = waiting->to;
  reply.token = next_token_++;
  reply.body.client = waiting->timestamp;
  reply.body.server = wire::Timestamp::from_micros(last_micros_);
  const Duration turnaround = std::max(now - waiting->arrival, Duration(0));
  reply.body.turnaround_ns = static_cast<std::uint64_t>(turnaround.count());
  if (last_reply_ && last_reply_->turnaround_ns) {
    reply.body.earlier = wire::EarlierTurnaround{last_reply_->server, *last_reply_->turnaround_ns};
  }
  last_reply_ = LastReply{reply.body.server, waiting->arrival, waiting->kernel_stamped, reply.token,
                          std::nullopt};
  return reply;
}

void HeartbeatServer::on_transmit_stamp(std::uint32_t token, Instant stamp) {
  if (!last_reply_ || last_reply_->token != token || !last_reply_->kernel_stamped) return;
  const Duration turnaround = std::max(stamp - last_reply_->arrival, Duration(0));
  last_reply_->turnaround_ns = static_cast<std::uint64_t>(turnaround.count());
}

}  // namespace wyndrvr::engine
