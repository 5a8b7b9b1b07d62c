// An upload's result, number by number, recomputed from the list of datagrams that the receiving
// actor accepted.

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "engine/data_receiver.hpp"
#include "sim/check_intervals.hpp"
#include "sim/checkers.hpp"

namespace wyndrvr::sim {
namespace {

// Figures of the receiver by their definitions (docs/METRICS.md), in the order of arrival.
struct Expected {
  std::uint64_t unique = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t reordered = 0;  // RFC 4737 section 3.3: s < NextExp
  std::uint64_t next_expected = 0;
  std::uint64_t unique_numbers = 0;
  std::uint64_t newest = 0;  // N of the first datagram that carried the highest number
};

Expected recompute(const UploadTruth& upload, const ReceivedTruth& received) {
  Expected expected;
  std::vector<bool> seen(upload.sent.size());
  std::unordered_set<std::uint64_t> numbers;
  std::uint64_t highest = 0;
  for (const std::uint64_t serial : received.order) {
    if (seen[serial]) {
      ++expected.duplicate;
      continue;
    }
    seen[serial] = true;
    ++expected.unique;
    if (serial < expected.next_expected) ++expected.reordered;
    expected.next_expected = std::max(expected.next_expected, serial + 1);
    const std::uint64_t number = upload.sent[serial].number;
    numbers.insert(number);
    if (number >= highest) {
      highest = number;
      expected.newest = serial;
    }
  }
  expected.unique_numbers = numbers.size();
  return expected;
}

class UploadCheck {
 public:
  UploadCheck(Environment& environment, const ClientHost& client, const ServerHost& server,
              const engine::TestOutcome& test, const SessionTruth& session)
      : environment_(environment),
        client_(client),
        server_(server),
        test_(test),
        receiver_(*test.receiver),
        received_(session.received),
        expected_(recompute(client.upload(), session.received)) {}

  void run() {
    equal("packets received", receiver_.packets, received_.order.size());
    equal("packets in the 0.14 result", test_.packets_received, receiver_.packets);
    equal("octets received", receiver_.bytes, received_.bytes);
    equal("octets in the 0.14 result", test_.bytes_received, receiver_.bytes);
    equal("unique packets", receiver_.unique, expected_.unique);
    equal("duplicates", receiver_.duplicate, expected_.duplicate);
    equal("reordered packets", receiver_.reordered, expected_.reordered);
    equal("highest number + 1", receiver_.expected, expected_.next_expected);
    equal("octets of different numbers", receiver_.unique_bytes,
          expected_.unique_numbers * test_.payload_bytes);
    equal("unique + duplicate", receiver_.unique + receiver_.duplicate, receiver_.packets);
    equal("numbers written off", receiver_.written_off, 0);
    if (is_sender_known()) {
      equal("packets sent", test_.sender.packets, client_.upload().sent.size());
      check_loss();
    } else if (client_.result().valid) {
      environment_.findings.add(environment_.queue.now(),
                                "{}: valid, though the sender's last figures are lost",
                                client_.name());
    }
    check_retransmissions();
    check_times();
    check_intervals(test_, receiver_,
                    [this](std::string_view what, std::uint64_t reported, std::uint64_t truth) {
                      equal(what, reported, truth);
                    });
    count_coverage();
  }

 private:
  void equal(std::string_view what, std::uint64_t reported, std::uint64_t truth) {
    if (reported == truth) return;
    environment_.findings.add(environment_.queue.now(), "{}: {}: {} reported, truly {}",
                              client_.name(), what, reported, truth);
  }

  // Only the sender can tell what was sent, and so what was lost.
  [[nodiscard]] bool is_sender_known() const {
    const PortLossTruth* loss = client_.loss();
    return loss == nullptr || loss->port != engine::PortKind::kUpload || loss->said_all;
  }

  // Every datagram sent has one fate: accepted, dropped on the way, or too late for the drain.
  void check_loss() {
    std::uint64_t dropped = 0;
    std::uint64_t late = 0;
    for (const SentDatagram& sent : client_.upload().sent) {
      if (sent.accepted) continue;
      if (sent.link_dropped || sent.refused || sent.damaged) {
        ++dropped;
      } else if (sent.unheard) {
        ++late;
      }
    }
    equal("lost", test_.sender.packets - receiver_.unique, dropped + late);
    if (late == 0) {
      environment_.coverage.count(Seen::kUploadLinkDropsExact);
      return;
    }
    environment_.coverage.count(Seen::kUploadDrainCut);
    if (drain_was_over()) return;
    environment_.findings.add(environment_.queue.now(),
                              "{}: {} datagrams came too late, though the receiver did not wait "
                              "until all was quiet",
                              client_.name(), late);
  }

  [[nodiscard]] bool drain_was_over() const {
    const Instant finished = server_.clock().local(*received_.finished);
    const engine::Go& go = *received_.go;
    const Instant end = go.start + go.duration;
    if (finished >= end + engine::DataReceiver::kMaxDrain) return true;
    const Instant last = std::max(server_.clock().local(received_.last), end);
    return finished - last >= engine::DataReceiver::kQuiet - 1us;
  }

  void check_retransmissions() {
    const auto& sent = client_.upload().sent;
    bool tail_lost = received_.order.empty();
    for (std::size_t serial = expected_.newest; serial < sent.size(); ++serial) {
      if (!sent[serial].accepted) tail_lost = true;
    }
    const std::uint64_t truth = client_.upload().retransmitted;
    if (!tail_lost || receiver_.retransmitted > truth) {
      equal("retransmissions", receiver_.retransmitted, truth);
    }
  }

  void check_times() {
    const Duration truth = server_.clock().stretch(received_.last - received_.first);
    const Duration off = receiver_.first_to_last - truth;
    if (off > 2ns || off < -2ns) {
      environment_.findings.add(environment_.queue.now(),
                                "{}: first to last datagram {} ns reported, truly {} ns",
                                client_.name(), receiver_.first_to_last.count(), truth.count());
    }
    const double rate =
        8.0 * static_cast<double>(test_.bytes_received) / to_seconds(test_.reported_duration);
    if (std::abs(rate - test_.reported_bps) > 1e-6 * rate + 1) {
      environment_.findings.add(environment_.queue.now(), "{}: rate {} reported for {}",
                                client_.name(), test_.reported_bps, rate);
    }
  }

  void count_coverage() {
    Coverage& coverage = environment_.coverage;
    coverage.count(Seen::kUploadExact);
    coverage.count(Seen::kUploadIntervals, test_.intervals.size());
    coverage.count(Seen::kUploadDuplicates, receiver_.duplicate > 0 ? 1 : 0);
    coverage.count(Seen::kUploadReordering, receiver_.reordered > 0 ? 1 : 0);
    coverage.count(Seen::kUploadRetransmission, receiver_.retransmitted > 0 ? 1 : 0);
    coverage.count(Seen::kUploadSendRefused, test_.sender.failed > 0 ? 1 : 0);
    coverage.count(Seen::kUploadLoss, client_.upload().sent.size() > receiver_.unique ? 1 : 0);
  }

  Environment& environment_;
  const ClientHost& client_;
  const ServerHost& server_;
  const engine::TestOutcome& test_;
  const engine::ReceiverTotals& receiver_;
  const ReceivedTruth& received_;
  Expected expected_;
};

// The session that received the client's upload; nothing where there were several.
const SessionTruth* receiving_session(const ClientHost& client, const ServerHost& server) {
  const SessionTruth* found = nullptr;
  for (const SessionTruth* session : server.sessions()) {
    const bool ours = session->client == client.main_endpoint() && session->received.finished;
    if (!ours) continue;
    if (found != nullptr) return nullptr;
    found = session;
  }
  return found;
}

}  // namespace

void check_upload(Environment& environment, const ClientHost& client, const ServerHost& server) {
  for (const engine::TestOutcome& test : client.result().tests) {
    if (!test.has_result || test.dialect != engine::Dialect::kOriginal) continue;
    environment.coverage.count(Seen::kUploadResult);
    const SessionTruth* session = receiving_session(client, server);
    if (client.upload().tainted || session == nullptr || session->tainted) continue;
    if (!test.receiver) {
      environment.findings.add(environment.queue.now(), "{}: our own server told no detail",
                               client.name());
      continue;
    }
    UploadCheck(environment, client, server, test, *session).run();
  }
}

}  // namespace wyndrvr::sim
