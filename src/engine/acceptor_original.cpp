// The acceptor's part in 0.14: CONNECT, and what may answer it.
#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "base/ip_network.hpp"
#include "engine/acceptor.hpp"

namespace wyndrvr::engine {
namespace {

IpNetwork host_network(const IpAddress& address) {
  constexpr std::uint8_t kV4Bits = 32;
  constexpr std::uint8_t kV6Bits = 128;
  return {address, address.is_v6() ? kV6Bits : kV4Bits};
}

}  // namespace

void Acceptor::on_connect(Instant now, const Way& back) {
  const auto known = by_client_.find(back.to);
  if (known == by_client_.end()) {
    accept(now, back);
    return;
  }
  const Session& session = sessions_.at(known->second.value);
  // Comms are up: this is a copy that was late. Not bound yet: the answer is on its way.
  if (session.proven || !session.bound) {
    ++ignored_;
    return;
  }
  send_assignment(session);
}

void Acceptor::accept(Instant now, const Way& back) {
  if (const auto obstacle = find_obstacle(now, back.to.address)) return turn_away(back, *obstacle);
  Session session;
  session.setup.id = {next_id_++};
  session.setup.client = back.to;
  session.setup.local = back.from;
  session.setup.clients = clients_;
  session.traffic_class = back.traffic_class;
  session.setup.heartbeat_key =
      static_cast<std::uint32_t>(draw() % (wire::Assignment::kMaxKey + 1));
  session.created = now;
  if (!take_ports(now, session.setup)) {
    return turn_away(back, {wire::RefusalReason::kNoFreePorts, make_room(now)});
  }
  session.unproven = unproven_.insert(unproven_.end(), session.setup.id);
  by_client_.emplace(back.to, session.setup.id);
  keep(std::move(session));
}

std::optional<Acceptor::Obstacle> Acceptor::find_obstacle(Instant now, const IpAddress& address) {
  using enum wire::RefusalReason;
  const ServerLimits& limits = config_.limits;
  if (unproven_.size() >= limits.max_unproven_sessions) {
    evict_oldest_unproven(now);
    if (unproven_.size() >= limits.max_unproven_sessions) return Obstacle{kServerFull};
  }
  if (sessions_.size() >= limits.max_sessions) return Obstacle{kServerFull, make_room(now)};
  // Whoever forges the address can fill its share with sessions that are never proven, so the
  // oldest of those goes.
  if (holding_of(per_address_, address).all() >= limits.max_sessions_per_address) {
    return Obstacle{kAddressLimit, evict_unproven_of(now, host_network(address))};
  }
  const IpNetwork network = network_of(address);
  if (holding_of(per_network_, network.address).all() >= limits.max_sessions_per_network) {
    return Obstacle{kNetworkLimit, evict_unproven_of(now, network)};
  }
  return std::nullopt;
}

void Acceptor::turn_away(const Way& back, const Obstacle& obstacle) {
  if (obstacle.passes) {
    ++ignored_;
  } else {
    refuse(back, obstacle.reason);
  }
}

bool Acceptor::evict_oldest_unproven(Instant now) {
  return !unproven_.empty() && evict_unproven(now, sessions_.at(unproven_.front().value));
}

bool Acceptor::evict_unproven_of(Instant now, const IpNetwork& clients) {
  for (const SessionId id : unproven_) {
    Session& session = sessions_.at(id.value);
    if (contains(clients, session.setup.client.address)) return evict_unproven(now, session);
  }
  return false;
}

bool Acceptor::evict_unproven(Instant now, Session& session) {
  if (!session.bound || now - session.created < kEvictableAfter) return false;
  // It leaves the list at once, so that one more eviction picks another one; its ports come back
  // when its coordinator has let them go.
  unproven_.erase(session.unproven);
  session.unproven = unproven_.end();
  effects_.emplace_back(EndSession{session.setup.id, SessionEnd::kEvicted});
  return true;
}

void Acceptor::refuse(const Way& back, wire::RefusalReason reason) {
  send_refusal(back, reason);
  if (reason == wire::RefusalReason::kNoFreePorts) {
    report_limit(PortsExhausted{});
  } else {
    report_limit(LimitReached{std::string(wire::text(reason))});
  }
}

void Acceptor::send_refusal(const Way& back, wire::RefusalReason reason) {
  ++refused_;
  refusal_credit_ += wire::kConnect.size();
  const std::size_t size = wire::refusal_size(reason);
  const bool paid = refusal_credit_ >= size;
  send_text(back, wire::Refusal{paid ? reason : wire::RefusalReason::kOther});
  refusal_credit_ =
      std::min(refusal_credit_ - (paid ? size : wire::kConnect.size()), kRefusalCredit);
}

void Acceptor::send_assignment(const Session& session) {
  const SessionSetup& setup = session.setup;
  send_text(way_to(session),
            wire::Assignment{setup.ports[0], setup.ports[1], setup.ports[2], setup.heartbeat_key});
}

void Acceptor::send_text(const Way& back, const wire::ConnectAnswer& answer) {
  SendFromMain effect{.to = back.to, .from = back.from};
  effect.traffic_class = back.traffic_class;
  effect.size = std::visit(
      [&](const auto& any) { return wire::write_connect_answer(effect.bytes, any); }, answer);
  effects_.emplace_back(effect);
}

void Acceptor::resend_assignment(SessionId id) {
  Session* session = find(id);
  if (session == nullptr || session->proven || session->setup.path) return;
  // Its address is real, so room is not to be made at its cost.
  if (session->unproven != unproven_.end()) unproven_.erase(session->unproven);
  session->unproven = unproven_.end();
  send_assignment(*session);
}

void Acceptor::on_extended(SessionId id) {
  if (Session* session = find(id)) session->extended = true;
}

}  // namespace wyndrvr::engine
