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
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "crypto/cookie_jar.hpp"
#include "engine/admission_limits.hpp"
#include "engine/client_filter.hpp"
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
  // Whose addresses a path may come from; null: everybody's.
  std::shared_ptr<const ClientFilter> clients;
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
// The ports are bound: make the coordinator and the actors, when the client has sent its first
// datagram to one of them (FirstPacket), so that forgeries cost no worker. Where it fails,
// on_launch_failed.
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
  // A session that has had no test for so long makes room where room is wanted, one in each
  // kIdleEvictionInterval: a flood of forged CONNECTs must not clear the server of them.
  static constexpr Duration kIdleAfter = 60s;
  static constexpr Duration kIdleEvictionInterval = 1s;
  // Octets that refusals may have beyond those of the CONNECTs that they answer, in all; they come
  // back when a client has proven its ports. Beyond that, no reason is told.
  static constexpr std::size_t kRefusalCredit = 1024;
  // For the exchange of results, beyond the time to prove the ports and the test's own.
  static constexpr Duration kSessionMargin = 5s;
  // Most tests are over so long after their own length.
  static constexpr Duration kUsualDelay = 1s;
  // What a client of dialect 1 is told to wait where room has just been made.
  static constexpr Duration kRoomComesBackAfter = 1s;

  // `fill_random` fills memory with unpredictable octets.
  Acceptor(const ServerConfig& config, crypto::CookieJar::FillRandom fill_random);
  Acceptor(const Acceptor&) = delete;  // the handshake refers to the keys in the configuration
  Acceptor& operator=(const Acceptor&) = delete;

  // A datagram on the main port, sent to our address `local`. One to a multicast address, to
  // 255.255.255.255, or from where no answer can go, opens nothing. What answers it has its code
  // point, and so has all of its session, but for what the terms of dialect 1 say.
  void on_datagram(Instant now, const Endpoint& from, const IpAddress& local, ByteView bytes,
                   const Arrival& arrival = {});
  // Counts datagrams that the host itself has thrown away.
  void ignore(std::uint64_t datagrams) { ignored_ += datagrams; }
  // `max_payload`: UDP payload that the route to the client takes in one piece; nothing: not known.
  void on_bound(Instant now, SessionId id, std::optional<std::uint32_t> max_payload);
  // The system would not give port `failed`, which another has; the others of the session are not
  // bound either.
  void on_bind_failed(Instant now, SessionId id, PortKind failed);
  // Nothing can be bound at the address that the client has sent to (anycast, say). That is no
  // news of a port, and nothing can be answered from there: the client is ignored.
  void on_address_refused(SessionId id);
  // May end it, where its address or network has come to hold too many in the meantime.
  void on_proven(SessionId id);
  // A test has begun that may last so long: until it is over the session does not make room.
  void on_testing(Instant now, SessionId id, Duration duration);
  // 0.14: the assignment once more. The address is known to be real, but not all its ports are up.
  void resend_assignment(SessionId id);
  // 0.14: the client is one of ours and understands ENDED; said only once its address is known to
  // be real.
  void on_extended(SessionId id);
  // Sends ENDED where the client understands it, and CLOSE in dialect 1, with this reason.
  void tell_ended(SessionId id, std::string_view cause, SessionEnd reason = SessionEnd::kFailed);
  // The server stops: CLOSE to every session of dialect 1, once. One datagram for each session.
  void tell_all_closing();
  void on_session_ended(SessionId id);
  // The loop that ran the whole session is gone, and its coordinator with it. `log`: as in
  // ServerSession::on_port_lost.
  void on_session_lost(SessionId id, const std::string& cause, const std::string& log = {});
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
    Instant idle_from;                        // unless a test begins
    std::uint8_t traffic_class = 0;           // of what is sent to its client, without ECN
    std::list<SessionId>::iterator unproven;  // 0.14; valid while not proven
    // Dialect 1:
    const crypto::Key* key = nullptr;       // that its OPEN was authenticated with
    std::optional<wire::Nonce> superseded;  // of the client's run before this one
    std::optional<SessionEnd> ending;       // EndSession is said, or will be once it is bound

    // Its client has shown that it is where it says: by its cookie, or by proving its ports.
    [[nodiscard]] bool real() const { return proven || setup.path.has_value(); }
  };
  // Sessions of an address or a network.
  struct Holding {
    std::size_t real = 0;
    std::size_t unproven = 0;  // of 0.14: anybody may have asked for them in its name
    [[nodiscard]] std::size_t all() const { return real + unproven; }
  };
  using Holdings = std::unordered_map<IpAddress, Holding, HashIp>;
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
  // A number that nobody can foretell.
  [[nodiscard]] std::uint64_t draw();
  [[nodiscard]] std::optional<Port> take_port(Instant now, const SessionSetup& setup);
  [[nodiscard]] bool take_ports(Instant now, SessionSetup& setup);
  void give_back_ports(const SessionSetup& setup);
  // Said once, not per packet: a flood must not fill the log as well.
  void report_limit(Report limit);
  // Ends somebody who had no use for his session, and says whether it does; the room is free a
  // moment later.
  bool make_room(Instant now);
  // Of those without a test, one of the address that holds the most.
  bool evict_idle(Instant now);
  [[nodiscard]] static Holding holding_of(const Holdings& holdings, const IpAddress& key);
  // Into the books, with its ports to be bound.
  void keep(Session session);
  void forget(SessionId id);
  [[nodiscard]] static Way way_to(const Session& session);
  [[nodiscard]] static BindPorts bind_ports(const Session& session);
  void enter(const Session& session, int step);
  [[nodiscard]] Session* find(SessionId id);

  // --- 0.14 ---
  void on_connect(Instant now, const Way& back);
  void accept(Instant now, const Way& back);
  // Why an address gets no session now. Where room is being made it is not told so: its next
  // CONNECT, a second later, finds the room.
  struct Obstacle {
    wire::RefusalReason reason;
    bool passes = false;
  };
  [[nodiscard]] std::optional<Obstacle> find_obstacle(Instant now, const IpAddress& address);
  void turn_away(const Way& back, const Obstacle& obstacle);
  // Ends the oldest unproven session where it is old enough, and says whether it is; its room is
  // free a moment later.
  bool evict_oldest_unproven(Instant now);
  // Of this address, or of its network, alone.
  bool evict_unproven_of(Instant now, const IpNetwork& clients);
  bool evict_unproven(Instant now, Session& session);
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
  std::shared_ptr<const ClientFilter> clients_;  // null: everybody is served
  crypto::CookieJar::FillRandom fill_random_;
  HandshakeServer handshake_;
  PortPool pool_;
  RateBook rates_;
  std::unordered_map<std::uint64_t, Session> sessions_;              // by id
  std::unordered_map<Endpoint, SessionId, HashEndpoint> by_client_;  // 0.14
  std::unordered_map<Opener, SessionId, HashOpener> by_opener_;      // dialect 1: the last run
  std::unordered_map<std::uint64_t, SessionId> by_number_;           // dialect 1: as in CLOSE
  Holdings per_address_;
  Holdings per_network_;
  std::optional<Instant> last_idle_eviction_;
  std::size_t refusal_credit_ = kRefusalCredit;
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
