// One session at the server, as a runtime hosts it: its ports are bound, but there is nothing else
// of it until the first datagram has come to one of them; then a coordinator and three actors,
// which read what has come meanwhile, with its true time of arrival.
//
// A session that nobody writes to is given up after the proof time-out. What its loops may suffer
// (SessionLoss) is done to it from outside. Outlives its end, for the truth about it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/first_packet.hpp"
#include "engine/server_session.hpp"
#include "sim/address_budget.hpp"
#include "sim/host.hpp"
#include "sim/mailroom.hpp"
#include "sim/network.hpp"
#include "sim/port_host.hpp"
#include "sim/truth.hpp"

namespace wyndrvr::sim {

class SessionHost {
 public:
  // The server's side of it. After on_over and on_launch_failed nothing follows.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_proven(SessionHost& session) = 0;
    virtual void on_resend_assignment(SessionHost& session) = 0;
    virtual void on_extended(SessionHost& session) = 0;
    virtual void on_tell_ended(SessionHost& session, const engine::TellEnded& end) = 0;
    virtual void on_test_under_way(SessionHost& session, Duration duration) = 0;
    virtual void on_over(SessionHost& session, engine::SessionEnd reason) = 0;
    virtual void on_launch_failed(SessionHost& session, const std::string& why) = 0;
    virtual void on_lost(SessionHost& session, const std::string& cause) = 0;
    virtual void on_report(const engine::Report& report) = 0;
  };
  struct Options {
    const engine::ServerConfig& config;
    engine::SessionSetup setup;
    ClientTruth* client = nullptr;  // of the client whose session this is
    AddressBudget& budget;
  };

  SessionHost(Host& host, Listener& listener, const Options& options);
  SessionHost(const SessionHost&) = delete;
  SessionHost& operator=(const SessionHost&) = delete;

  // Told to end: evicted, or because the server stops.
  void end(engine::SessionEnd reason);
  // The loop of one port, or of everything, ends here and now.
  void lose(std::optional<engine::PortKind> port);

  [[nodiscard]] const engine::SessionSetup& setup() const { return options_.setup; }
  [[nodiscard]] bool running() const { return state_ == State::kRunning; }
  [[nodiscard]] SessionTruth& truth() { return truth_; }
  [[nodiscard]] const SessionTruth& truth() const { return truth_; }

 private:
  enum class State : std::uint8_t { kWaiting, kLaunching, kRunning, kOver };

  // What holds a port before its actor exists.
  class Door : public Socket {
   public:
    Door(SessionHost& session, engine::PortKind kind) : session_(session), kind_(kind) {}
    void on_arrival(PacketPtr packet) override { session_.on_knock(kind_, std::move(packet)); }
    void on_unreachable(const Endpoint& /*by*/) override {}

   private:
    SessionHost& session_;
    engine::PortKind kind_;
  };

  void on_knock(engine::PortKind kind, PacketPtr packet);
  void launch();
  void make_port(engine::PortKind kind);
  // The ports that have a socket, and an actor, of their own.
  [[nodiscard]] std::vector<engine::PortKind> own_ports() const;
  [[nodiscard]] bool has_single_port() const;
  [[nodiscard]] PortWatch::Options watch_options(engine::PortKind kind,
                                                 const engine::PortConfig& config);
  [[nodiscard]] PortHost& port_of(engine::PortKind kind);
  void close_doors();
  void on_letter(engine::Mailbox from, engine::Mailbox to, const engine::Message& message);
  void on_wake();
  void settle();
  void carry_out(const engine::ServerSessionEffect& effect);
  void lose_port(engine::PortKind port);
  void tell_port_loss(engine::PortKind port);
  void lose_all();
  void over(engine::SessionEnd reason);
  [[nodiscard]] bool knows_test_of_ours() const;
  [[nodiscard]] TrueTime now() const { return host_.environment().queue.now(); }
  [[nodiscard]] Endpoint bound(engine::PortKind kind) const;

  Host& host_;
  Listener& listener_;
  Options options_;
  engine::FirstPacket first_;
  std::string name_;
  Instant created_;
  State state_ = State::kWaiting;
  std::vector<std::pair<engine::PortKind, PacketPtr>> unread_;
  std::optional<engine::SessionEnd> told_to_end_;  // while it was being launched
  std::optional<engine::ServerSession> coordinator_;
  Mailroom mail_;
  Alarm alarm_;
  std::array<Door, engine::kPortCount> doors_;
  std::array<std::unique_ptr<PortHost>, engine::kPortCount> ports_;
  // What the coordinator has heard.
  bool knows_test_ = false;
  bool knows_proof_ = false;
  bool draining_ = false;
  SessionTruth truth_;
};

}  // namespace wyndrvr::sim
