// Watches one actor: writes down the truth about what it sends and receives, and compares what it
// reports with that at once.
//
// Knows which datagram caused which answer, because a host drains an actor after every datagram.
// Does not run the actor (PortHost does).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/bytes.hpp"
#include "engine/datagram.hpp"
#include "engine/message.hpp"
#include "engine/port_kind.hpp"
#include "sim/host.hpp"
#include "sim/packet.hpp"
#include "sim/stream_watch.hpp"
#include "sim/truth.hpp"
#include "stats/jitter.hpp"

namespace wyndrvr::sim {

class PortWatch {
 public:
  struct Options {
    engine::Side side = engine::Side::kClient;
    engine::PortKind kind = engine::PortKind::kControl;
    UploadTruth* upload = nullptr;    // client: its own; server: of the client at that address
    SessionTruth* session = nullptr;  // server
    // Heartbeats may be given up after this long; the last ones of a count sooner than others.
    Duration shortest_patience{};
    std::string name;
    std::optional<StreamWatch::Options> streams{};  // dialect 1
  };

  PortWatch(Host& host, Options options);

  // The actor has handed out a datagram; returns what is to be noted on it.
  [[nodiscard]] Note on_transmit(const engine::Transmit& transmit, ByteView datagram,
                                 TrueTime departs);
  // What the link made of it, or that the kernel refused it.
  void on_carried(const Note& note, std::size_t copies);
  void on_refused(const Note& note);
  // A datagram was given to the actor (which read it now); until `on_settled`, what the actor does
  // is caused by it. `packet` stays valid until then.
  void on_delivered(const Packet& packet, bool accepted);
  [[nodiscard]] const std::string& name() const { return options_.name; }
  void on_settled();
  // A message to the actor; one from it.
  void on_letter(const engine::Message& message);
  void on_posted(const engine::Message& message);

  [[nodiscard]] bool proven() const { return proven_; }
  // Heartbeats that truth knows to be lost, for tests.
  [[nodiscard]] std::uint64_t lost_heartbeats() const;

 private:
  // Heartbeats of one phase.
  struct Phase {
    std::uint64_t received = 0;
    Duration min = Duration::max();
    Duration max = Duration::min();
    Duration application_max = Duration::min();
    // Time on the network alone: with the server's own sending delay at most, without at least.
    Duration network_min = Duration::max();
    Duration network_max = Duration::min();
    stats::InterarrivalJitter jitter;
  };

  [[nodiscard]] bool is_tainted() const;
  [[nodiscard]] bool is_client() const { return options_.side == engine::Side::kClient; }
  [[nodiscard]] TrueTime now() const { return host_.environment().queue.now(); }
  [[nodiscard]] Findings& findings() const { return host_.environment().findings; }
  void note_data(Note& note, ByteView datagram);
  void note_heartbeat(Note& note, unsigned type);
  void on_original(const Packet& packet, bool accepted);
  void on_data(const Packet& packet, bool accepted);
  void accept_data(const Packet& packet);
  void note_request(const Packet& packet);
  void watch_budget(std::size_t octets);
  void check_client_sample(const engine::HeartbeatSample& sample);
  void check_server_sample(const engine::HeartbeatSample& sample);
  void check_network_rtt(Duration reported, const Packet& answer);
  void check_report(const engine::PortReport& report);
  void check_phase(const engine::LatencyTotals& totals, bool loaded);
  void check_lost(const engine::LatencyTotals& totals, bool loaded);
  void check_summaries(const engine::LatencyTotals& totals, const Phase& phase);
  void check_sender(const engine::SenderTotals& totals);
  void taint(const Packet& packet);

  Host& host_;
  Options options_;
  std::optional<StreamWatch> streams_;
  const Packet* cause_ = nullptr;
  bool cause_accepted_ = false;
  bool loaded_ = false;
  bool tainted_ = false;
  bool reported_ = false;    // client: its last word is said
  bool proven_ = false;      // server: the path
  bool confirmed_ = false;   // server, 0.14: a HEARTBEAT_2 has come
  std::uint64_t given_ = 0;  // server: datagrams handed to the actor
  std::uint64_t given_octets_ = 0;
  std::uint64_t replied_ = 0;  // server: datagrams sent before the proof
  std::uint64_t replied_octets_ = 0;
  std::deque<HeartbeatTruth> heartbeats_;
  std::array<Phase, 2> phases_;  // idle, loaded
};

}  // namespace wyndrvr::sim
