// The two programs: run a client to its end, run a server until it is told to stop.
//
// Blocks the calling thread. Takes INT, TERM, HUP and QUIT over for as long as it runs: the first
// ends the run in order, the second at once. Everything that a person or a script should see goes
// to the ReportSink, in order, on the calling thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/config.hpp"
#include "engine/port_kind.hpp"
#include "engine/report.hpp"
#include "engine/result.hpp"
#include "os/udp_options.hpp"
#include "runtime/placement_mode.hpp"

namespace wyndrvr::runtime {

// The keys that shape the loop itself rather than the protocol (docs/ARCHITECTURE.md, "A turn").
struct LoopTuning {
  Duration gather{};  // incoming_blocking_level: wait this long for more after a receive
  Duration incoming_sleep{};
  // A single loop sleeps the sum of both, once a turn. With send_sleep a turn sends one datagram on
  // a port, or, where max_send_time is set, for so long.
  Duration send_sleep{};
  Duration max_send_time{};      // a port stops sending after so long; 0 = its own bound
  Duration block_limit = 100ms;  // longest wait of a turn; 0 = never waits (spins)
  Duration test_delay{};         // fault injection: added to every turn
  double drop_probability = 0;   // fault injection: outgoing datagrams not sent
  os::Offloads offloads;         // gso, gro: of the sockets that carry data

  // What every turn sleeps; one that had something to do also `gather`s.
  [[nodiscard]] Duration pause() const { return incoming_sleep + send_sleep + test_delay; }
};

// What the kernel granted; for the result's `host`.
struct HostFacts {
  std::uint32_t receive_buffer_bytes = 0;
  std::uint32_t send_buffer_bytes = 0;
  bool gso = false;  // wanted, and known to the kernel; the path may refuse it yet
  bool gro = false;
  const char* timestamp_source = "none";  // "timestamping", "timestampns", "none"
};

class ReportSink {
 public:
  virtual ~ReportSink() = default;
  virtual void on_report(const engine::Report& report) = 0;
};

// What the user wants of the client's sockets, beside what a session settles.
struct SocketWishes {
  std::optional<IpAddress> bind{};          // the address to send from; absent: the kernel's choice
  std::string interface{};                  // send and receive by this one alone; empty: by any
  std::optional<std::uint8_t> hop_limit{};  // TTL; absent: the host's default
  std::uint8_t traffic_class = 0;           // DSCP << 2 | ECN codepoint; on the main port DSCP
  bool never_fragment = false;              // of the ports that carry data
};

struct ClientRun {
  engine::ClientConfig engine;
  LoopTuning tuning;
  SocketWishes sockets;
  PlacementMode ports = kDefaultPlacementMode;
  std::vector<unsigned> cpus;  // to pin loops to, in turn; empty: runtime/cpu_plan.hpp's choice
  std::vector<int>
      lost_output;  // descriptors: readable or in error, the run ends, for nobody reads
};
// A port that has a process of its own.
struct WorkerFact {
  engine::PortKind port;
  int pid = 0;
};
struct ClientOutcome {
  engine::SessionResult result;
  std::optional<HostFacts> host;         // absent where no port was opened
  std::vector<WorkerFact> workers;       // empty where ports have no processes of their own
  std::optional<Instant> interrupted{};  // by a signal
};
// Fails only where no run took place at all (no socket); a test that failed is a result.
[[nodiscard]] Result<ClientOutcome> run_client(const ClientRun& run, ReportSink& sink);

struct ServerRun {
  engine::ServerConfig engine;
  LoopTuning tuning;
  std::vector<IpAddress> addresses;  // to listen on, at least one
  Port port;                         // on all of them; 0: any free one
  std::string interface{};           // send and receive by this one alone; empty: by any
  bool v6_only = false;              // `::` takes no IPv4
  PlacementMode ports = kDefaultPlacementMode;
  PlacementMode sessions = kDefaultPlacementMode;
  std::vector<unsigned> cpus;  // as in ClientRun
};
// Counters of the server's main socket, for its last words.
struct ServerOutcome {
  std::uint64_t sessions = 0;
  std::uint64_t refused = 0;
  std::uint64_t ignored_datagrams = 0;
  std::optional<Instant> interrupted{};  // by a signal
};
// `on_started` is called for each address in use, when all main sockets are bound. Where a name has
// several addresses, those that this host cannot bind are left out, unless it can bind none.
[[nodiscard]] Result<ServerOutcome> run_server(
    const ServerRun& run, ReportSink& sink, const std::function<void(const Endpoint&)>& on_started);

}  // namespace wyndrvr::runtime
