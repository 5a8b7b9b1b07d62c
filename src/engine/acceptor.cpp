// What is common to both dialects: which one a datagram is for, and the books.
#include "engine/acceptor.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace wyndrvr::engine {
namespace {

HandshakeServer::KeyPolicy key_policy(const ServerConfig& config) {
  return config.key_required ? HandshakeServer::KeyPolicy::kRequired
                             : HandshakeServer::KeyPolicy::kWelcome;
}

bool has_single_port(const SessionSetup& setup) {
  return setup.path && setup.path->terms.single_port;
}

// Whom the way leads to, where the session wants to know what fits it.
std::optional<Endpoint> client_of(const SessionSetup& setup) {
  if (!setup.path) return std::nullopt;
  return setup.client;
}

// One more, one less, for limits per address and per network.
void take_out(std::unordered_map<IpAddress, std::size_t, HashIp>& counts, const IpAddress& key) {
  const auto held = counts.find(key);
  if (--held->second == 0) counts.erase(held);
}

}  // namespace

Acceptor::Acceptor(const ServerConfig& config, std::uint64_t seed,
                   crypto::CookieJar::FillRandom fill_random)
    : config_(config),
      random_(seed),
      fill_random_(std::move(fill_random)),
      handshake_(fill_random_, config_.keys, key_policy(config)),
      pool_(config.port_ranges),
      rates_(config.limits.max_total_rate) {}

std::optional<AcceptorEffect> Acceptor::poll_effect() {
  if (next_effect_ < effects_.size()) return std::move(effects_[next_effect_++]);
  effects_.clear();
  next_effect_ = 0;
  return std::nullopt;
}

void Acceptor::on_datagram(Instant now, const Endpoint& from, const IpAddress& local,
                           ByteView bytes, const Arrival& arrival) {
  const Way back{from, local, without_ecn(arrival.traffic_class)};
  const bool one_only = config_.key_required || config_.dialect == DialectChoice::kOne;
  const bool original_only = !one_only && config_.dialect == DialectChoice::kOriginal;
  if (!is_welcome(from.address, arrival.interface)) {
    ++ignored_;
  } else if (wire::is_connect(bytes) || (original_only && wire::is_hello(bytes))) {
    if (one_only) {
      ++ignored_;
    } else {
      on_connect(now, back);
    }
  } else if (original_only) {
    ++ignored_;
  } else {
    on_handshake(now, back, bytes);
  }
}

bool Acceptor::is_welcome(const IpAddress& address, std::uint32_t interface) const {
  const auto holds = [&](const IpNetwork& network) {
    return contains(network, address, interface);
  };
  if (std::ranges::any_of(config_.deny, holds)) return false;
  return config_.allow.empty() || std::ranges::any_of(config_.allow, holds);
}

// --- ports ---

bool Acceptor::take_ports(Instant now, SessionSetup& setup) {
  const std::size_t wanted = has_single_port(setup) ? 1 : kPortCount;
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::optional<Port> port = pool_.take(now);
    if (!port) {
      while (i > 0) pool_.give_back(setup.ports[--i]);
      return false;
    }
    setup.ports[i] = *port;
  }
  if (wanted == 1) setup.ports.fill(setup.ports.front());
  return true;
}

void Acceptor::give_back_ports(const SessionSetup& setup) {
  if (has_single_port(setup)) return pool_.give_back(setup.ports.front());
  for (const Port port : setup.ports) pool_.give_back(port);
}

void Acceptor::on_bind_failed(Instant now, SessionId id, PortKind failed) {
  Session* session = find(id);
  if (session == nullptr) return;
  SessionSetup& setup = session->setup;
  Port& port = setup.ports[index_of(failed)];
  pool_.set_aside(now, port);
  if (const std::optional<Port> next = pool_.take(now)) {
    port = *next;
    if (has_single_port(setup)) setup.ports.fill(*next);
    effects_.emplace_back(bind_ports(*session));
    return;
  }
  for (const PortKind kind : kPortKinds) {
    if (kind != failed && !has_single_port(setup)) pool_.give_back(setup.ports[index_of(kind)]);
  }
  if (setup.path) {
    refuse_after_all(*session, wire::RefuseReason::kNoFreePorts);
    report_limit(PortsExhausted{});
  } else {
    refuse(way_to(*session), wire::RefusalReason::kNoFreePorts);
  }
  forget(id);
}

void Acceptor::on_bound(Instant /*now*/, SessionId id, std::optional<std::uint32_t> max_payload) {
  Session* session = find(id);
  if (session == nullptr) return;
  session->bound = true;
  if (session->setup.path) restrict_payload(*session->setup.path, max_payload);
  effects_.emplace_back(LaunchSession{session->setup});
  if (session->ending) {
    effects_.emplace_back(EndSession{id, *session->ending});
  } else if (session->setup.path) {
    send_grant(*session);
  } else {
    send_assignment(*session);
  }
}

// --- the life of a session ---

void Acceptor::on_proven(SessionId id) {
  Session* session = find(id);
  if (session == nullptr || session->proven) return;
  session->proven = true;
  if (session->unproven != unproven_.end()) unproven_.erase(session->unproven);
  session->unproven = unproven_.end();
}

void Acceptor::tell_ended(SessionId id, std::string_view cause) {
  const Session* session = find(id);
  if (session == nullptr) return;
  const SessionSetup& setup = session->setup;
  if (setup.path) {
    send_close(*session, wire::CloseReason::kPartLost, cause);
  } else if (session->extended) {
    send_text(way_to(*session), wire::make_ended(setup.heartbeat_key, cause));
  }
}

void Acceptor::on_session_lost(SessionId id, const std::string& cause) {
  const Session* session = find(id);
  if (session == nullptr) return;
  effects_.emplace_back(Report{SessionLost{session->setup.client, cause}});
  tell_ended(id, cause);
  on_session_ended(id);
}

void Acceptor::on_launch_failed(Instant /*now*/, SessionId id, const std::string& why) {
  const Session* session = find(id);
  if (session == nullptr) return;
  const SessionSetup& setup = session->setup;
  give_back_ports(setup);
  const std::string cause = "cannot start workers: " + why;
  if (!setup.path) {
    send_refusal(way_to(*session), wire::RefusalReason::kNoWorker);
  } else if (session->bound) {  // its client has the GRANT
    ++refused_;
    // Why is this host's business, and in its log.
    send_close(*session, wire::CloseReason::kPartLost, "it cannot start workers");
  } else {
    refuse_after_all(*session, wire::RefuseReason::kNoWorker);
  }
  report_limit(LimitReached{cause});
  forget(id);
}

void Acceptor::on_session_ended(SessionId id) {
  const Session* session = find(id);
  if (session == nullptr) return;
  give_back_ports(session->setup);
  forget(id);
  said_exhausted_ = false;
}

// --- the books ---

Acceptor::Session* Acceptor::find(SessionId id) {
  const auto found = sessions_.find(id.value);
  return found == sessions_.end() ? nullptr : &found->second;
}

Acceptor::Way Acceptor::way_to(const Session& session) {
  return {session.setup.client, session.setup.local, session.traffic_class};
}

BindPorts Acceptor::bind_ports(const Session& session) {
  const SessionSetup& setup = session.setup;
  return {setup.id, client_of(setup), setup.local, setup.ports, session.traffic_class};
}

void Acceptor::keep(Session session) {
  const SessionSetup& setup = session.setup;
  effects_.emplace_back(bind_ports(session));
  ++per_address_[setup.client.address];
  ++per_network_[network_of(setup.client.address).address];
  ++accepted_;
  sessions_.emplace(setup.id.value, std::move(session));
}

void Acceptor::forget(SessionId id) {
  const auto found = sessions_.find(id.value);
  WYNDRVR_CHECK(found != sessions_.end());
  const Session& session = found->second;
  const SessionSetup& setup = session.setup;
  if (session.unproven != unproven_.end()) unproven_.erase(session.unproven);
  take_out(per_address_, setup.client.address);
  take_out(per_network_, network_of(setup.client.address).address);
  if (setup.path) {
    forget_path(session);
  } else {
    by_client_.erase(setup.client);
  }
  sessions_.erase(found);
}

void Acceptor::report_limit(Report limit) {
  if (!std::exchange(said_exhausted_, true)) effects_.emplace_back(std::move(limit));
}

}  // namespace wyndrvr::engine
