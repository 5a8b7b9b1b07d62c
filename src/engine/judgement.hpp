// What limits the trust in a finished run: the problems that its figures themselves show.
//
// Free functions over a client's results; they find problems, but never fail a run. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "engine/port_kind.hpp"
#include "engine/result.hpp"
#include "engine/totals.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::engine {

// The receiver's own figures, where the result has them and they agree with one another and with
// the rest of it: a server may send any.
[[nodiscard]] std::optional<ReceiverTotals> receiver_totals_of(const wire::TestResult& result);

// Whether a link on the way was too narrow for the datagrams that the test began with: of a test of
// `server`'s. It then has their length at its end.
void note_narrow_link(TestOutcome& test, const IpAddress& server, std::vector<Problem>& problems);
// Append to `problems`; a test without a result has none of its own.
void judge_test(const TestOutcome& test, std::vector<Problem>& problems);
// How long no data arrived at the end of a timed test, though data was sent: where that is more
// than kShortestGap, more than a tenth of the test, and kFewestUnarrived datagrams at least left
// after the last one that arrived. A sender that was held up, or sends one datagram a second, does
// not meet that by chance. Absent too where the receiver gives no details.
inline constexpr Duration kShortestGap = 1s;
inline constexpr std::uint64_t kFewestUnarrived = 10;
[[nodiscard]] std::optional<Duration> gap_at_end_of(const TestOutcome& test);
void judge_latency(const std::array<std::optional<PortTotals>, kPortCount>& ports,
                   std::vector<Problem>& problems);

}  // namespace wyndrvr::engine
