#include "engine/acceptor.hpp"

#include <utility>

namespace wyndrvr::engine {

Acceptor::Acceptor(const ServerConfig& config, std::uint64_t seed)
    : config_(config), random_(seed), pool_(config.port_ranges) {}

std::optional<AcceptorEffect> Acceptor::poll_effect() {
  if (effects_.empty()) return std::nullopt;
  AcceptorEffect effect = std::move(effects_.front());
  effects_.pop_front();
  return effect;
}

void Acceptor::on_datagram(Instant now, const Endpoint& from, const IpAddress& local,
                           ByteView bytes) {
  if (!wire::is_connect(bytes)) {
    ++ignored_;
    return;
  }
  const auto known = by_client_.find(from);
  if (known == by_client_.end()) {
    accept(now, from, local);
    return;
  }
  const Session& session = sessions_.at(known->second.value);
  // Comms are up: this is a copy that was late. Not bound yet: the answer is on its way.
  if (session.proven || !session.bound) {
    ++ignored_;
    return;
  }
  send_assignment(session.setup);
}

void Acceptor::accept(Instant now, const Endpoint& from, const IpAddress& local) {
  if (const auto reason = limit_reached(now, from.address)) {
    refuse(from, local, *reason);
    return;
  }
  Session session;
  session.setup.id = {next_id_++};
  session.setup.client = from;
  session.setup.local = local;
  session.setup.heartbeat_key =
      static_cast<std::uint32_t>(random_.between(0, wire::Assignment::kMaxKey));
  session.created = now;
  if (!take_ports(now, session.setup)) {
    evict_oldest_unproven(now);
    refuse(from, local, wire::RefusalReason::kNoFreePorts);
    return;
  }
  const SessionId id = session.setup.id;
  session.unproven = unproven_.insert(unproven_.end(), id);
  effects_.emplace_back(BindPorts{id, local, session.setup.ports});
  by_client_.emplace(from, id);
  ++per_address_[from.address];
  sessions_.emplace(id.value, std::move(session));
  ++accepted_;
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

void Acceptor::evict_oldest_unproven(Instant now) {
  if (unproven_.empty()) return;
  const SessionId oldest = unproven_.front();
  Session& session = sessions_.at(oldest.value);
  if (!session.bound || now - session.created < kEvictableAfter) return;
  // It leaves the list at once, so that one more eviction picks another one; its ports come back
  // when its coordinator has let them go.
  unproven_.erase(session.unproven);
  session.unproven = unproven_.end();
  effects_.emplace_back(EndSession{oldest});
}

bool Acceptor::take_ports(Instant now, SessionSetup& setup) {
  for (std::size_t i = 0; i < kPortCount; ++i) {
    const std::optional<Port> port = pool_.take(now);
    if (!port) {
      while (i > 0) pool_.give_back(setup.ports[--i]);
      return false;
    }
    setup.ports[i] = *port;
  }
  return true;
}

void Acceptor::refuse(const Endpoint& to, const IpAddress& from, wire::RefusalReason reason) {
  send_refusal(to, from, reason);
  if (reason == wire::RefusalReason::kNoFreePorts) {
    report_limit(PortsExhausted{});
  } else {
    report_limit(LimitReached{std::string(wire::text(reason))});
  }
}

void Acceptor::send_refusal(const Endpoint& to, const IpAddress& from, wire::RefusalReason reason) {
  ++refused_;
  send(to, from, wire::Refusal{reason});
}

void Acceptor::report_limit(Report limit) {
  if (!std::exchange(said_exhausted_, true)) effects_.emplace_back(std::move(limit));
}

template <class Answer>
void Acceptor::send(const Endpoint& to, const IpAddress& from, const Answer& answer) {
  SendFromMain effect{.to = to, .from = from};
  effect.size = wire::write_connect_answer(effect.bytes, answer);
  effects_.emplace_back(effect);
}

void Acceptor::on_bound(Instant /*now*/, SessionId id) {
  const auto found = sessions_.find(id.value);
  if (found == sessions_.end()) return;
  found->second.bound = true;
  effects_.emplace_back(LaunchSession{found->second.setup});
  send_assignment(found->second.setup);
}

void Acceptor::on_bind_failed(Instant now, SessionId id, PortKind failed) {
  const auto found = sessions_.find(id.value);
  if (found == sessions_.end()) return;
  SessionSetup& setup = found->second.setup;
  Port& port = setup.ports[index_of(failed)];
  pool_.set_aside(now, port);
  const std::optional<Port> next = pool_.take(now);
  if (next) {
    port = *next;
    effects_.emplace_back(BindPorts{id, setup.local, setup.ports});
    return;
  }
  for (const PortKind kind : kPortKinds) {
    if (kind != failed) pool_.give_back(setup.ports[index_of(kind)]);
  }
  refuse(setup.client, setup.local, wire::RefusalReason::kNoFreePorts);
  forget(id);
}

void Acceptor::send_assignment(const SessionSetup& setup) {
  send(setup.client, setup.local,
       wire::Assignment{setup.ports[0], setup.ports[1], setup.ports[2], setup.heartbeat_key});
}

void Acceptor::on_proven(SessionId id) {
  const auto found = sessions_.find(id.value);
  if (found == sessions_.end() || found->second.proven) return;
  Session& session = found->second;
  session.proven = true;
  if (session.unproven != unproven_.end()) unproven_.erase(session.unproven);
  session.unproven = unproven_.end();
}

void Acceptor::resend_assignment(SessionId id) {
  const auto found = sessions_.find(id.value);
  if (found == sessions_.end() || found->second.proven) return;
  // Its address is real, so room is not to be made at its cost.
  Session& session = found->second;
  if (session.unproven != unproven_.end()) unproven_.erase(session.unproven);
  session.unproven = unproven_.end();
  send_assignment(session.setup);
}

void Acceptor::on_extended(SessionId id) {
  const auto found = sessions_.find(id.value);
  if (found != sessions_.end()) found->second.extended = true;
}

void Acceptor::tell_ended(SessionId id, std::string_view cause) {
  const auto found = sessions_.find(id.value);
  if (found == sessions_.end() || !found->second.extended) return;
  const SessionSetup& setup = found->second.setup;
  send(setup.client, setup.local, wire::make_ended(setup.heartbeat_key, cause));
}

void Acceptor::on_session_lost(SessionId id, const std::string& cause) {
  const auto found = sessions_.find(id.value);
  if (found == sessions_.end()) return;
  effects_.emplace_back(Report{SessionLost{found->second.setup.client, cause}});
  tell_ended(id, cause);
  on_session_ended(id);
}

void Acceptor::on_launch_failed(Instant /*now*/, SessionId id, const std::string& why) {
  const auto found = sessions_.find(id.value);
  if (found == sessions_.end()) return;
  const SessionSetup& setup = found->second.setup;
  for (const Port port : setup.ports) pool_.give_back(port);
  send_refusal(setup.client, setup.local, wire::RefusalReason::kNoWorker);
  report_limit(LimitReached{"cannot start workers: " + why});
  forget(id);
}

void Acceptor::on_session_ended(SessionId id) {
  const auto found = sessions_.find(id.value);
  if (found == sessions_.end()) return;
  for (const Port port : found->second.setup.ports) pool_.give_back(port);
  forget(id);
  said_exhausted_ = false;
}

void Acceptor::forget(SessionId id) {
  const auto found = sessions_.find(id.value);
  const Session& session = found->second;
  if (session.unproven != unproven_.end()) unproven_.erase(session.unproven);
  by_client_.erase(session.setup.client);
  const auto held = per_address_.find(session.setup.client.address);
  if (--held->second == 0) per_address_.erase(held);
  sessions_.erase(found);
}

}  // namespace wyndrvr::engine
