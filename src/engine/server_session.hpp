// The server's coordinator of one client: from its first packet to the release of its ports.
//
// Ends when all three ports have been silent for the idle time-out, when the client has not proven
// one of its ports in time, when its time is over and no test runs, or when it is told to; in 0.14
// also when the client's result is delivered. One port is enough, because a firewall on the way may
// let through no more. Whatever the cause, its last effect is SessionOver. Pure: returns effects.
//
// A port whose loop is gone (on_port_lost) counts as silent and needs no proof; the others go on.
// Given up is only what has a client that can be told: in 0.14 a test of a client of ours (ENDED),
// in dialect 1 every session with a proven port (CLOSE).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/growing_queue.hpp"
#include "base/time.hpp"
#include "engine/acceptor.hpp"
#include "engine/config.hpp"
#include "engine/datagram.hpp"
#include "engine/message.hpp"
#include "engine/port_actor.hpp"
#include "engine/port_kind.hpp"
#include "engine/report.hpp"

namespace wyndrvr::engine {

// --- effects ---
struct Post {  // to one of the session's actors
  PortKind to;
  Message message;
};
struct SessionProven {};     // -> Acceptor::on_proven
struct ResendAssignment {};  // 0.14 -> Acceptor::resend_assignment
struct SessionOver {         // release the ports, then Acceptor::on_session_ended
  SessionEnd reason;
};
struct ClientExtended {};  // 0.14 -> Acceptor::on_extended; once, with a test of a client of ours
struct TellEnded {         // -> Acceptor::tell_ended
  std::string cause;
  SessionEnd reason = SessionEnd::kFailed;
};
struct TestUnderWay {  // -> Acceptor::on_testing
  Duration duration{};
};
using ServerSessionEffect = std::variant<Post, SessionProven, ResendAssignment, SessionOver, Report,
                                         ClientExtended, TellEnded, TestUnderWay>;

class ServerSession {
 public:
  // Actors that do not answer Drain within this long are ended without their last words.
  static constexpr Duration kDrainTimeout = 500ms;
  // ENDED is never acknowledged, so it is said so often, so far apart.
  static constexpr unsigned kEndedRepeats = 3;
  static constexpr Duration kEndedInterval = 200ms;
  // For the end of a test and the exchange of its results, beyond the test's own length: more than
  // the drain and ControlServer::kDeliveryTimeout take.
  static constexpr Duration kTestMargin = 65s;

  ServerSession(const ServerConfig& config, const SessionSetup& setup, Instant now);

  // The port may run in a worker that was taken over: what it cannot say, or not now, is counted
  // and changes nothing.
  void on_message(Instant now, PortKind from, const Message& message);
  void on_timer(Instant now);
  // The loop that ran one of the ports is gone; `cause` says how, for people, and its client is
  // told as well. `log`: what this host's own log gets instead, where that is more.
  void on_port_lost(Instant now, PortKind port, const std::string& cause,
                    const std::string& log = {});
  // Told to end: by the acceptor (evicted) or because the server stops.
  void end(Instant now, SessionEnd reason);

  [[nodiscard]] std::optional<ServerSessionEffect> poll_effect();
  [[nodiscard]] std::optional<Deadline> poll_deadline() const;
  [[nodiscard]] const SessionSetup& setup() const { return setup_; }
  [[nodiscard]] std::uint64_t ignored_messages() const { return ignored_messages_; }
  // How this session's actor of one kind is to be made.
  [[nodiscard]] PortConfig port_config(PortKind kind, Instant now, Duration clock_offset,
                                       std::uint64_t seed) const;

 private:
  // Of one call; the host takes them all after each. More is our own bug.
  static constexpr std::size_t kMaxEffects = 32;

  void emit(ServerSessionEffect effect);
  [[nodiscard]] bool any_proven() const;
  void on_port_proven(Instant now, PortKind port);
  // Connected: no port that is left has still to be proven, or the time for that is over.
  void check_connected();
  void connect();
  [[nodiscard]] bool takes(PortKind from, const Message& message) const;
  void on_test_started(Instant now, const TestStarted& started);
  void announce_extended();
  void report_result(PortKind direction, const ReceiverTotals& totals);
  // What ends a session in 0.14 only.
  void end_original(Instant now, SessionEnd reason);
  [[nodiscard]] bool may_tell_ended() const;
  // A port is lost and the client is to be told; once.
  void give_up(Instant now);
  void tell_ended(Instant now);
  void end_when_silent(Instant now);
  [[nodiscard]] Instant lifetime_end() const;
  void finish_when_drained();
  void finish();

  // Of the server's configuration, which is the same for all sessions, what this one needs.
  ProtocolConfig protocol_;
  Duration proof_timeout_;
  Duration idle_timeout_;
  Duration max_test_duration_;
  Duration max_session_duration_;
  SessionSetup setup_;
  Instant created_;
  Instant tests_until_;  // those that are granted, and those that have begun
  std::array<bool, kPortCount> proven_{};
  std::array<bool, kPortCount> silent_{};
  std::array<bool, kPortCount> lost_{};
  std::array<bool, kPortCount> drained_{};     // has said its last words
  std::array<bool, kPortCount> has_result_{};  // by direction; reported
  std::uint64_t ignored_messages_ = 0;
  std::array<std::optional<Duration>, kPortCount> mean_rtt_;
  std::optional<Instant> next_resend_;
  std::optional<SessionEnd> ending_;
  Instant drain_until_;
  bool over_ = false;
  bool connected_ = false;
  bool testing_ = false;  // a test has begun
  bool extended_client_ = false;
  bool announced_ = false;   // ClientExtended
  unsigned ended_left_ = 0;  // TellEnded still to come; 0: not giving up
  Instant next_ended_;
  std::string ended_cause_;
  // There is memory for one, as in Mail.
  base::GrowingQueue<ServerSessionEffect> effects_{{.most = kMaxEffects, .kept = 1}};
};

}  // namespace wyndrvr::engine
