#include "engine/judgement.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/time.hpp"
#include "engine/narrow_link.hpp"

namespace wyndrvr::engine {
namespace {

bool plausible(const wire::ReceiverDetail& detail, const wire::TestResult& result) {
  return detail.unique <= detail.highest && detail.unique <= result.packet_count &&
         detail.duplicate == result.packet_count - detail.unique &&
         detail.first_to_last_ns <= static_cast<std::uint64_t>(Duration::max().count());
}

void judge_receiver(const ReceiverTotals& receiver, std::string_view host,
                    std::vector<Problem>& problems) {
  if (receiver.socket_drops > 0) {
    problems.push_back(
        {ProblemCode::kReceiverSocketDrops,
         fmt::format("the {}'s socket overflowed: {} datagrams lost there, not on the "
                     "path: its host reads too slowly, or has a small net.core.rmem_max",
                     host, receiver.socket_drops)});
  }
  if (receiver.written_off > 0) {
    problems.push_back({ProblemCode::kWrittenOff,
                        fmt::format("{} missing datagrams were given up: too many gaps to track",
                                    receiver.written_off)});
  }
}

// When the last datagram arrived, on the test's clock, or a little before: the time of a 0.14
// server's result is the test's, so its PROGRESS and the time from the first to the last datagram
// have to do.
Duration last_arrival_of(const TestOutcome& test) {
  if (test.dialect == Dialect::kOne) return test.receiver->elapsed;
  const auto last = std::ranges::find_if(test.intervals.rbegin(), test.intervals.rend(),
                                         [](const Interval& one) { return one.packets > 0; });
  const Duration told = last == test.intervals.rend() ? Duration(0) : last->start;
  return std::max(told, test.receiver->first_to_last);
}

// A fixed rate that was not kept is the sender's, whatever the path then did with it.
void judge_rate(const TestOutcome& test, std::vector<Problem>& problems) {
  constexpr double kKept = 0.95;
  if (!test.granted_rate || !test.sender_known || test.ran <= Duration(0)) return;
  // Those did not send for all of their time.
  if (test.octets_bound || test.broken) return;
  const double sent = rate_of({test.sender.bytes}, test.ran).bps;
  if (sent >= kKept * test.granted_rate->bps) return;
  problems.push_back(
      {ProblemCode::kRateMissed, fmt::format("only {:.4g} of {:.4g} Mbit/s were sent", sent / 1e6,
                                             test.granted_rate->bps / 1e6)});
}

}  // namespace

std::optional<ReceiverTotals> receiver_totals_of(const wire::TestResult& result) {
  if (!result.detail || !plausible(*result.detail, result)) return std::nullopt;
  const wire::ReceiverDetail& detail = *result.detail;
  ReceiverTotals totals;
  totals.packets = result.packet_count;
  totals.bytes = result.bytes_received;
  totals.unique = detail.unique;
  totals.duplicate = detail.duplicate;
  totals.reordered = detail.reordered;
  totals.expected = detail.highest;
  totals.unique_bytes = detail.unique_bytes;
  totals.retransmitted = result.retransmit_count;
  totals.written_off = detail.written_off;
  totals.socket_drops = detail.socket_drops;
  totals.first_to_last = Duration(static_cast<std::int64_t>(detail.first_to_last_ns));
  totals.elapsed = from_seconds(result.duration_s);
  return totals;
}

void note_narrow_link(TestOutcome& test, const IpAddress& server, std::vector<Problem>& problems) {
  // Each end knows it of its own side.
  std::uint32_t payload = test.sender.shortened_to;
  if (test.direction == PortKind::kDownload) {
    payload = test.receiver ? test.receiver->shortened_to : 0;
  }
  if (payload == 0 || payload >= test.payload_bytes) return;
  test.shortened_from = std::exchange(test.payload_bytes, payload);
  problems.push_back(
      {ProblemCode::kNarrowLink,
       fmt::format("a link on the way carries packets of {} octets only: payload of the {} "
                   "lowered from {} to {} octets",
                   payload + header_octets(server.is_v6()), name(test.direction),
                   test.shortened_from, payload)});
}

void judge_test(const TestOutcome& test, std::vector<Problem>& problems) {
  if (!test.has_result) return;
  const bool uploads = test.direction == PortKind::kUpload;
  if (test.receiver) {
    judge_receiver(*test.receiver, uploads ? "server" : "client", problems);
  } else {
    problems.push_back({ProblemCode::kNoReceiverDetail,
                        "the server tells only totals: its loss includes what was in flight when "
                        "it stopped counting"});
  }
  judge_rate(test, problems);
  if (test.sender.failed > 0) {
    problems.push_back({ProblemCode::kSenderDrops,
                        fmt::format("{} datagrams were lost inside {}", test.sender.failed,
                                    uploads ? "this host" : "the server's host")});
  }
}

std::optional<Duration> gap_at_end_of(const TestOutcome& test) {
  if (!test.has_result || !test.receiver || !test.sender_known) return std::nullopt;
  // Those need not have lasted for all of their time.
  if (test.octets_bound || test.broken) return std::nullopt;
  const ReceiverTotals& receiver = *test.receiver;
  if (receiver.packets == 0 || test.sender.packets < receiver.expected + kFewestUnarrived) {
    return std::nullopt;
  }
  const Duration gap = test.ran - last_arrival_of(test);
  if (gap <= kShortestGap || gap <= test.ran / 10) return std::nullopt;
  return gap;
}

void judge_latency(const std::array<std::optional<PortTotals>, kPortCount>& ports,
                   std::vector<Problem>& problems) {
  std::uint64_t skipped = 0;
  std::uint64_t sent = 0;
  for (const auto& port : ports) {
    if (!port) continue;
    skipped += port->idle.skipped + port->loaded.skipped;
    sent += port->idle.sent + port->loaded.sent;
  }
  if (skipped * 100 > sent) {
    problems.push_back(
        {ProblemCode::kScheduleSlipped,
         fmt::format("{} heartbeats were skipped because this host was late", skipped)});
  }
}

}  // namespace wyndrvr::engine
