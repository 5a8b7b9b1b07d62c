// The client's half of the three-way heartbeat on one port: when to send HEARTBEAT_0, what an
// answer means, and HEARTBEAT_2.
//
// Open loop: heartbeats leave on an absolute schedule whether or not answers come, so a slow
// answer never hides a later one (coordinated omission); slots that this host missed are skipped
// and counted, never made up for in a burst. Until the first answer has come it tries more often,
// because a lost first heartbeat would cost a server that waits for proof its patience.
//
// Bounded: at most as many heartbeats outstanding as fit into kAnswerTimeout, 4096 at most; the
// oldest is given up where one more would not fit.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "base/growing_queue.hpp"
#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/heartbeat_kinds.hpp"
#include "engine/latency_tally.hpp"
#include "engine/wall_clock.hpp"
#include "wire/drop_reason.hpp"

namespace wyndrvr::engine {

template <class Kind>
class BasicHeartbeatClient {
 public:
  struct Options {
    Duration interval = 5s;
    std::optional<std::uint64_t> count;  // send so many, then none
    WallClock clock;
    Instant start;  // when the first one is due
  };
  struct Answered {
    RoundTrip round_trip;
    bool loaded = false;
    bool first = false;  // the first answer on this port
  };
  struct Heartbeat {
    typename Kind::Request body;
    std::uint32_t token = 0;  // names the kernel's transmit stamp
  };

  // An answer is given up after this long, and comes too late afterwards.
  static constexpr Duration kAnswerTimeout = 4s;
  static constexpr Duration kFirstRetryInterval = 200ms;

  explicit BasicHeartbeatClient(const Options& options);

  // HEARTBEAT_1. On success the reply waits in `poll_reply`.
  [[nodiscard]] std::expected<Answered, wire::DropReason> on_answer(
      Instant now, const Datagram& datagram, const typename Kind::Reply& answer);
  void on_transmit_stamp(std::uint32_t token, Instant stamp);
  void on_timer(Instant now);

  // The next HEARTBEAT_2 to send; with our turnaround time in it, where the server tells its own.
  [[nodiscard]] std::optional<typename Kind::Reply> poll_reply(Instant now);
  // The next HEARTBEAT_0, where one is due.
  [[nodiscard]] std::optional<Heartbeat> poll_heartbeat(Instant now);
  [[nodiscard]] std::optional<Deadline> deadline() const;

  void set_loaded(bool loaded) {
    loaded_ = loaded;
    loaded_once_ = loaded_once_ || loaded;
  }
  void send_now(Instant now);
  // No more of them. Unless there was load, missing answers are given up sooner from now on.
  void stop(Instant now);
  // The last is sent, and every answer is in or given up.
  [[nodiscard]] bool done() const;
  // Not const: the last network round trip is settled with what is known of it.
  [[nodiscard]] LatencyTotals idle() {
    settle(std::nullopt);
    return idle_.totals();
  }
  [[nodiscard]] LatencyTotals loaded() {
    settle(std::nullopt);
    return loaded_tally_.totals();
  }

 private:
  struct Outstanding {
    std::int64_t micros = 0;  // T; strictly increasing from one to the next
    std::uint32_t token = 0;  // consecutive
    Instant sent;
    std::optional<Instant> kernel_sent;
    bool loaded = false;
    bool answered = false;
  };

  struct Waiting {
    typename Kind::Reply reply;
    Instant arrival;  // of what it answers
    bool tells_turnaround = false;
  };

  // The last answer's time on the network and at the server, by our kernel's stamps. It waits for
  // the next answer, which may tell how much of it was the server's by the server's kernel.
  struct Unsettled {
    typename Kind::Time server;  // names the answer
    Duration total{};
    std::optional<std::uint64_t> turnaround_ns;  // by the server's own clock
    bool loaded = false;
  };

  [[nodiscard]] Outstanding* find(std::int64_t micros);
  void settle(const std::optional<typename Kind::Earlier>& earlier);
  [[nodiscard]] bool last_is_sent() const {
    return stopped_ || (options_.count && sent_ >= *options_.count);
  }
  [[nodiscard]] Duration answer_timeout() const;
  void give_up_oldest();
  void drop_answered();
  void schedule_next(Instant now);
  LatencyTally& tally_of(bool loaded) { return loaded ? loaded_tally_ : idle_; }

  Options options_;
  Instant due_;
  base::GrowingQueue<Outstanding> outstanding_;
  base::GrowingQueue<Waiting> replies_;
  LatencyTally idle_;
  LatencyTally loaded_tally_;
  std::optional<Unsettled> unsettled_;
  std::uint64_t sent_ = 0;
  std::int64_t last_micros_ = 0;
  std::uint32_t next_token_ = 0;
  Duration longest_rtt_{};
  bool loaded_ = false;
  bool loaded_once_ = false;
  bool answered_once_ = false;
  bool stopped_ = false;
};

extern template class BasicHeartbeatClient<OriginalHeartbeats>;
extern template class BasicHeartbeatClient<PathHeartbeats>;
using HeartbeatClient = BasicHeartbeatClient<OriginalHeartbeats>;
using PathHeartbeatClient = BasicHeartbeatClient<PathHeartbeats>;

}  // namespace wyndrvr::engine
