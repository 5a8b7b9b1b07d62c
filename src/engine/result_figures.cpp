#include "engine/result_figures.hpp"

#include <algorithm>

namespace wyndrvr::engine {

wire::ReceiverResult result_of(wire::TestNumber test, const ReceiverTotals& totals) {
  wire::ReceiverResult result;
  result.test = test;
  result.figures.time = std::max(totals.elapsed, Duration(0));
  result.figures.datagrams = totals.packets;
  result.figures.unique = totals.unique;
  result.figures.duplicate = totals.duplicate;
  result.figures.reordered = totals.reordered;
  result.figures.expected = totals.expected;
  result.figures.octets = {totals.bytes};
  result.figures.written_off = totals.written_off;
  result.figures.socket_drops = totals.socket_drops;
  result.figures.delay_variation = totals.jitter.value_or(Duration(0));
  result.figures.ecn_ce = totals.ecn_ce;
  result.first_to_last = std::max(totals.first_to_last, Duration(0));
  result.unique_octets = {totals.unique_bytes};
  result.retransmitted = totals.retransmitted;
  return result;
}

std::optional<ReceiverTotals> totals_of(const wire::ReceiverFigures& figures) {
  const bool plausible = figures.unique <= figures.expected &&
                         figures.unique <= figures.datagrams &&
                         figures.duplicate == figures.datagrams - figures.unique &&
                         figures.reordered <= figures.unique;
  if (!plausible) return std::nullopt;
  ReceiverTotals totals;
  totals.packets = figures.datagrams;
  totals.bytes = figures.octets.value;
  totals.unique = figures.unique;
  totals.duplicate = figures.duplicate;
  totals.reordered = figures.reordered;
  totals.expected = figures.expected;
  totals.written_off = figures.written_off;
  totals.socket_drops = figures.socket_drops;
  // It takes two datagrams to tell, and 0 is then what was measured.
  if (figures.datagrams > 1) totals.jitter = figures.delay_variation;
  totals.ecn_ce = figures.ecn_ce;
  totals.elapsed = figures.time;
  return totals;
}

std::optional<ReceiverTotals> totals_of(const wire::ReceiverResult& result) {
  auto totals = totals_of(result.figures);
  if (!totals || result.unique_octets > result.figures.octets) return std::nullopt;
  totals->first_to_last = result.first_to_last;
  totals->unique_bytes = result.unique_octets.value;
  totals->retransmitted = result.retransmitted;
  return totals;
}

wire::SenderFigures figures_of(const SenderTotals& totals) {
  return {.datagrams = totals.packets,
          .octets = {totals.bytes},
          .retransmitted = totals.retransmitted,
          .refused = totals.failed};
}

std::optional<SenderTotals> totals_of(const wire::SenderFigures& figures) {
  if (figures.retransmitted > figures.datagrams || figures.refused > figures.datagrams) {
    return std::nullopt;
  }
  SenderTotals totals;
  totals.packets = figures.datagrams;
  totals.bytes = figures.octets.value;
  totals.retransmitted = figures.retransmitted;
  totals.failed = figures.refused;
  return totals;
}

namespace {

// The shorter one, where both are known.
std::uint32_t shorter(std::uint32_t one, std::uint32_t other) {
  return one == 0 || other == 0 ? std::max(one, other) : std::min(one, other);
}

}  // namespace

void add(ReceiverTotals& sum, const ReceiverTotals& stream) {
  sum.packets += stream.packets;
  sum.bytes += stream.bytes;
  sum.unique += stream.unique;
  sum.duplicate += stream.duplicate;
  sum.reordered += stream.reordered;
  sum.expected += stream.expected;
  sum.unique_bytes += stream.unique_bytes;
  sum.retransmitted += stream.retransmitted;
  sum.written_off += stream.written_off;
  sum.socket_drops += stream.socket_drops;
  if (stream.jitter) sum.jitter = std::max(sum.jitter.value_or(*stream.jitter), *stream.jitter);
  sum.shortened_to = shorter(sum.shortened_to, stream.shortened_to);
  sum.ecn_ce += stream.ecn_ce;
  sum.elapsed = std::max(sum.elapsed, stream.elapsed);
}

void add(SenderTotals& sum, const SenderTotals& stream) {
  sum.packets += stream.packets;
  sum.bytes += stream.bytes;
  sum.retransmitted += stream.retransmitted;
  sum.reported_lost += stream.reported_lost;
  sum.failed += stream.failed;
  sum.blocked += stream.blocked;
  sum.shortened_to = shorter(sum.shortened_to, stream.shortened_to);
  sum.target_bps += stream.target_bps;
}

}  // namespace wyndrvr::engine
