// The client's coordinator: the handshake or CONNECT, the three ports, heartbeats, the tests, the
// results. Which dialect is spoken is found out in the first exchange; from then on only what
// differs between the two asks for it.
//
// Its last effect is Finish; `result` is then complete, whatever happened. Every wait in it has a
// deadline. Pure: returns effects, which a host carries out in order.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "engine/config.hpp"
#include "engine/connect_race.hpp"
#include "engine/connect_troubles.hpp"
#include "engine/datagram.hpp"
#include "engine/message.hpp"
#include "engine/path_setup.hpp"
#include "engine/port_actor.hpp"
#include "engine/port_kind.hpp"
#include "engine/quiet_meter.hpp"
#include "engine/report.hpp"
#include "engine/result.hpp"
#include "engine/server_session.hpp"
#include "engine/test_run.hpp"
#include "wire/connect.hpp"
#include "wire/handshake.hpp"

namespace wyndrvr::engine {

// --- effects (Post and Report as in server_session.hpp) ---
struct SendMain {  // from the main socket
  Endpoint to;
  std::array<std::byte, wire::kMaxHandshakeSize> bytes{};
  std::size_t size = 0;
  [[nodiscard]] ByteView view() const { return ByteView(bytes).first(size); }
};
struct OpenPorts {  // open three sockets and launch the actors; answer with on_ports_open(_failed)
  Endpoint server;
  std::array<Endpoint, kPortCount> ports;
};
struct Finish {};
enum class StopCause : std::uint8_t {
  kUser,        // a signal
  kOutputLost,  // nobody reads the results any more
};
using ClientSessionEffect = std::variant<SendMain, OpenPorts, Post, Report, Finish>;

class ClientSession {
 public:
  static constexpr unsigned kConnectAttempts = HandshakeClient::kMostConnects;
  static constexpr Duration kPortsTimeout = 10s;  // for the first heartbeat of each port
  // A run that the user ends sooner says nothing of ports that have not answered yet.
  static constexpr Duration kPortsPatience = 4s;
  static constexpr Duration kLinger = 5s;  // acknowledging repeated results
  static constexpr Duration kDrainTimeout = 500ms;
  // For the last answers of a latency run with a length; ports give them up by themselves.
  static constexpr Duration kSettleTimeout = 4500ms;
  static constexpr Duration kResultPatience = 300ms;  // after a test, before saying that we wait
  static constexpr unsigned kHandshakeAttempts = 10;  // one a second, as they are told
  static constexpr Duration kBusyPatience = 1h;       // with a server that says BUSY, in all
  // Addresses and causes that are told at once, each once; further ones are in the result alone.
  static constexpr std::size_t kMaxToldTroubles = 64;
  static constexpr unsigned kCloseRepeats = 3;
  static constexpr Duration kCloseInterval = 50ms;

  ClientSession(const ClientConfig& config, Instant now, std::uint64_t seed);
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // What the main socket received, or why a datagram of it did not get there.
  void on_main_datagram(Instant now, const Endpoint& from, ByteView bytes);
  void on_main_unreachable(Instant now, const Endpoint& to, Unreachable cause);
  // This host has no socket to ask that address from.
  void on_main_failed(Instant now, const Endpoint& to, const std::string& why);
  void on_ports_open(Instant now);
  void on_ports_failed(Instant now, const std::string& why);
  // The port may run in a worker that was taken over: what it cannot say, or not now, is counted
  // and changes nothing.
  void on_message(Instant now, PortKind from, const Message& message);
  void on_timer(Instant now);
  // The loop that ran one of the ports on this host is gone; `cause` says how, for people. Ends an
  // upload that has no result yet; of a latency run the other ports go on.
  void on_port_lost(Instant now, PortKind port, const std::string& cause);
  // Ends before its time: a latency run that the user ends is complete, all else is cut short.
  void stop(Instant now, StopCause cause = StopCause::kUser);

  [[nodiscard]] std::optional<ClientSessionEffect> poll_effect();
  [[nodiscard]] std::optional<Deadline> poll_deadline() const;
  [[nodiscard]] PortConfig port_config(PortKind kind, Instant now, Duration clock_offset,
                                       std::uint64_t seed) const;
  [[nodiscard]] const SessionResult& result() const { return result_; }
  [[nodiscard]] bool finished() const { return state_ == State::kFinished; }
  [[nodiscard]] std::uint64_t ignored_messages() const { return ignored_messages_; }

 private:
  enum class State : std::uint8_t {
    kConnecting,
    kOpening,
    kRunning,   // heartbeats; with an upload, waiting for the ports it needs
    kStarting,  // BWUP is out, or START
    kTesting,
    kAwaiting,  // the test's time is over
    kLingering,
    kDraining,
    kFinished,
  };

  // client_session_connect.cpp
  void begin_handshake(Instant now);
  void pump_handshake(Instant now);
  void on_handshake(Instant now, const HandshakeClient::Event& event);
  void on_granted(Instant now, const HandshakeClient::Granted& granted);
  void on_fell_back(Instant now, const wire::Assignment& assignment);
  void on_busy(Instant now, const HandshakeClient::Busy& busy);
  void on_assignment(Instant now, const Endpoint& from, const wire::Assignment& assignment);
  void on_refusal(Instant now, const Endpoint& from, const wire::Refusal& refusal);
  void on_ended(Instant now, const Endpoint& from, const wire::Ended& ended);

  // client_session_troubles.cpp
  void on_no_answer(Instant now);
  void give_up_when_hopeless(Instant now);
  void on_port_trouble(PortKind port, Unreachable cause);
  void tell_of_trouble(const Endpoint& server, Unreachable cause);
  void on_ports_timeout(Instant now);
  // Adds a problem for each port that has not answered, save those whose loop is gone. False where
  // the run is invalid for that: no port answers, or one that a test needs does not.
  bool judge_unproven_ports();
  void fail_when_silent(Instant now);
  // The first known cause, in the order of `ports`.
  [[nodiscard]] std::optional<Unreachable> trouble_of(std::initializer_list<PortKind> ports) const;
  void tell_of_silence(Instant now);
  [[nodiscard]] std::optional<Instant> silence_deadline() const;
  [[nodiscard]] Duration expected_gap() const;
  void expect_to_hear(Instant now) { quiet_.restart(now, expected_gap()); }
  [[nodiscard]] bool tells_of_silence() const;
  [[nodiscard]] bool shows_progress(const TestRun& run) const;

  // client_session_handshake.cpp
  void on_handshake_datagram(Instant now, const Endpoint& from, ByteView bytes);
  void on_main_in_session(Instant now, const Endpoint& from, ByteView bytes);
  void on_close(Instant now, const wire::Close& close);
  void refuse(Instant now, std::string reason);
  void tell_of_attempt(Instant now);
  void send_main(const Endpoint& to, ByteView bytes);
  void send_close(Instant now);
  [[nodiscard]] unsigned most_attempts() const;
  // Once it is another than the one that was told last.
  void tell_server();
  void open_ports();

  [[nodiscard]] bool takes(PortKind from, const Message& message) const;
  void on_port_proven(Instant now, PortKind port);
  void on_port_silent(Instant now, PortKind port);
  void start_tests(Instant now);
  void start_test(PortKind direction);
  [[nodiscard]] TestPlan plan_of(PortKind direction);
  void on_test_started(Instant now, const TestStarted& started);
  void on_result(Instant now, const wire::TestResult& result);
  void on_test_reported(Instant now, const TestReported& reported);
  void on_test_broken(const TestBroken& broken);
  void on_port_report(PortKind port, const PortReport& report);
  void drain_when_counted(Instant now);
  void fail(Instant now, ProblemCode code, std::string message,
            std::optional<Unreachable> cause = {});
  void add_problem(ProblemCode code, std::string message, std::optional<Unreachable> cause = {});
  void drain(Instant now);
  void finish_when_reported();
  void finish();
  void post_all(const Message& message);
  void report(Report report) { effects_.emplace_back(std::move(report)); }
  [[nodiscard]] bool speaks_one() const { return setup_.has_value(); }
  // A test in this direction is to be made; in any direction.
  [[nodiscard]] bool wants(PortKind direction) const;
  [[nodiscard]] bool wants_test() const;
  // A test needs this port.
  [[nodiscard]] bool needs(PortKind port) const;
  [[nodiscard]] TestRun* run_of(PortKind from);
  [[nodiscard]] TestRun* run_of(ChannelId channel);
  [[nodiscard]] bool port_proven(PortKind port) const { return proven_[index_of(port)]; }
  [[nodiscard]] std::string port_name(PortKind port) const;

  ClientConfig config_;
  base::Random random_;
  State state_ = State::kConnecting;
  Instant started_;
  Instant deadline_;  // of the present state; meaning depends on it
  bool has_deadline_ = false;
  unsigned attempt_ = 0;
  ConnectTroubles troubles_;              // with the servers
  Instant looked_;                        // at them
  Instant opened_;                        // when the ports were
  std::optional<ConnectRace> handshake_;  // with all addresses, until it is over
  std::optional<Endpoint> told_server_;   // that is being asked
  std::size_t unaskable_ = 0;             // addresses that this host cannot ask
  std::string local_failure_;             // why not
  std::optional<Instant> next_attempt_;   // when to tell that nobody has answered yet
  std::optional<Instant> busy_since_;
  std::optional<PathSetup> setup_;  // dialect 1 is spoken
  wire::SessionNumber session_;     // dialect 1
  unsigned closes_left_ = 0;        // CLOSE still to be sent
  Instant next_close_;
  std::optional<wire::Assignment> assignment_;
  Endpoint server_;
  std::array<bool, kPortCount> proven_{};
  bool extended_ = false;  // the server knows our extensions
  std::array<bool, kPortCount> silent_{};
  std::array<bool, kPortCount> counted_{};  // HeartbeatsDone
  bool settling_ = false;                   // the latency run's length is over
  std::array<bool, kPortCount> reported_{};
  std::array<bool, kPortCount> lost_{};  // silent, counted and reported as well
  std::optional<Instant> ports_deadline_;
  std::optional<Instant> last_nudge_;
  std::array<std::optional<TestRun>, kPortCount> runs_;               // by direction
  std::array<std::optional<Unreachable>, kPortCount> port_troubles_;  // since it was heard last
  std::vector<std::pair<Endpoint, Unreachable>> told_troubles_;
  QuietMeter quiet_;  // of what comes outside of tests, or from servers that tell no progress
  std::uint64_t ignored_messages_ = 0;
  SessionResult result_;
  std::deque<ClientSessionEffect> effects_;
};

}  // namespace wyndrvr::engine
