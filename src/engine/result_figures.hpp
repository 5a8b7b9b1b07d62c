// Between the totals that the engine keeps and the figures that dialect 1 carries
// (docs/PROTOCOL.md, "REPORT" and "Result"), and sums of both over the streams of a test. Pure.
#pragma once

#include <optional>

#include "engine/totals.hpp"
#include "wire/receiver_report.hpp"

namespace wyndrvr::engine {

[[nodiscard]] wire::ReceiverResult result_of(wire::TestNumber test, const ReceiverTotals& totals);
// Nothing where the figures contradict one another: a peer may send any.
[[nodiscard]] std::optional<ReceiverTotals> totals_of(const wire::ReceiverFigures& figures);
[[nodiscard]] std::optional<ReceiverTotals> totals_of(const wire::ReceiverResult& result);

[[nodiscard]] wire::SenderFigures figures_of(const SenderTotals& totals);
// Nothing as above.
[[nodiscard]] std::optional<SenderTotals> totals_of(const wire::SenderFigures& figures);

// One more stream of the same test. Counts add up; `elapsed` and the delay variation are those of
// the stream where they are largest. `first_to_last` stays: lengths do not tell when each began.
void add(ReceiverTotals& sum, const ReceiverTotals& stream);
void add(SenderTotals& sum, const SenderTotals& stream);

}  // namespace wyndrvr::engine
