#include "engine/server_paths.hpp"

#include <algorithm>
#include <utility>

namespace wyndrvr::engine {

ServerPaths::ServerPaths(const PathSetup& setup, PortKind kind, WallClock clock,
                         std::shared_ptr<const ClientFilter> clients)
    : secret_(setup.path_secret),
      kind_(kind),
      clock_(clock),
      clients_(std::move(clients)),
      heartbeats_(clock, path_count(kind, setup.terms) + kMostHeartbeatsAtOnce) {
  for (std::size_t i = 0; i < path_count(kind, setup.terms); ++i) {
    const std::uint64_t nonce = crypto::client_path_nonce(setup.handshake, path_id(kind, i));
    paths_.push_back({.clients = {nonce}, .proven = std::nullopt, .mine = {}});
  }
}

std::optional<std::size_t> ServerPaths::find(wire::PathNonce clients) const {
  const auto found = std::ranges::find(paths_, clients, &Path::clients);
  if (found == paths_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - paths_.begin());
}

wire::PathNonce ServerPaths::nonce_at(const Endpoint& endpoint, std::size_t path) const {
  return {crypto::server_path_nonce(secret_, endpoint, path_id(kind_, path))};
}

std::expected<void, wire::DropReason> ServerPaths::on_heartbeat_0(const Datagram& datagram,
                                                                  const wire::PathPacket& packet) {
  const auto path = find(packet.nonce);
  if (!path) return std::unexpected(wire::DropReason::kWrongNonce);
  if (!is_welcome(datagram)) return std::unexpected(wire::DropReason::kStranger);
  const auto heartbeat = wire::parse_path_heartbeat0(packet.body);
  if (!heartbeat) return std::unexpected(heartbeat.error());
  if (!heartbeats_.on_heartbeat(datagram, {{heartbeat->client_time_ns}}, *path)) {
    return std::unexpected(wire::DropReason::kQueueFull);
  }
  return {};
}

std::expected<ServerPaths::Confirmed, wire::DropReason> ServerPaths::on_heartbeat_2(
    const Datagram& datagram, const wire::PathPacket& packet) {
  const auto heartbeat = wire::parse_path_heartbeat2(packet.body);
  if (!heartbeat) return std::unexpected(heartbeat.error());
  const auto index = find(heartbeat->client_nonce);
  if (!index || packet.nonce != nonce_at(datagram.from, *index)) {
    return std::unexpected(wire::DropReason::kWrongNonce);
  }
  if (!is_welcome(datagram)) return std::unexpected(wire::DropReason::kStranger);
  Path& path = paths_[*index];
  Confirmed confirmed;
  confirmed.path = *index;
  confirmed.first = !path.proven;
  // The client repeats the confirmation that proves or moves a path, so none of an answer that was
  // given before the proof tells when it was due.
  const bool known = path.proven == datagram.from;
  const bool measured = known && heartbeat->server_time_ns > path.proven_time_ns;
  const auto trip = heartbeats_.on_confirmation(
      datagram, {{heartbeat->server_time_ns}, heartbeat->turnaround_ns}, measured);
  if (trip) confirmed.path_rtt = trip->path_rtt;
  if (trip && measured) confirmed.rtt = trip->rtt;
  if (path.proven && !known) {
    // An echo of where the path was before, come late or sent again, must not move it back.
    if (!trip) return std::unexpected(trip.error());
    if (heartbeat->server_time_ns <= path.confirmed_time_ns) {
      return std::unexpected(wire::DropReason::kUnknownTimestamp);
    }
    confirmed.moved = true;
  }
  if (trip) path.confirmed_time_ns = std::max(path.confirmed_time_ns, heartbeat->server_time_ns);
  if (!known) path.proven_time_ns = PathTime::from_micros(clock_.micros(datagram.arrival)).ns;
  path.proven = datagram.from;
  path.mine = packet.nonce;
  return confirmed;
}

bool ServerPaths::is_from(std::size_t path, const Datagram& datagram, wire::PathNonce nonce) const {
  return paths_[path].mine == nonce && paths_[path].proven == datagram.from;
}

std::optional<std::size_t> ServerPaths::identify(const Datagram& datagram, wire::PathNonce nonce,
                                                 std::size_t likely) const {
  if (likely < paths_.size() && is_from(likely, datagram, nonce)) return likely;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (is_from(i, datagram, nonce)) return i;
  }
  return std::nullopt;
}

std::optional<PathHeartbeat> ServerPaths::poll_heartbeat(Instant now) {
  const auto reply = heartbeats_.poll_reply(now);
  if (!reply) return std::nullopt;
  wire::PathHeartbeat1 body;
  body.client_time_ns = reply->body.client.ns;
  body.server_nonce = nonce_at(reply->to, reply->path);
  body.server_time_ns = reply->body.server.ns;
  body.turnaround_ns = reply->body.turnaround_ns.value_or(0);
  if (reply->body.earlier) {
    body.earlier =
        wire::EarlierAnswer{reply->body.earlier->server.ns, reply->body.earlier->turnaround_ns};
  }
  return PathHeartbeat{{reply->to, 0, paths_[reply->path].clients}, body, reply->token};
}

std::optional<PathTarget> ServerPaths::target(std::size_t path) const {
  const Path& known = paths_[path];
  if (!known.proven) return std::nullopt;
  return PathTarget{*known.proven, 0, known.clients};
}

bool ServerPaths::all_proven() const {
  return std::ranges::all_of(paths_, [](const Path& path) { return path.proven.has_value(); });
}

}  // namespace wyndrvr::engine
