// What a simulated world is made of: hosts, links, faults. Plain data.
//
// `draw_scenario` makes one from a seed; tests build theirs from `quiet_scenario`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/endpoint.hpp"
#include "engine/config.hpp"
#include "engine/port_kind.hpp"
#include "sim/clock.hpp"

namespace wyndrvr::sim {

// A span of time in which a link carries nothing.
struct Outage {
  TrueTime from;
  TrueTime until;
};

// One direction of a path.
struct LinkConfig {
  double rate_bps = 0;                // of IP packets; 0 = no limit
  std::size_t queue_octets = 65'536;  // more than this waiting: dropped at the tail
  Duration delay = 5ms;
  Duration jitter{};  // up to this much more; keeps the order
  double loss = 0;
  double duplication = 0;
  double reordering = 0;
  Duration reordering_delay = 5ms;  // up to this much more for a reordered one
  double corruption = 0;            // one to three octets changed
  std::size_t mtu = 1500;           // IP packets longer than this vanish
  std::optional<Outage> outage{};
};

struct HostConfig {
  HostClock::Options clock;
  Duration max_timer_lateness{};  // of the host's loop
  Duration max_read_delay{};      // from the kernel's stamp to the program
  Duration max_send_delay{};      // from the program to the kernel's transmit stamp
  bool kernel_stamps = true;
};

// The loop of a port ends, and with it the actor and its socket; the coordinator hears of it later.
// Without effect where there is no such port at that time.
struct PortLoss {
  TrueTime at;
  engine::PortKind port = engine::PortKind::kUpload;
};

// The same at the server, to one of the sessions that it has then.
struct SessionLoss {
  TrueTime at;
  std::optional<engine::PortKind> port;  // absent: the loop of the whole session
};

// A NAT between gives the sockets of one of a client's ports other ports of its own.
struct Rebind {
  TrueTime at;
  engine::PortKind port = engine::PortKind::kUpload;
};

struct ClientScenario {
  engine::ClientConfig config;
  HostConfig host;
  LinkConfig up;
  LinkConfig down;
  TrueTime start;
  std::optional<TrueTime> stop;      // the user's Ctrl-C
  std::optional<TrueTime> vanishes;  // the host goes dark
  std::optional<PortLoss> loss;
  std::optional<Rebind> rebind;
  double send_refusal = 0;      // datagrams that its own kernel will not send
  bool ports_fail = false;      // its sockets cannot be opened
  bool dead_candidate = false;  // the first address of the server's name is a closed port
};

struct ServerScenario {
  engine::ServerConfig config;
  HostConfig host;
  double port_in_use = 0;     // that another program has a port which the acceptor picks
  double launch_failure = 0;  // that a session whose first datagram has come cannot be launched
  std::optional<TrueTime> vanishes;
  std::optional<TrueTime> shutdown;
  std::optional<SessionLoss> loss;
};

struct GarbageScenario {
  unsigned datagrams = 100;
  TrueTime from;
  TrueTime until;
  bool spoof = true;   // clients' addresses as well, with any port
  bool flood = false;  // nothing but CONNECTs, from many addresses
};

// Somebody who knows every address and port, but not what passes between (AttackerHost).
struct AttackScenario {
  unsigned datagrams = 100;
  TrueTime from;
  TrueTime until;
  double replays = 0;  // of what arrives; more than 0: he reads the paths as well
};

// How the world deceives its own checkers, to show that they notice.
enum class Lie : std::uint8_t {
  kNone,
  kExtraDelivery,    // an actor gets a datagram of the test that truth knows nothing of
  kMissingDelivery,  // truth believes that an actor got one
  kLateStamp,        // an arrival is handed over 50 us too late
  kHiddenLoss,       // truth takes a datagram for arrived that a link dropped
  kLeakedSession,    // the end of a session never reaches the acceptor
  kExtraReply,       // the main port answers twice
  kUntoldLoss,       // the loss of a port never reaches the coordinator
  kHalfGrant,        // truth believes that a REPORT grants half of what it does
  kHalfValidity,     // truth believes that it does so for half as long
  kHiddenProof,      // truth never hears that a path is proven
  kUndueClose,       // a client is told that something is lost, when nothing is
};

struct Scenario {
  std::uint64_t seed = 0;
  bool v6 = false;
  ServerScenario server;
  std::vector<ClientScenario> clients;
  std::optional<GarbageScenario> garbage;
  std::optional<AttackScenario> attack;
  Duration max_mail_delay{};
  double state_loss = 0;          // of messages where the newest replaces the others
  std::size_t channel_room = 64;  // frames that a channel holds, at least 1 (mail_carrier.hpp)
  bool newest_wins = false;       // crowded channels lose what may be lost: traces differ
  Duration max_bind_time{};       // until a session's ports are bound
  Duration max_launch_time{};     // from a session's first datagram to its first turn
  Duration max_loss_delay{};      // until a coordinator hears that a loop is gone
  bool icmp = false;              // hosts say when a port is closed
  Lie lie = Lie::kNone;
};

inline constexpr std::size_t kMaxClients = 4;

[[nodiscard]] Scenario draw_scenario(std::uint64_t seed);
// The same with mail so slow and channels so small that outboxes fill, and lose what may be lost.
[[nodiscard]] Scenario crowded(Scenario scenario);
// One client, a path of 5 ms each way at 10 Mbit/s, true clocks, no faults, nothing to do.
[[nodiscard]] Scenario quiet_scenario();

// Addresses are a matter of convention, so that configurations can name them beforehand.
[[nodiscard]] IpAddress server_address(bool v6);
[[nodiscard]] IpAddress client_address(bool v6, std::size_t index);
[[nodiscard]] IpAddress garbage_address(bool v6);
[[nodiscard]] IpAddress stranger_address(bool v6, std::uint32_t number);
inline constexpr Port kMainPort{6711};
inline constexpr Port kDeadPort{6712};  // nobody listens there

}  // namespace wyndrvr::sim
