#include "engine/client_paths.hpp"

#include <algorithm>

namespace wyndrvr::engine {
namespace {

PathHeartbeats::Reply reply_of(const wire::PathHeartbeat1& answer) {
  PathHeartbeats::Reply reply;
  reply.client = {answer.client_time_ns};
  reply.server = {answer.server_time_ns};
  reply.turnaround_ns = answer.turnaround_ns;
  if (answer.earlier) {
    reply.earlier =
        PathHeartbeats::Earlier{{answer.earlier->server_time_ns}, answer.earlier->turnaround_ns};
  }
  return reply;
}

}  // namespace

ClientPaths::ClientPaths(const PathSetup& setup, const Options& options) : server_(options.server) {
  const std::size_t count = path_count(options.kind, setup.terms);
  paths_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    PathHeartbeatClient::Options heartbeats{.interval = options.heartbeat_interval,
                                            .count = std::nullopt,
                                            .clock = options.clock,
                                            .start = options.start};
    if (i == 0) heartbeats.count = options.heartbeat_count;
    const std::uint64_t nonce =
        crypto::client_path_nonce(setup.handshake, path_id(options.kind, i));
    paths_.push_back(
        {{nonce}, std::nullopt, 0, PathHeartbeatClient(heartbeats), std::nullopt, std::nullopt});
  }
}

std::optional<std::size_t> ClientPaths::identify(const Datagram& datagram,
                                                 wire::PathNonce nonce) const {
  if (datagram.from != server_ || datagram.flow >= paths_.size()) return std::nullopt;
  if (paths_[datagram.flow].mine != nonce) return std::nullopt;
  return datagram.flow;
}

std::expected<ClientPaths::Answered, wire::DropReason> ClientPaths::on_answer(
    Instant now, const Datagram& datagram, const wire::PathPacket& packet) {
  const auto index = identify(datagram, packet.nonce);
  if (!index) return std::unexpected(wire::DropReason::kWrongNonce);
  const auto answer = wire::parse_path_heartbeat1(packet.body);
  if (!answer) return std::unexpected(answer.error());
  Path& path = paths_[*index];
  quiet_until_.reset();
  const auto answered = path.heartbeats.on_answer(now, datagram, reply_of(*answer));
  if (!answered) return std::unexpected(answered.error());
  // One that was overtaken by another may tell of where the path was before.
  const bool newest = !path.servers || answer->server_time_ns >= path.answered_time_ns;
  const bool moved = newest && path.servers && *path.servers != answer->server_nonce;
  if (newest) {
    path.servers = answer->server_nonce;
    path.answered_time_ns = answer->server_time_ns;
  }
  if (answered->first || moved) {
    path.again = Confirmation{.server_time_ns = answer->server_time_ns,
                              .arrival = datagram.arrival,
                              .next = now + kFirstWait};
  }
  return Answered{*index, answered->first, moved, answered->round_trip, answered->loaded};
}

void ClientPaths::on_timer(Instant now) {
  quiet_until_.reset();
  for (Path& path : paths_) path.heartbeats.on_timer(now);
}

void ClientPaths::nudge(std::size_t index, Instant now) {
  Path& path = paths_[index];
  if (path.nudged && now - *path.nudged < kNudgeInterval) return;
  path.nudged = now;
  quiet_until_.reset();
  path.heartbeats.send_now(now);
}

void ClientPaths::send_now(Instant now) {
  quiet_until_.reset();
  for (Path& path : paths_) path.heartbeats.send_now(now);
}

void ClientPaths::stop(Instant now) {
  quiet_until_.reset();
  for (Path& path : paths_) {
    path.heartbeats.stop(now);
    path.again.reset();
  }
}

std::optional<wire::PathHeartbeat2> ClientPaths::poll_confirmation(Instant now, Path& path) {
  if (const auto reply = path.heartbeats.poll_reply(now)) {
    return wire::PathHeartbeat2{reply->server.ns, path.mine, reply->turnaround_ns};
  }
  if (!path.again || now < path.again->next) return std::nullopt;
  const wire::PathHeartbeat2 confirmation{path.again->server_time_ns, path.mine,
                                          turnaround_ns(path.again->arrival, now)};
  path.again->wait = std::min(2 * path.again->wait, kLongestWait);
  path.again->next = now + path.again->wait;
  if (--path.again->left == 0) path.again.reset();
  return confirmation;
}

std::optional<PathHeartbeat> ClientPaths::poll_heartbeat(Instant now) {
  if (quiet_until_ && now < *quiet_until_) return std::nullopt;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    Path& path = paths_[i];
    const auto flow = static_cast<std::uint8_t>(i);
    if (const auto confirmation = poll_confirmation(now, path)) {
      return PathHeartbeat{{server_, flow, *path.servers}, *confirmation, std::nullopt};
    }
    if (const auto heartbeat = path.heartbeats.poll_heartbeat(now)) {
      PathHeartbeat packet{{server_, flow, path.mine},
                           wire::PathHeartbeat0{heartbeat->body.timestamp.ns},
                           std::nullopt};
      if (i == 0) packet.token = heartbeat->token;
      return packet;
    }
  }
  const auto next = deadline();
  quiet_until_ = next ? next->at : Instant::max();
  return std::nullopt;
}

std::optional<Deadline> ClientPaths::deadline() const {
  std::optional<Deadline> next;
  for (const Path& path : paths_) {
    next = earlier(next, path.heartbeats.deadline());
    if (path.again) next = earlier(next, Deadline{path.again->next, DeadlineReason::kResend});
  }
  return next;
}

std::optional<PathTarget> ClientPaths::target(std::size_t index) const {
  const Path& path = paths_[index];
  if (!path.servers) return std::nullopt;
  return PathTarget{server_, static_cast<std::uint8_t>(index), *path.servers};
}

bool ClientPaths::all_proven() const {
  return std::ranges::all_of(paths_, [](const Path& path) { return path.servers.has_value(); });
}

}  // namespace wyndrvr::engine
