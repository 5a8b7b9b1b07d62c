// The numbers of a test that a report gives, derived once for the text and the document alike.
//
// What was not measured is absent. Pure. docs/METRICS.md defines each number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "engine/result.hpp"

namespace wyndrvr::app {

// Where datagrams were lost; the three add up to what was lost.
struct LossCauses {
  std::uint64_t network = 0;
  std::uint64_t receiver_socket = 0;
  std::uint64_t sender_local = 0;
  bool operator==(const LossCauses&) const = default;
};

struct TestFigures {
  std::optional<std::uint64_t> sent;
  std::optional<std::uint64_t> retransmitted;
  std::optional<std::uint64_t> received;
  std::optional<std::uint64_t> unique;
  std::optional<std::uint64_t> lost;
  std::optional<std::uint64_t> duplicate;
  std::optional<std::uint64_t> reordered;
  std::optional<LossCauses> causes;
  std::optional<std::uint64_t> ecn_ce;  // datagrams that the path marked
  std::optional<Duration> jitter;       // RFC 3550
  std::optional<std::uint64_t> bytes_received;
  std::optional<Duration> duration;   // first to last datagram; an original server's own figure
  std::optional<double> rate_bps;     // UDP payload
  std::optional<double> ip_rate_bps;  // with IP and UDP headers (RFC 9097)
  std::optional<double> goodput_bps;  // different payload only
};

// An original server (no `receiver`) gives bytes, datagrams and its duration; the rest is absent.
[[nodiscard]] TestFigures figures_of(const engine::TestOutcome& outcome,
                                     const std::optional<Endpoint>& server);

// The result's problems, and W101 where an original server's test has none yet.
[[nodiscard]] std::vector<engine::Problem> problems_of(const engine::SessionResult& result);

// "0.14", "1"
[[nodiscard]] std::string_view name(engine::Dialect dialect);
// "Upload", "Download"
[[nodiscard]] std::string_view test_name(engine::PortKind direction);
// "W001"
[[nodiscard]] std::string_view code_of(engine::ProblemCode code);

}  // namespace wyndrvr::app
