#include "app/test_figures.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "app/si_format.hpp"

namespace wyndrvr::app {
namespace {

// IP and UDP header of one datagram without options (RFC 791, RFC 8200, RFC 768).
std::uint64_t header_bytes(const IpAddress& address) {
  return address.is_v6() ? 40 + 8 : 20 + 8;
}

std::optional<double> rate_over(std::uint64_t bytes, Duration duration) {
  if (duration <= Duration::zero()) return std::nullopt;
  return rate_of({bytes}, duration).bps;
}

std::uint64_t difference_or_zero(std::uint64_t from, std::uint64_t less) {
  return from > less ? from - less : 0;
}

// The counters come from two hosts and may overlap, so each takes only what is left to explain.
LossCauses split_loss(std::uint64_t lost, std::uint64_t socket_drops, std::uint64_t failed) {
  LossCauses causes;
  causes.receiver_socket = std::min(socket_drops, lost);
  causes.sender_local = std::min(failed, lost - causes.receiver_socket);
  causes.network = lost - causes.receiver_socket - causes.sender_local;
  return causes;
}

// What the rates are made of: received in `TestFigures::duration`.
struct Counted {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
};

Counted add_receiver(TestFigures& figures, const engine::TestOutcome& outcome,
                     const engine::ReceiverTotals& receiver) {
  figures.received = receiver.packets;
  figures.unique = receiver.unique;
  figures.duplicate = receiver.duplicate;
  figures.reordered = receiver.reordered;
  if (!outcome.has_result) {
    // What was on its way when the test was cut short is not lost.
    if (!figures.sent) figures.lost = receiver.lost();
  } else if (figures.sent) {
    figures.lost = difference_or_zero(*figures.sent, receiver.unique);
    figures.causes = split_loss(*figures.lost, receiver.socket_drops, outcome.sender.failed);
  }
  figures.ecn_ce = receiver.ecn_ce;
  figures.jitter = receiver.jitter;
  figures.bytes_received = receiver.bytes;
  // Reports of a running test do not tell it.
  const bool told = outcome.has_result || receiver.first_to_last > Duration::zero();
  if (told && receiver.packets > 0) figures.duration = receiver.first_to_last;
  // n datagrams span n - 1 gaps, so the first one is not counted.
  const std::uint64_t first = receiver.first_bytes();
  const std::uint64_t goodput = difference_or_zero(receiver.unique_bytes, first);
  figures.goodput_bps = rate_over(goodput, receiver.first_to_last);
  return {receiver.bytes - first, difference_or_zero(receiver.packets, 1)};
}

Counted add_original_result(TestFigures& figures, const engine::TestOutcome& outcome) {
  figures.received = outcome.packets_received;
  figures.lost = difference_or_zero(outcome.sender.packets, outcome.packets_received);
  figures.bytes_received = outcome.bytes_received;
  figures.duration = outcome.reported_duration;
  // That is the length of the test, and none of gaps between datagrams: all of them count.
  return {outcome.bytes_received, outcome.packets_received};
}

// Where nothing has arrived at all, that is said already.
bool has_no_rate(const engine::TestOutcome& test) {
  return test.has_result && test.packets_received > 0 && !figures_of(test, std::nullopt).rate_bps;
}

std::string no_rate_text(const engine::TestOutcome& test) {
  std::string text =
      fmt::format("{} datagram{} of the {} arrived, which is too few for a rate",
                  test.packets_received, test.packets_received == 1 ? "" : "s",
                  test.direction == engine::PortKind::kDownload ? "download" : "upload");
  if (test.requested_rate && test.requested_rate->bps > 0 && test.payload_bytes > 0) {
    const double spacing = 8.0 * test.payload_bytes / test.requested_rate->bps;
    text += fmt::format(": at {} one of {} octets leaves every {:.3g} s",
                        format_rate(test.requested_rate->bps), test.payload_bytes, spacing);
  }
  return text + "; choose a higher --rate, a longer --duration or a shorter --payload";
}

}  // namespace

TestFigures figures_of(const engine::TestOutcome& outcome, const std::optional<Endpoint>& server) {
  TestFigures figures;
  if (outcome.sender_known) {
    figures.sent = outcome.sender.packets;
    figures.retransmitted = outcome.sender.retransmitted;
  }
  Counted counted;
  if (outcome.receiver) {
    counted = add_receiver(figures, outcome, *outcome.receiver);
  } else if (outcome.has_result) {
    counted = add_original_result(figures, outcome);
  } else {
    return figures;
  }
  if (!figures.duration) return figures;
  figures.rate_bps = rate_over(counted.bytes, *figures.duration);
  if (server) {
    const std::uint64_t headers = counted.packets * header_bytes(server->address);
    figures.ip_rate_bps = rate_over(counted.bytes + headers, *figures.duration);
  }
  return figures;
}

std::vector<engine::Problem> problems_of(const engine::SessionResult& result) {
  using enum engine::ProblemCode;
  std::vector<engine::Problem> problems = result.problems;
  const bool original = std::ranges::any_of(result.tests, [](const engine::TestOutcome& test) {
    return test.dialect == engine::Dialect::kOriginal && test.has_result && !test.receiver;
  });
  if (original &&
      std::ranges::find(problems, kNoReceiverDetail, &engine::Problem::code) == problems.end()) {
    problems.push_back({.code = kNoReceiverDetail,
                        .message = "the server gives no details of what it received: datagrams in "
                                   "flight at the end count as lost, duplicates hide losses"});
  }
  for (const engine::TestOutcome& test : result.tests) {
    if (has_no_rate(test)) problems.push_back({kNoRate, no_rate_text(test)});
  }
  return problems;
}

std::string_view name(engine::Dialect dialect) {
  return dialect == engine::Dialect::kOne ? "1" : "0.14";
}

std::string_view test_name(engine::PortKind direction) {
  return direction == engine::PortKind::kDownload ? "Download" : "Upload";
}

std::string_view code_of(engine::ProblemCode code) {
  using enum engine::ProblemCode;
  switch (code) {
    case kNoAnswer:
      return "W001";
    case kRefused:
      return "W002";
    case kPortUnproven:
      return "W003";
    case kNoAcknowledgement:
      return "W004";
    case kNoResult:
      return "W005";
    case kInterrupted:
      return "W006";
    case kServerSilent:
      return "W007";
    case kLocalFailure:
      return "W008";
    case kWorkerLost:
      return "W009";
    case kServerFailed:
      return "W010";
    case kNotInOriginal:
      return "W011";
    case kSustainedLoss:
      return "W012";
    case kNoReceiverDetail:
      return "W101";
    case kReceiverSocketDrops:
      return "W102";
    case kSenderDrops:
      return "W103";
    case kNoKernelStamps:
      return "W104";
    case kScheduleSlipped:
      return "W105";
    case kFaultInjection:
      return "W106";
    case kWrittenOff:
      return "W107";
    case kReceiverShrunk:
      return "W108";
    case engine::ProblemCode::kRateMissed:
      return "W109";
    case kNarrowLink:
      return "W110";
    case kDataStopped:
      return "W113";
    case kNotResolved:
      return "W115";
    case kNotBegun:
      return "W116";
    case kNoRate:
      return "W117";
  }
  return "W000";
}

}  // namespace wyndrvr::app
