// The server's half of the three-way heartbeat on one port: HEARTBEAT_1 for each HEARTBEAT_0, and
// what a HEARTBEAT_2 proves.
//
// Answers are written when they leave, not when they are asked for, so that the turnaround they
// carry is the true one. Bounded: `max_waiting` answers waiting, 64 unconfirmed; of more, the new
// ones are dropped of the former, and the old ones forgotten of the latter. Of those that are
// confirmed or have waited for 10 s the last four to eight are remembered, so a copy of an older
// confirmation is no duplicate any more, but one that nobody waits for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "base/endpoint.hpp"
#include "base/growing_queue.hpp"
#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/heartbeat_kinds.hpp"
#include "engine/wall_clock.hpp"
#include "stats/running_stats.hpp"
#include "wire/drop_reason.hpp"

namespace wyndrvr::engine {

template <class Kind>
class BasicHeartbeatServer {
 public:
  struct Reply {
    Endpoint to;
    typename Kind::Reply body;
    std::size_t path = 0;     // as it was given to on_heartbeat
    std::uint32_t token = 0;  // names the kernel's transmit stamp
  };

  // What HEARTBEAT_2 says.
  struct Confirmation {
    typename Kind::Time server;
    std::optional<std::uint64_t> turnaround_ns{};  // the client's, where it tells it
  };
  struct Confirmed {
    Duration rtt{};
    // The same without the client's turnaround, as far as it is known: what the path took at most.
    Duration path_rtt{};
  };

  explicit BasicHeartbeatServer(WallClock clock, std::size_t max_waiting = kMostHeartbeatsAtOnce);

  // HEARTBEAT_0. False where too many answers wait.
  [[nodiscard]] bool on_heartbeat(const Datagram& datagram, const typename Kind::Request& heartbeat,
                                  std::size_t path = 0);
  // HEARTBEAT_2, where the timestamp is ours and went to that endpoint. `measured`: its round trip
  // counts; that of one that may have been sent again does not.
  [[nodiscard]] std::expected<Confirmed, wire::DropReason> on_confirmation(
      const Datagram& datagram, const Confirmation& confirmation, bool measured = true);
  // The next HEARTBEAT_1, with our turnaround time in it, and with the exact one of the answer
  // before, where the kernel has told it.
  [[nodiscard]] std::optional<Reply> poll_reply(Instant now);
  void on_transmit_stamp(std::uint32_t token, Instant stamp);

  [[nodiscard]] bool has_reply() const { return !waiting_.empty(); }
  [[nodiscard]] const stats::RunningStats& rtt_ns() const { return rtt_ns_; }

 private:
  struct Waiting {
    typename Kind::Time timestamp;
    std::size_t path = 0;
    Endpoint to;
    Instant arrival;
    bool kernel_stamped = false;
  };
  struct LastReply {
    typename Kind::Time server;
    Instant arrival;
    bool kernel_stamped = false;
    std::uint32_t token = 0;
    std::optional<std::uint64_t> turnaround_ns;
  };
  struct Unconfirmed {
    std::int64_t micros = 0;  // S; strictly increasing
    Instant sent;
    Endpoint to;
    bool confirmed = false;
  };

  void forget_answers(Instant now);

  WallClock clock_;
  base::GrowingQueue<Waiting> waiting_;
  base::GrowingQueue<Unconfirmed> unconfirmed_;  // and those confirmed last
  stats::RunningStats rtt_ns_;
  std::optional<LastReply> last_reply_;
  std::int64_t last_micros_ = 0;
  std::uint32_t next_token_ = 0;
};

extern template class BasicHeartbeatServer<OriginalHeartbeats>;
extern template class BasicHeartbeatServer<PathHeartbeats>;
using HeartbeatServer = BasicHeartbeatServer<OriginalHeartbeats>;
using PathHeartbeatServer = BasicHeartbeatServer<PathHeartbeats>;

}  // namespace wyndrvr::engine
