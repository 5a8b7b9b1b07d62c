// The client's coordinator: CONNECT, the three ports, heartbeats, the upload test, the result.
//
// Its last effect is Finish; `result` is then complete, whatever happened. Every wait in it has a
// deadline. Pure: returns effects, which a host carries out in order.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "engine/config.hpp"
#include "engine/datagram.hpp"
#include "engine/interval_log.hpp"
#include "engine/message.hpp"
#include "engine/port_actor.hpp"
#include "engine/port_kind.hpp"
#include "engine/report.hpp"
#include "engine/result.hpp"
#include "engine/server_session.hpp"
#include "wire/connect.hpp"

namespace wyndrvr::engine {

// --- effects (Post and Report as in server_session.hpp) ---
struct SendConnect {
  Endpoint to;
};
struct OpenPorts {  // open three sockets and launch the actors; answer with on_ports_open(_failed)
  Endpoint server;
  std::array<Endpoint, kPortCount> ports;
};
struct Finish {};
using ClientSessionEffect = std::variant<SendConnect, OpenPorts, Post, Report, Finish>;

class ClientSession {
 public:
  static constexpr unsigned kConnectAttempts = 5;
  static constexpr Duration kConnectInterval = 1s;
  static constexpr Duration kPortsTimeout = 10s;  // for the first heartbeat of each port
  static constexpr Duration kLinger = 5s;         // acknowledging repeated results
  static constexpr Duration kDrainTimeout = 500ms;
  static constexpr Duration kResultPatience = 300ms;  // after a test, before saying that we wait

  ClientSession(const ClientConfig& config, Instant now, std::uint64_t seed);

  // What the main socket received, or that the kernel says nobody listens there.
  void on_main_datagram(Instant now, const Endpoint& from, ByteView bytes);
  void on_main_refused(Instant now, const Endpoint& by);
  // This host has no socket to ask from.
  void on_main_failed(Instant now, const std::string& why);
  void on_ports_open(Instant now);
  void on_ports_failed(Instant now, const std::string& why);
  void on_message(Instant now, PortKind from, const Message& message);
  void on_timer(Instant now);
  // The loop that ran one of the ports on this host is gone; `cause` says how, for people. Ends an
  // upload that has no result yet; of a latency run the other ports go on.
  void on_port_lost(Instant now, PortKind port, const std::string& cause);
  // The user wants to end (Ctrl-C, SIGTERM).
  void stop(Instant now);

  [[nodiscard]] std::optional<ClientSessionEffect> poll_effect();
  [[nodiscard]] std::optional<Deadline> poll_deadline() const;
  [[nodiscard]] PortConfig port_config(PortKind kind, Instant now, Duration clock_offset,
                                       std::uint64_t seed) const;
  [[nodiscard]] const SessionResult& result() const { return result_; }
  [[nodiscard]] bool finished() const { return state_ == State::kFinished; }

 private:
  enum class State : std::uint8_t {
    kConnecting,
    kOpening,
    kRunning,   // heartbeats; with an upload, waiting for the ports it needs
    kStarting,  // BWUP is out
    kTesting,
    kAwaiting,  // the test's time is over
    kLingering,
    kDraining,
    kFinished,
  };

  void connect(Instant now);
  void on_assignment(Instant now, const Endpoint& from, const wire::Assignment& assignment);
  void on_refusal(Instant now, const Endpoint& from, const wire::Refusal& refusal);
  void on_ended(Instant now, const Endpoint& from, const wire::Ended& ended);
  void on_port_proven(Instant now, PortKind port);
  void start_upload(Instant now);
  void on_test_started(const TestStarted& started);
  void on_receiver_progress(const ReceiverTotals& totals);
  void on_sender_progress(Instant now, const SenderTotals& totals);
  void on_result(Instant now, const wire::TestResult& result);
  void on_port_report(PortKind port, const PortReport& report);
  void fail_when_silent(Instant now);
  void drain_when_counted(Instant now);
  void on_ports_timeout(Instant now);
  void fail(Instant now, ProblemCode code, std::string message);
  void add_problem(ProblemCode code, std::string message);
  void drain(Instant now);
  void finish_when_reported();
  void finish();
  void post_all(const Message& message);
  void report(Report report) { effects_.emplace_back(std::move(report)); }
  [[nodiscard]] bool port_proven(PortKind port) const { return proven_[index_of(port)]; }
  [[nodiscard]] std::string port_name(PortKind port) const;

  ClientConfig config_;
  base::Random random_;
  State state_ = State::kConnecting;
  Instant started_;
  Instant deadline_;  // of the present state; meaning depends on it
  bool has_deadline_ = false;
  unsigned attempt_ = 0;
  unsigned refusals_in_a_row_ = 0;
  bool unreachable_ = false;  // the network said so, at least once
  std::optional<wire::Assignment> assignment_;
  Endpoint server_;
  std::array<bool, kPortCount> proven_{};
  bool extended_ = false;  // the server knows our extensions
  std::array<bool, kPortCount> silent_{};
  std::array<bool, kPortCount> counted_{};  // HeartbeatsDone
  std::array<bool, kPortCount> reported_{};
  std::array<bool, kPortCount> lost_{};  // silent, counted and reported as well
  std::optional<Instant> ports_deadline_;
  std::optional<Instant> last_nudge_;
  Instant test_start_;
  Duration test_duration_{};
  SenderTotals sender_;
  unsigned sender_reports_ = 0;
  std::optional<ReceiverTotals> receiver_;
  IntervalLog intervals_;
  Duration shown_until_{};  // of the test, by the last progress that was shown
  std::optional<TestOutcome> test_;
  SessionResult result_;
  std::deque<ClientSessionEffect> effects_;
};

}  // namespace wyndrvr::engine
