// What really happened, as only the simulator can know it; the checkers compare it with what the
// engine reports. Plain records, written by PortWatch and the hosts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/endpoint.hpp"
#include "engine/acceptor.hpp"
#include "engine/message.hpp"
#include "engine/report.hpp"
#include "sim/clock.hpp"

namespace wyndrvr::sim {

// One heartbeat of a client's port.
struct HeartbeatTruth {
  TrueTime sent;      // when the actor handed it out
  TrueTime departed;  // when its kernel sent it
  bool loaded = false;
  bool answered = false;
  unsigned pending = 0;  // copies of it, or of answers to it, that are still on their way
  // Nothing of it is under way any more and no answer was accepted.
  [[nodiscard]] bool is_lost() const { return !answered && pending == 0; }
};

// One datagram of an upload; its place in the list is its number N.
struct SentDatagram {
  std::uint64_t number = 0;   // E
  bool again = false;         // E was sent before
  bool refused = false;       // by the sender's own kernel
  bool link_dropped = false;  // no copy came out of the link
  bool damaged = false;       // a copy came out damaged, and was not accepted
  bool accepted = false;      // by the receiving actor, at least once
  bool unheard = false;       // a copy came, and was not accepted: the test was over
};

// The sending half of a client's test.
struct UploadTruth {
  std::vector<SentDatagram> sent;
  std::unordered_set<std::uint64_t> numbers;
  std::uint64_t bytes = 0;
  std::uint64_t retransmitted = 0;
  std::uint64_t refused = 0;
  // Something that the client did not send was taken for its own: counts cannot be compared.
  bool tainted = false;
};

// The receiving half, at one session of the server.
struct ReceivedTruth {
  std::vector<std::uint64_t> order;  // N of every datagram accepted, copies included
  std::uint64_t bytes = 0;
  TrueTime first;
  TrueTime last;
  bool prepared = false;  // the actor was told of the test
  std::optional<engine::Go> go;
  std::optional<TrueTime> finished;
};

// One stream of one direction of a dialect-1 test: both halves.
struct StreamTruth {
  UploadTruth sent;
  ReceivedTruth received;
};

inline constexpr std::size_t kMostStreams = 8;

// What becomes of a client's tests, whichever dialect it comes to speak.
struct ClientTruth {
  UploadTruth upload;                                               // 0.14
  std::array<std::array<StreamTruth, kMostStreams>, 2> directions;  // dialect 1: up, down
  bool tainted = false;                                             // as in UploadTruth
  bool rebound = false;  // a NAT between has given a flow another port

  [[nodiscard]] std::array<StreamTruth, kMostStreams>& of(engine::PortKind direction) {
    return directions[direction == engine::PortKind::kDownload ? 1 : 0];
  }
  [[nodiscard]] const std::array<StreamTruth, kMostStreams>& of(engine::PortKind direction) const {
    return directions[direction == engine::PortKind::kDownload ? 1 : 0];
  }
};

// The loss of a port at a client.
struct PortLossTruth {
  engine::PortKind port;
  TrueTime told;        // when the coordinator hears of it
  bool in_time = true;  // before there was a result, or an end already
  bool lingering = false;
  bool said_all = false;
};

// The loss of a port at a session of the server, or of the whole session.
struct SessionLossTruth {
  TrueTime told;
  bool ended_due = false;  // a test of a client of ours was running: it has to be told
};

// One session at the server.
struct SessionTruth {
  engine::SessionId id;
  Endpoint client;
  std::uint32_t key = 0;
  bool speaks_one = false;
  bool of_client = false;    // one of the world's, not a stranger's
  std::uint64_t number = 0;  // dialect 1: as in GRANT and CLOSE
  TrueTime created;
  TrueTime last_accepted;  // by any of its actors
  unsigned proven_ports = 0;
  unsigned excused_ports = 0;  // lost before they were proven
  bool showed_ours = false;    // its client asked for what only ours ask for
  unsigned ended_sent = 0;     // or CLOSE because of a loss
  bool launched = false;
  std::optional<SessionLossTruth> loss;
  std::optional<TrueTime> ended;
  std::optional<engine::SessionEnd> reason;
  ReceivedTruth received;
  const UploadTruth* upload = nullptr;  // whose datagrams came in
  bool tainted = false;
};

}  // namespace wyndrvr::sim
