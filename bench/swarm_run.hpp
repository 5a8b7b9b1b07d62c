// A run of a swarm: the clients come one after the other, at a bounded rate, then all beat for some
// time, which is what is measured, then they take their leave.
//
// Clients of one group send from an address of their own within 127.0.0.0/8 where the server is
// there as well, so that no address runs out of ports, or of what a server grants to one. One
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/endpoint.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "process_usage.hpp"
#include "runtime/event_loop.hpp"
#include "stats/latency_summary.hpp"
#include "swarm_client.hpp"

namespace wyndrvr::bench {

struct SwarmOptions {
  Endpoint server{{{127, 0, 0, 1}}, Port{6711}};
  std::size_t clients = 1000;
  Duration heartbeat_interval = 1s;
  Duration measured = 10s;
  engine::DialectChoice dialect = engine::DialectChoice::kOne;
  bool single_port = false;
  std::uint64_t connects_per_second = 1000;
  int server_pid = 0;  // 0: only this process is looked at
};

struct SwarmOutcome {
  std::size_t connected = 0;
  // While all were there.
  Duration measured{};
  std::uint64_t exchanges = 0;
  std::optional<stats::LatencySummary> rtt;
  std::optional<stats::LatencySummary> network_rtt;
  Duration own_cpu{};
  std::optional<Duration> server_cpu;
  // More than before the first client came.
  std::optional<std::int64_t> server_private_octets;
  // Of the whole run.
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;
  std::uint64_t skipped = 0;  // this host was late
};

class SwarmRun final : public runtime::EventSource, public SwarmListener {
 public:
  // Waiting for the last clients, at the beginning and at the end.
  static constexpr Duration kPatience = 30s;
  // Between the last client's arrival and what is measured.
  static constexpr Duration kSettling = 2s;
  // Clients of one address.
  static constexpr std::size_t kGroup = 100;
  // That wait for their ports at once: a server takes only so many that have proven nothing.
  static constexpr std::size_t kMaxArriving = 200;

  SwarmRun(runtime::EventLoop& loop, const SwarmOptions& options);
  ~SwarmRun() override;
  SwarmRun(const SwarmRun&) = delete;
  SwarmRun& operator=(const SwarmRun&) = delete;

  // Ends the loop when it is over.
  [[nodiscard]] Result<void> start();
  [[nodiscard]] SwarmOutcome outcome() const;

  void on_ready(const runtime::Readiness& readiness) override;
  void on_wake(Instant now) override;
  void on_client_connected() override { ++outcome_.connected; }
  void on_round_trip(const engine::HeartbeatSample& sample) override;
  void on_client_over() override { ++over_; }

 private:
  enum class Phase : std::uint8_t { kArriving, kSettling, kMeasuring, kLeaving };

  [[nodiscard]] Duration step() const;
  void arrive(Instant now);
  void add_client();
  void begin_measuring(Instant now);
  void end_measuring(Instant now);
  void leave(Instant now);
  [[nodiscard]] IpAddress address_of(std::size_t client) const;

  runtime::EventLoop& loop_;
  SwarmOptions options_;
  base::Random random_;
  os::ReceiveBuffer receive_buffer_;
  std::vector<std::unique_ptr<SwarmClient>> clients_;
  std::optional<runtime::EventLoop::Id> timer_;
  Phase phase_ = Phase::kArriving;
  Instant next_arrival_;
  Instant phase_end_;
  std::size_t over_ = 0;
  std::size_t next_to_leave_ = 0;
  Instant measuring_since_;
  std::optional<ProcessUsage> server_empty_;
  std::optional<ProcessUsage> server_before_;
  std::optional<ProcessUsage> own_before_;
  stats::LatencyRecorder rtt_;
  stats::LatencyRecorder network_rtt_;
  SwarmOutcome outcome_;
};

}  // namespace wyndrvr::bench
