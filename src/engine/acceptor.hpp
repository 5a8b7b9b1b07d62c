// The server's main port: who gets a session, with which ports, and who is told no.
//
// Bounds, all from ServerLimits: sessions in all, per address, and not yet proven. A session that
// is refused or evicted leaves nothing behind. Before an address has proven itself it gets at most
// one datagram for each that it sent; where room is wanted, unproven sessions older than
// kEvictableAfter go first, oldest first, so a flood of spoofed CONNECTs cannot keep clients out.
//
// Pure: returns effects, which a host (runtime's supervisor, the simulator) carries out in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "engine/config.hpp"
#include "engine/port_kind.hpp"
#include "engine/port_pool.hpp"
#include "engine/report.hpp"
#include "wire/connect.hpp"

namespace wyndrvr::engine {

struct SessionId {
  std::uint64_t value = 0;
  auto operator<=>(const SessionId&) const = default;
};

// What a session is made of.
struct SessionSetup {
  SessionId id;
  Endpoint client;  // that sent CONNECT
  IpAddress local;  // that it was sent to
  std::array<Port, kPortCount> ports;
  std::uint32_t heartbeat_key = 0;
};

// --- effects ---
struct BindPorts {  // answer with on_bound or on_bind_failed
  SessionId id;
  IpAddress local;
  std::array<Port, kPortCount> ports;
};
// The ports are bound: make the coordinator and the actors. May be put off until the first datagram
// on its ports, so that a forged CONNECT costs no worker; where it fails, on_launch_failed.
struct LaunchSession {
  SessionSetup setup;
};
struct EndSession {  // tell its coordinator: on_evicted
  SessionId id;
};
struct SendFromMain {
  Endpoint to;
  IpAddress from;
  std::array<std::byte, wire::kMaxConnectAnswerSize> bytes{};
  std::size_t size = 0;
};
using AcceptorEffect = std::variant<BindPorts, LaunchSession, EndSession, SendFromMain, Report>;

class Acceptor {
 public:
  static constexpr Duration kEvictableAfter = 1s;

  Acceptor(const ServerConfig& config, std::uint64_t seed);

  // A datagram on the main port, sent to our address `local`.
  void on_datagram(Instant now, const Endpoint& from, const IpAddress& local, ByteView bytes);
  void on_bound(Instant now, SessionId id);
  // The system would not give port `failed`; the others of the session are not bound either.
  void on_bind_failed(Instant now, SessionId id, PortKind failed);
  void on_proven(SessionId id);
  // The assignment once more: the address is known to be real, but not all its ports are up.
  void resend_assignment(SessionId id);
  // The client is one of ours and understands ENDED; said only once its address is known to be
  // real.
  void on_extended(SessionId id);
  // Sends ENDED where the client understands it.
  void tell_ended(SessionId id, std::string_view cause);
  void on_session_ended(SessionId id);
  // The loop that ran the whole session is gone, and its coordinator with it.
  void on_session_lost(SessionId id, const std::string& cause);
  // The session could not be started, after its client had the assignment.
  void on_launch_failed(Instant now, SessionId id, const std::string& why);

  [[nodiscard]] std::optional<AcceptorEffect> poll_effect();

  [[nodiscard]] std::size_t session_count() const { return sessions_.size(); }
  [[nodiscard]] std::size_t free_ports() const { return pool_.free_count(); }
  [[nodiscard]] std::uint64_t ignored() const { return ignored_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }

 private:
  struct Session {
    SessionSetup setup;
    Instant created;
    bool bound = false;
    bool proven = false;
    bool extended = false;
    std::list<SessionId>::iterator unproven;  // valid while not proven
  };

  void accept(Instant now, const Endpoint& from, const IpAddress& local);
  [[nodiscard]] std::optional<wire::RefusalReason> limit_reached(Instant now,
                                                                 const IpAddress& address);
  // Ends the oldest unproven session where it is old enough; its room is free a moment later.
  void evict_oldest_unproven(Instant now);
  [[nodiscard]] bool take_ports(Instant now, SessionSetup& setup);
  void refuse(const Endpoint& to, const IpAddress& from, wire::RefusalReason reason);
  void send_refusal(const Endpoint& to, const IpAddress& from, wire::RefusalReason reason);
  // Said once, not per packet: a flood must not fill the log as well.
  void report_limit(Report limit);
  template <class Answer>
  void send(const Endpoint& to, const IpAddress& from, const Answer& answer);
  void send_assignment(const SessionSetup& setup);
  void forget(SessionId id);

  ServerConfig config_;
  base::Random random_;
  PortPool pool_;
  std::unordered_map<std::uint64_t, Session> sessions_;  // by id
  std::unordered_map<Endpoint, SessionId, HashEndpoint> by_client_;
  std::unordered_map<IpAddress, std::size_t, HashIp> per_address_;
  std::list<SessionId> unproven_;  // oldest first
  std::deque<AcceptorEffect> effects_;
  std::uint64_t next_id_ = 1;
  std::uint64_t ignored_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t accepted_ = 0;
  bool said_exhausted_ = false;
};

}  // namespace wyndrvr::engine
