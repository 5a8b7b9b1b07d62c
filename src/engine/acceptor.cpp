// What is common to both dialects: which one a datagram is for, and the books.
#include "engine/acceptor.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.hpp"
#include "base/ip_network.hpp"

namespace wyndrvr::engine {
namespace {

HandshakeServer::KeyPolicy key_policy(const ServerConfig& config) {
  return config.key_required ? HandshakeServer::KeyPolicy::kRequired
                             : HandshakeServer::KeyPolicy::kWelcome;
}

std::shared_ptr<const ClientFilter> filter_of(const ServerConfig& config) {
  if (config.allow.empty() && config.deny.empty()) return nullptr;
  return std::make_shared<const ClientFilter>(ClientFilter{config.allow, config.deny});
}

bool has_single_port(const SessionSetup& setup) {
  return setup.path && setup.path->terms.single_port;
}

// Whom the way leads to, where the session wants to know what fits it.
std::optional<Endpoint> client_of(const SessionSetup& setup) {
  if (!setup.path) return std::nullopt;
  return setup.client;
}

// Whether an answer can go there: UDP's port 0 wants none (RFC 768), and no host has such an
// address.
bool may_be_answered(const Endpoint& from) {
  return from.port.value != 0 && !from.address.is_unspecified() && !is_group_address(from.address);
}

}  // namespace

Acceptor::Acceptor(const ServerConfig& config, crypto::CookieJar::FillRandom fill_random)
    : config_(config),
      clients_(filter_of(config)),
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
  if (!may_be_answered(from) || is_group_address(local) ||
      !is_welcome(from.address, arrival.interface)) {
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
  return clients_ == nullptr || clients_->admits(address, interface);
}

// --- ports ---

std::uint64_t Acceptor::draw() {
  std::array<std::byte, sizeof(std::uint64_t)> octets{};
  fill_random_(octets);
  return base::load_big_endian(octets.data(), octets.size());
}

// In 0.14 the order is part of the contract.
std::optional<Port> Acceptor::take_port(Instant now, const SessionSetup& setup) {
  return setup.path ? pool_.take_any(now, setup.local, draw())
                    : pool_.take_lowest(now, setup.local);
}

bool Acceptor::take_ports(Instant now, SessionSetup& setup) {
  const std::size_t wanted = has_single_port(setup) ? 1 : kPortCount;
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::optional<Port> port = take_port(now, setup);
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
  pool_.set_aside(now, port, setup.local);
  if (const std::optional<Port> next = take_port(now, setup)) {
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

void Acceptor::on_address_refused(SessionId id) {
  const Session* session = find(id);
  if (session == nullptr) return;
  ++ignored_;
  give_back_ports(session->setup);
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
  if (session->unproven != unproven_.end()) unproven_.erase(session->unproven);
  session->unproven = unproven_.end();
  if (session->setup.path) {
    session->proven = true;
    return;
  }
  refusal_credit_ = kRefusalCredit;
  enter(*session, -1);
  session->proven = true;
  enter(*session, +1);
  const IpAddress& address = session->setup.client.address;
  const ServerLimits& limits = config_.limits;
  if (holding_of(per_address_, address).real > limits.max_sessions_per_address ||
      holding_of(per_network_, network_of(address).address).real >
          limits.max_sessions_per_network) {
    end(*session, SessionEnd::kEvicted);
  }
}

void Acceptor::on_testing(Instant now, SessionId id, Duration duration) {
  Session* session = find(id);
  if (session == nullptr) return;
  const Duration longest = std::clamp(duration, Duration(0), config_.limits.max_test_duration);
  session->idle_from = std::max(session->idle_from, now + longest + kIdleAfter);
}

void Acceptor::tell_ended(SessionId id, std::string_view cause, SessionEnd reason) {
  const Session* session = find(id);
  if (session == nullptr) return;
  const SessionSetup& setup = session->setup;
  if (setup.path) {
    const bool over = reason == SessionEnd::kTimeOver;
    send_close(*session, over ? wire::CloseReason::kTimeOver : wire::CloseReason::kPartLost, cause);
  } else if (session->extended) {
    send_text(way_to(*session), wire::make_ended(setup.heartbeat_key, cause));
  }
}

void Acceptor::on_session_lost(SessionId id, const std::string& cause, const std::string& log) {
  const Session* session = find(id);
  if (session == nullptr) return;
  effects_.emplace_back(Report{SessionLost{session->setup.client, log.empty() ? cause : log}});
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
  session.idle_from = session.created + kIdleAfter;
  enter(session, +1);
  ++accepted_;
  sessions_.emplace(setup.id.value, std::move(session));
}

void Acceptor::forget(SessionId id) {
  const auto found = sessions_.find(id.value);
  WYNDRVR_CHECK(found != sessions_.end());
  const Session& session = found->second;
  const SessionSetup& setup = session.setup;
  if (session.unproven != unproven_.end()) unproven_.erase(session.unproven);
  enter(session, -1);
  if (setup.path) {
    forget_path(session);
  } else {
    by_client_.erase(setup.client);
  }
  sessions_.erase(found);
}

// One more, or one less.
void Acceptor::enter(const Session& session, int step) {
  const IpAddress& address = session.setup.client.address;
  const auto change = [&](Holdings& holdings, const IpAddress& key) {
    Holding& held = holdings[key];
    (session.real() ? held.real : held.unproven) += static_cast<std::size_t>(step);
    if (held.all() == 0) holdings.erase(key);
  };
  change(per_address_, address);
  change(per_network_, network_of(address).address);
}

Acceptor::Holding Acceptor::holding_of(const Holdings& holdings, const IpAddress& key) {
  const auto found = holdings.find(key);
  return found == holdings.end() ? Holding{} : found->second;
}

// --- room ---

bool Acceptor::make_room(Instant now) {
  return evict_oldest_unproven(now) || evict_idle(now);
}

bool Acceptor::evict_idle(Instant now) {
  if (last_idle_eviction_ && now - *last_idle_eviction_ < kIdleEvictionInterval) return false;
  last_idle_eviction_ = now;
  Session* chosen = nullptr;
  std::size_t most = 0;
  for (auto& [id, session] : sessions_) {
    if (!session.real() || !session.bound || session.ending || now < session.idle_from) continue;
    const std::size_t held = holding_of(per_address_, session.setup.client.address).real;
    const bool longer = chosen != nullptr && held == most && session.idle_from < chosen->idle_from;
    if (held <= most && !longer) continue;
    chosen = &session;
    most = held;
  }
  if (chosen == nullptr) return false;
  end(*chosen, SessionEnd::kEvicted);
  return true;
}

void Acceptor::report_limit(Report limit) {
  if (!std::exchange(said_exhausted_, true)) effects_.emplace_back(std::move(limit));
}

}  // namespace wyndrvr::engine
