// What the engine is told once, at the start: valid values only, made by app/settings or a test.
//
// Plain data. Defaults are protocol 0.14's (section 7) where it has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.hpp"
#include "base/ip_network.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "crypto/session_keys.hpp"
#include "engine/test_terms.hpp"
#include "wire/handshake.hpp"

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

// Which dialect of the protocol to speak. kAuto: a client asks in dialect 1 and falls back to 0.14
// in the same exchange, a server answers either.
enum class DialectChoice : std::uint8_t { kAuto, kOne, kOriginal };

// 0.14's only test.
struct UploadRequest {
  Duration duration = 30s;
  std::uint32_t payload_bytes = 900;  // bw_packet_length: characters of dummy data
  // UDP payload; absent: what the rate controller finds.
  std::optional<BitRate> rate = std::nullopt;
};

struct ClientConfig {
  ProtocolConfig protocol;
  std::vector<Endpoint> servers;  // candidates for the main port, best first; not empty
  DialectChoice dialect = DialectChoice::kOriginal;
  // What is wanted in 0.14, and of a server that speaks nothing else; absent: latency only.
  std::optional<UploadRequest> upload;
  TestTerms terms;  // what is wanted in dialect 1
  // Why `terms` cannot be had in 0.14, for people; empty where `upload` stands for them.
  std::string not_in_original;
  wire::Nonce nonce{};                           // dialect 1: random, new for each run
  std::optional<crypto::Key> key;                // dialect 1
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
  // Of a session; a test that has begun by then is not cut off by it.
  Duration max_session_duration = 24h;
  std::size_t max_sessions = 4096;
  std::size_t max_sessions_per_address = 512;
  std::size_t max_sessions_per_network = 1024;  // a /24 of IPv4, a /64 of IPv6
  std::size_t max_unproven_sessions = 400;
  Duration max_test_duration = 1h;  // longer requests are granted this much
  // Dialect 1 only, which can be told what it gets.
  std::optional<BitRate> max_rate;          // of a test, in each direction
  std::optional<BitRate> max_total_rate;    // of all tests at once; further ones are told BUSY
  std::optional<ByteCount> max_test_bytes;  // of a test, in each direction
  std::uint8_t max_streams = 64;
  std::uint32_t max_payload = 65'507;
};

struct ServerConfig {
  ProtocolConfig protocol;
  std::vector<PortRange> port_ranges = std::vector(1, PortRange{{7000}, {8000}});
  ServerLimits limits;
  DialectChoice dialect = DialectChoice::kOriginal;
  std::vector<crypto::Key> keys;  // dialect 1
  bool key_required = false;      // nobody is served without one; dialect 1 only, then
  // Addresses outside of `allow` (where it is not empty) and those within `deny` get nothing.
  std::vector<IpNetwork> allow;
  std::vector<IpNetwork> deny;
};

}  // namespace wyndrvr::engine
