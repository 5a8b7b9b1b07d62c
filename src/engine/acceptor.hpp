// The server's main port: who gets a session, with which ports, and who is told no.
//
// Bounds, all from ServerLimits: sessions in all, per address, and not yet proven; in dialect 1
// also per network and by rate. A session that is refused or evicted leaves nothing behind. Before
// an address has proven itself it gets at most one datagram for each that it sent, and never a
// larger one; where room is wanted, unproven sessions of 0.14 older than kEvictableAfter go first,
// oldest first, so a flood of spoofed CONNECTs cannot keep clients out. In dialect 1 an address has
// proven itself with its cookie, and nothing is allocated, kept or reported before it has.
//
// A client's runs in dialect 1 are told apart by their nonces: an OPEN with the nonce of a session
// gets its GRANT again, another one is a new run, which ends the client's last. Only who showed the
// same key may end a session in that way.
//
// Pure: returns effects, which a host (runtime's supervisor, the simulator) carries out in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "crypto/cookie_jar.hpp"
#include "engine/admission_limits.hpp"
#include "engine/config.hpp"
#include "engine/handshake_server.hpp"
#include "engine/path_setup.hpp"
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
  Endpoint client;                     // that sent CONNECT or OPEN
  IpAddress local;                     // that it was sent to
  std::array<Port, kPortCount> ports;  // all the same where path->terms has a single port
  std::uint32_t heartbeat_key = 0;     // 0.14
  std::optional<PathSetup> path;       // dialect 1; absent: 0.14
  // Set by the host when the session is launched (GapLedger), for its client may be forged before.
  std::size_t max_gaps = 0;
};

// --- effects ---
struct BindPorts {  // answer with on_bound or on_bind_failed
  SessionId id;
  std::optional<Endpoint> client;  // dialect 1: how much fits the way there is to be told
  IpAddress local;
  std::array<Port, kPortCount> ports;  // all the same: one socket
  // Of what the ports send: 0.14 has no other way to learn of it than the client's CONNECT.
  std::uint8_t traffic_class = 0;
};
// The ports are bound: make the coordinator and the actors. May be put off until the first datagram
// on its ports, so that a forged CONNECT costs no worker; where it fails, on_launch_failed.
struct LaunchSession {
  SessionSetup setup;
};
struct EndSession {  // tell its coordinator
  SessionId id;
  SessionEnd reason = SessionEnd::kEvicted;
};
struct SendFromMain {
  Endpoint to;
  IpAddress from;
  std::array<std::byte, wire::kMaxHandshakeSize> bytes{};
  std::size_t size = 0;
  std::uint8_t traffic_class = 0;
};
static_assert(wire::kMaxConnectAnswerSize <= wire::kMaxHandshakeSize);
using AcceptorEffect = std::variant<BindPorts, LaunchSession, EndSession, SendFromMain, Report>;

// How a datagram came to the main port.
struct Arrival {
  std::uint32_t interface = 0;     // 0: not told
  std::uint8_t traffic_class = 0;  // DSCP << 2 | ECN
};

class Acceptor {
 public:
  static constexpr Duration kEvictableAfter = 1s;
  // For the exchange of results, beyond the time to prove the ports and the test's own.
  static constexpr Duration kSessionMargin = 5s;
  // Most tests are over so long after their own length.
  static constexpr Duration kUsualDelay = 1s;
  // What a client of dialect 1 is told to wait where ports are about to come back.
  static constexpr Duration kPortsComeBackAfter = 1s;

  // `fill_random` fills memory with unpredictable octets; `seed` is for what may be guessed.
  Acceptor(const ServerConfig& config, std::uint64_t seed,
           crypto::CookieJar::FillRandom fill_random);
  Acceptor(const Acceptor&) = delete;  // the handshake refers to the keys in the configuration
  Acceptor& operator=(const Acceptor&) = delete;

  // A datagram on the main port, sent to our address `local`. What answers it has its code point, and
  // so has all of its session, but for what the terms of dialect 1 say.
  void on_datagram(Instant now, const Endpoint& from, const IpAddress& local, ByteView bytes,
                   const Arrival& arrival = {});
  // `max_payload`: UDP payload that the route to the client takes in one piece; nothing: not known.
  void on_bound(Instant now, SessionId id, std::optional<std::uint32_t> max_payload);
  // The system would not give port `failed`; the others of the session are not bound either.
  void on_bind_failed(Instant now, SessionId id, PortKind failed);
  void on_proven(SessionId id);
  // 0.14: the assignment once more. The address is known to be real, but not all its ports are up.
  void resend_assignment(SessionId id);
  // 0.14: the client is one of ours and understands ENDED; said only once its address is known to
  // be real.
  void on_extended(SessionId id);
  // Sends ENDED where the client understands it, and CLOSE in dialect 1.
  void tell_ended(SessionId id, std::string_view cause);
  // The server stops: CLOSE to every session of dialect 1, once. One datagram for each session.
  void tell_all_closing();
  void on_session_ended(SessionId id);
  // The loop that ran the whole session is gone, and its coordinator with it.
  void on_session_lost(SessionId id, const std::string& cause);
  // The session could not be started, perhaps after its client had the assignment.
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
    std::uint8_t traffic_class = 0;  // of what is sent to its client, without ECN
    std::list<SessionId>::iterator unproven;  // 0.14; valid while not proven
    // Dialect 1:
    const crypto::Key* key = nullptr;       // that its OPEN was authenticated with
    std::optional<wire::Nonce> superseded;  // of the client's run before this one
    std::optional<SessionEnd> ending;       // EndSession is said, or will be once it is bound
  };
  // Whose runs follow each other.
  struct Opener {
    Endpoint client;
    std::optional<std::uint32_t> key;  // its id
    bool operator==(const Opener&) const = default;
  };
  struct HashOpener {
    std::size_t operator()(const Opener& opener) const noexcept {
      return HashEndpoint{}(opener.client) ^ opener.key.value_or(0);
    }
  };
  // Whom to answer, from which of our addresses, and how that is marked (DSCP << 2).
  struct Way {
    Endpoint to;
    IpAddress from;
    std::uint8_t traffic_class = 0;
  };
  // An OPEN that may ask, and where to answer it.
  struct Request {
    Way back;
    Admission admission;
  };

  // --- both dialects ---
  [[nodiscard]] bool is_welcome(const IpAddress& address, std::uint32_t interface) const;
  [[nodiscard]] bool take_ports(Instant now, SessionSetup& setup);
  void give_back_ports(const SessionSetup& setup);
  // Said once, not per packet: a flood must not fill the log as well.
  void report_limit(Report limit);
  // Into the books, with its ports to be bound.
  void keep(Session session);
  void forget(SessionId id);
  [[nodiscard]] static Way way_to(const Session& session);
  [[nodiscard]] static BindPorts bind_ports(const Session& session);
  [[nodiscard]] Session* find(SessionId id);

  // --- 0.14 ---
  void on_connect(Instant now, const Way& back);
  void accept(Instant now, const Way& back);
  [[nodiscard]] std::optional<wire::RefusalReason> limit_reached(Instant now,
                                                                 const IpAddress& address);
  // Ends the oldest unproven session where it is old enough, and says whether it is; its room is
  // free a moment later.
  bool evict_oldest_unproven(Instant now);
  void refuse(const Way& back, wire::RefusalReason reason);
  void send_refusal(const Way& back, wire::RefusalReason reason);
  void send_assignment(const Session& session);
  void send_text(const Way& back, const wire::ConnectAnswer& answer);

  // --- dialect 1 ---
  void on_handshake(Instant now, const Way& back, ByteView bytes);
  void on_open(Instant now, const Request& request);
  // Of a new run; `superseded` is the nonce of the same client's last one.
  void admit(Instant now, const Request& request, std::optional<wire::Nonce> superseded);
  [[nodiscard]] std::optional<wire::RefuseReason> find_limit(const IpAddress& address) const;
  [[nodiscard]] TestTerms wanted_terms(const Admission& admission) const;
  [[nodiscard]] PathSetup make_path(const Admission& admission, const TestTerms& terms);
  static void restrict_payload(PathSetup& path, std::optional<std::uint32_t> max_payload);
  void on_close(const Endpoint& from, const wire::Close& close);
  void end(Session& session, SessionEnd reason);
  // Ends the one that has held its share of the rate for too long, if any.
  void evict_overdue(Instant now);
  void forget_path(const Session& session);
  void refuse_open(const Request& request, wire::RefuseReason reason,
                   std::optional<Duration> come_again_after = {});
  // Of a session that was admitted and has no GRANT yet.
  void refuse_after_all(const Session& session, wire::RefuseReason reason);
  void send_grant(const Session& session);
  void send_close(const Session& session, wire::CloseReason reason, std::string_view text);
  void send_answer(const Way& back, const HandshakeAnswer& answer);

  ServerConfig config_;
  base::Random random_;
  crypto::CookieJar::FillRandom fill_random_;
  HandshakeServer handshake_;
  PortPool pool_;
  RateBook rates_;
  std::unordered_map<std::uint64_t, Session> sessions_;              // by id
  std::unordered_map<Endpoint, SessionId, HashEndpoint> by_client_;  // 0.14
  std::unordered_map<Opener, SessionId, HashOpener> by_opener_;      // dialect 1: the last run
  std::unordered_map<std::uint64_t, SessionId> by_number_;           // dialect 1: as in CLOSE
  std::unordered_map<IpAddress, std::size_t, HashIp> per_address_;
  std::unordered_map<IpAddress, std::size_t, HashIp> per_network_;
  std::list<SessionId> unproven_;  // of 0.14, oldest first
  // Emptied by the host after each call, and keeps its memory: a flood is answered from it.
  std::vector<AcceptorEffect> effects_;
  std::size_t next_effect_ = 0;
  std::uint64_t next_id_ = 1;
  std::uint64_t ignored_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t accepted_ = 0;
  bool said_exhausted_ = false;
  bool said_closing_ = false;
};

}  // namespace wyndrvr::engine
