// What the engine is told once, at the start: valid values only, made by app/settings or a test.
//
// Plain data. Defaults are protocol 0.14's (section 7) where it has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "base/units.hpp"

namespace wyndrvr::engine {

// Both ends.
struct ProtocolConfig {
  Duration heartbeat_interval = 5s;      // heartbeat_rate
  Duration adjustment_delay = 1s;        // between adjustments of the sending rate
  std::uint32_t flow_control_rate = 10;  // reports per adjustment_delay; length of the loss buffer
  Duration control_resend_interval = 100ms;  // ucm_delay (requests), ucm_rate (results)
  Duration result_resend_interval = 100ms;
  bool trace = false;  // test_verbose: Trace messages

  [[nodiscard]] Duration report_interval() const { return adjustment_delay / flow_control_rate; }
};

struct UploadRequest {
  Duration duration = 30s;
  std::uint32_t payload_bytes = 900;  // bw_packet_length: characters of dummy data
};

struct ClientConfig {
  ProtocolConfig protocol;
  std::vector<Endpoint> servers;        // candidates for the main port, best first; not empty
  std::optional<UploadRequest> upload;  // absent: latency only
  std::optional<std::uint64_t> heartbeat_count;  // end after so many heartbeats on each port
  std::optional<Duration> latency_duration;      // end a latency run after so long
  Duration progress_interval = 1s;               // between progress reports of a test
};

// Inclusive range of UDP ports.
struct PortRange {
  Port first;
  Port last;
  auto operator<=>(const PortRange&) const = default;
};

// What keeps a server up when it is open to the internet. Every one is a bound in the acceptor or
// in the session; docs/PROTOCOL.md says what a client sees when it is reached.
struct ServerLimits {
  Duration proof_timeout = 4900ms;  // a client that never proves its ports loses them by then
  Duration idle_timeout = 30s;      // silence on all three ports
  std::size_t max_sessions = 4096;
  std::size_t max_sessions_per_address = 512;
  std::size_t max_unproven_sessions = 400;
  Duration max_test_duration = 1h;  // longer requests are granted this much
};

struct ServerConfig {
  ProtocolConfig protocol;
  std::vector<PortRange> port_ranges = {{{7000}, {8000}}};
  ServerLimits limits;
};

}  // namespace wyndrvr::engine
