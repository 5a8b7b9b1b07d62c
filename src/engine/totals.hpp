// Cumulative figures that actors report: state, not events. The newest replaces the older ones, so
// losing one on the way does no harm.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "base/units.hpp"
#include "stats/latency_summary.hpp"
#include "wire/drop_reason.hpp"

namespace wyndrvr::engine {

// One end's sending half of a test.
struct SenderTotals {
  std::uint64_t packets = 0;        // datagrams handed to the network, retransmissions included
  std::uint64_t bytes = 0;          // UDP payload octets of them
  std::uint64_t retransmitted = 0;  // of `packets`: numbers sent again
  std::uint64_t reported_lost = 0;  // numbers that the receiver's reports showed lost
  std::uint64_t failed = 0;         // of `packets`: refused by our own kernel, never on the wire
  std::uint64_t blocked = 0;        // times that the socket had no room and the sender waited
  // Octets of UDP payload of the newest datagrams, where a link on the way took no longer ones.
  std::uint32_t shortened_to = 0;  // 0: they are as long as the first
  double target_bps = 0;           // the rate controller's present target; 0 = not limited
  bool operator==(const SenderTotals&) const = default;
};

// One end's receiving half of a test. received = unique + duplicate, by datagram number N.
struct ReceiverTotals {
  std::uint64_t packets = 0;        // datagrams received
  std::uint64_t bytes = 0;          // whole packets, header included
  std::uint64_t unique = 0;         // different datagrams
  std::uint64_t duplicate = 0;      // copies made by the network
  std::uint64_t reordered = 0;      // unique, but behind a higher number (RFC 4737 section 3)
  std::uint64_t expected = 0;       // highest datagram number + 1
  std::uint64_t unique_bytes = 0;   // of different numbers E: goodput
  std::uint64_t retransmitted = 0;  // datagrams that carried a number sent before
  std::uint64_t written_off = 0;    // numbers given up at the gap set's bound
  std::uint64_t socket_drops = 0;   // thrown away by the kernel at the receiving socket
  // Dialect 1; absent where datagrams carry no time, or too few came.
  std::optional<Duration> jitter;  // RFC 3550 section 6.4.1, between batches of datagrams
  std::uint32_t shortened_to = 0;  // octets of the shortest; 0: they are as long as was granted
  std::uint64_t ecn_ce = 0;        // datagrams with Congestion Experienced (RFC 3168)
  Duration first_to_last{};        // first to last datagram, by arrival
  Duration elapsed{};              // since the test clock started
  bool operator==(const ReceiverTotals&) const = default;

  // Datagrams that were sent (as far as the highest number tells) and never came.
  [[nodiscard]] std::uint64_t lost() const { return expected - unique; }
  // Octets of the first datagram, taken to be as long as the others.
  [[nodiscard]] std::uint64_t first_bytes() const { return packets > 0 ? bytes / packets : 0; }
  // UDP payload of the time from the first datagram to the last. n datagrams span n - 1 gaps, so
  // the first one is not counted: its own gap is not in that time. Absent where there is no time.
  [[nodiscard]] std::optional<BitRate> rate() const {
    if (first_to_last <= Duration(0)) return std::nullopt;
    return rate_of({bytes - first_bytes()}, first_to_last);
  }
};

// Heartbeats of one port, in one phase (idle, or during a test). `sent` are those whose fate is
// known: sent = received + lost.
struct LatencyTotals {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t lost = 0;
  std::uint64_t skipped = 0;                             // schedule slots missed by this host
  std::optional<stats::LatencySummary> rtt;              // arrival by the kernel's stamp - T
  std::optional<stats::LatencySummary> application_rtt;  // read by the program - T
  std::optional<stats::LatencySummary> network_rtt;      // kernel stamps, less peer's turnaround
  std::optional<Duration> jitter;                        // RFC 3550 section 6.4.1, of the rtt
  bool operator==(const LatencyTotals&) const = default;
};

using DropCounts = std::array<std::uint64_t, static_cast<std::size_t>(wire::DropReason::kCount)>;

// Everything one port has to say at its end.
struct PortTotals {
  LatencyTotals idle;
  LatencyTotals loaded;  // during a test
  DropCounts drops{};
  // By how much the loop that runs the port met its deadlines late while data flowed. Only the
  // runtime knows; absent where no data did.
  std::optional<stats::LatencySummary> loop_lag{};
  bool operator==(const PortTotals&) const = default;
};

}  // namespace wyndrvr::engine
