// A client's whole run as data: what the text summary and the result document are made from.
//
// The fields follow `wyndrvr-result/1`; what was not measured is absent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "engine/port_kind.hpp"
#include "engine/totals.hpp"
#include "engine/unreachable.hpp"

namespace wyndrvr::engine {

// Stable codes of what limits the trust in a result (docs/METRICS.md lists them). `fatal` makes
// the run invalid.
enum class ProblemCode : std::uint8_t {
  kNoAnswer,             // W001: the server never answered
  kRefused,              // W002: the server refused the session
  kPortUnproven,         // W003: no heartbeat came back on a port
  kNoAcknowledgement,    // W004: the server never acknowledged the test
  kNoResult,             // W005: the server's result never came
  kInterrupted,          // W006: ended by the user before the test was done
  kServerSilent,         // W007: the server stopped answering
  kNoReceiverDetail,     // W101: an original server: loss may include what was in flight at the end
  kReceiverSocketDrops,  // W102: the receiving socket overflowed
  kSenderDrops,          // W103: datagrams were lost inside the sending host
  kNoKernelStamps,       // W104: round trips come from the program's clock
  kScheduleSlipped,      // W105: heartbeats were skipped because this host was late
  kFaultInjection,       // W106: test_drop_rate or test_delay was set
  kWrittenOff,           // W107: more gaps than the receiver tracks
  kLocalFailure,         // W008: a socket could not be opened
  kWorkerLost,           // W009: the loop that ran a port on this host is gone
  kServerFailed,         // W010: the server gave the session up because of a fault of its own
  kReceiverShrunk,       // W108: the server granted less than asked for
  kNotInOriginal,        // W011: the server speaks 0.14 only, which cannot do what was asked for
  kRateMissed,           // W109: less was sent than the rate that was asked for
  kSustainedLoss,        // W012: the test was ended because most of it was lost
  kNarrowLink,           // W110: a link on the way takes no datagrams as long as was asked for
  kDataStopped,          // W113: no data arrived in a long part at the end of a test
  kNotResolved,          // W115: the server's name has no address
  kNotBegun,             // W116: the run could not begin with what was asked for
  kNoRate,               // W117: too few datagrams arrived for a rate
};
inline constexpr ProblemCode kLastProblemCode = ProblemCode::kNoRate;

enum class Dialect : std::uint8_t { kOriginal, kOne };

struct Problem {
  ProblemCode code;
  std::string message;
  std::optional<Unreachable> cause{};  // app/ adds its words to the message
  std::uint64_t count = 1;  // how often it was found, so that nobody can make a list grow
};

struct Interval {
  Duration start{};  // since the test began
  Duration end{};
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t lost = 0;
};

// One direction of one test.
struct TestOutcome {
  Dialect dialect = Dialect::kOriginal;
  PortKind direction = PortKind::kUpload;
  bool both = false;  // a test in the other direction ran at the same time
  std::uint8_t streams = 1;
  std::optional<BitRate> requested_rate;  // absent: as fast as it went
  std::optional<BitRate> granted_rate;    // of a fixed rate
  bool octets_bound = false;              // it ended when so many octets had been sent
  Duration ran{};                         // that it was to last, as granted
  std::uint32_t payload_bytes = 0;        // UDP payload of one datagram, at the end
  std::uint32_t shortened_from = 0;       // that at first; 0: no link was too narrow for it
  Duration requested{};                   // length asked for
  SenderTotals sender;
  bool sender_known = true;  // false: a download whose server has not told what it sent
  bool broken = false;       // ended early, by sustained loss
  // Only our own servers say all of it. Without a result: what had come so far.
  std::optional<ReceiverTotals> receiver;
  // What every server's TEST_RESULT says.
  std::uint64_t bytes_received = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t retransmitted_by_receiver = 0;
  double reported_bps = 0;
  Duration reported_duration{};
  std::vector<Interval> intervals;  // at the receiver; add up to bytes_received
  bool has_result = false;          // false: only the sender's side is known
};

struct SessionResult {
  std::optional<Endpoint> server;  // that answered
  std::optional<Dialect> dialect;  // that it answered in
  Duration duration{};             // of the whole run
  std::array<std::optional<PortTotals>, kPortCount> ports;
  std::vector<TestOutcome> tests;
  std::vector<Problem> problems;
  bool valid = true;
};

}  // namespace wyndrvr::engine
