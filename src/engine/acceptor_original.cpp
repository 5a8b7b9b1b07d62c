// The acceptor's part in 0.14: CONNECT, and what may answer it.
#include <string>
#include <utility>
#include <variant>

#include "engine/acceptor.hpp"

namespace wyndrvr::engine {

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
  if (const auto reason = limit_reached(now, back.to.address)) {
    refuse(back, *reason);
    return;
  }
  Session session;
  session.setup.id = {next_id_++};
  session.setup.client = back.to;
  session.setup.local = back.from;
  session.traffic_class = back.traffic_class;
  session.setup.heartbeat_key =
      static_cast<std::uint32_t>(random_.between(0, wire::Assignment::kMaxKey));
  session.created = now;
  if (!take_ports(now, session.setup)) {
    evict_oldest_unproven(now);
    refuse(back, wire::RefusalReason::kNoFreePorts);
    return;
  }
  session.unproven = unproven_.insert(unproven_.end(), session.setup.id);
  by_client_.emplace(back.to, session.setup.id);
  keep(std::move(session));
}

std::optional<wire::RefusalReason> Acceptor::limit_reached(Instant now, const IpAddress& address) {
  const ServerLimits& limits = config_.limits;
  if (unproven_.size() >= limits.max_unproven_sessions) {
    evict_oldest_unproven(now);
    if (unproven_.size() >= limits.max_unproven_sessions) return wire::RefusalReason::kServerFull;
  }
  if (sessions_.size() >= limits.max_sessions) return wire::RefusalReason::kServerFull;
  const auto held = per_address_.find(address);
  if (held != per_address_.end() && held->second >= limits.max_sessions_per_address) {
    return wire::RefusalReason::kAddressLimit;
  }
  return std::nullopt;
}

bool Acceptor::evict_oldest_unproven(Instant now) {
  if (unproven_.empty()) return false;
  const SessionId oldest = unproven_.front();
  Session& session = sessions_.at(oldest.value);
  if (!session.bound || now - session.created < kEvictableAfter) return false;
  // It leaves the list at once, so that one more eviction picks another one; its ports come back
  // when its coordinator has let them go.
  unproven_.erase(session.unproven);
  session.unproven = unproven_.end();
  effects_.emplace_back(EndSession{oldest, SessionEnd::kEvicted});
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
  send_text(back, wire::Refusal{reason});
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
