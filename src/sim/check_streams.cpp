// The result of a dialect-1 test, number by number and over all its streams, recomputed from the
// datagrams that were sent and those that the receiving actor accepted.

#include <algorithm>
#include <unordered_set>

#include "sim/check_intervals.hpp"
#include "sim/checkers.hpp"

namespace wyndrvr::sim {
namespace {

using engine::PortKind;

// Figures of one stream's receiver by their definitions (docs/METRICS.md), added up.
struct StreamSums {
  std::uint64_t sent = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t retransmitted = 0;
  std::uint64_t refused = 0;
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t unique = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t reordered = 0;
  std::uint64_t expected = 0;
  std::uint64_t unique_numbers = 0;
  // Of what was sent and never accepted, by cause.
  std::uint64_t dropped = 0;  // by a link, or damaged there
  std::uint64_t unheard = 0;  // came too late, or from where the path was not (yet)
  std::uint64_t causeless = 0;
  Duration first_to_last{};  // of all streams
};

void add_received(StreamSums& sums, const StreamTruth& stream) {
  std::vector<bool> seen(stream.sent.sent.size());
  std::unordered_set<std::uint64_t> numbers;
  std::uint64_t next_expected = 0;
  for (const std::uint64_t serial : stream.received.order) {
    if (seen[serial]) {
      ++sums.duplicate;
      continue;
    }
    seen[serial] = true;
    ++sums.unique;
    if (serial < next_expected) ++sums.reordered;
    next_expected = std::max(next_expected, serial + 1);
    numbers.insert(stream.sent.sent[serial].number);
  }
  sums.received += stream.received.order.size();
  sums.received_bytes += stream.received.bytes;
  sums.expected += next_expected;
  sums.unique_numbers += numbers.size();
}

void add_causes(StreamSums& sums, const UploadTruth& sent) {
  for (const SentDatagram& datagram : sent.sent) {
    if (datagram.accepted) continue;
    if (datagram.link_dropped || datagram.refused || datagram.damaged) {
      ++sums.dropped;
    } else if (datagram.unheard) {
      ++sums.unheard;
    } else {
      ++sums.causeless;
    }
  }
}

class StreamsCheck {
 public:
  StreamsCheck(Environment& environment, const ClientHost& client, const ServerHost& server,
               const engine::TestOutcome& test)
      : environment_(environment), client_(client), test_(test), receiver_(*test.receiver) {
    const bool up = test.direction == PortKind::kUpload;
    const HostClock& clock = up ? server.clock() : client.clock();
    std::optional<TrueTime> first;
    std::optional<TrueTime> last;
    for (const StreamTruth& stream : client.truth().of(test.direction)) {
      sums_.sent += stream.sent.sent.size();
      sums_.sent_bytes += stream.sent.bytes;
      sums_.retransmitted += stream.sent.retransmitted;
      sums_.refused += stream.sent.refused;
      add_received(sums_, stream);
      add_causes(sums_, stream.sent);
      if (stream.received.order.empty()) continue;
      first = std::min(first.value_or(stream.received.first), stream.received.first);
      last = std::max(last.value_or(stream.received.last), stream.received.last);
    }
    if (first) sums_.first_to_last = clock.stretch(*last - *first);
  }

  void run() {
    equal("packets received", receiver_.packets, sums_.received);
    equal("octets received", receiver_.bytes, sums_.received_bytes);
    equal("unique packets", receiver_.unique, sums_.unique);
    equal("duplicates", receiver_.duplicate, sums_.duplicate);
    equal("reordered packets", receiver_.reordered, sums_.reordered);
    equal("highest numbers + 1", receiver_.expected, sums_.expected);
    equal("octets of different numbers", receiver_.unique_bytes,
          sums_.unique_numbers * test_.payload_bytes);
    equal("unique + duplicate", receiver_.unique + receiver_.duplicate, receiver_.packets);
    equal("numbers written off", receiver_.written_off, 0);
    equal("datagrams that vanished without a cause", sums_.causeless, 0);
    if (receiver_.retransmitted > sums_.retransmitted) {
      equal("retransmissions", receiver_.retransmitted, sums_.retransmitted);
    }
    if (is_sender_known()) check_sender();
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
    environment_.findings.add(environment_.queue.now(), "{}: {} test: {}: {} reported, truly {}",
                              client_.name(), engine::name(test_.direction), what, reported, truth);
  }

  // Only the sender can tell what was sent, and so what was lost. A result without it says so.
  [[nodiscard]] bool is_sender_known() const {
    if (test_.direction == PortKind::kDownload) {
      return client_.result().valid || test_.sender.packets > 0;
    }
    const PortLossTruth* loss = client_.loss();
    return loss == nullptr || loss->port != PortKind::kUpload || loss->said_all;
  }

  void check_sender() {
    equal("packets sent", test_.sender.packets, sums_.sent);
    equal("octets sent", test_.sender.bytes, sums_.sent_bytes);
    equal("numbers sent again", test_.sender.retransmitted, sums_.retransmitted);
    equal("refused by the sender's kernel", test_.sender.failed, sums_.refused);
    equal("lost", test_.sender.packets - receiver_.unique, sums_.dropped + sums_.unheard);
    environment_.coverage.count(Seen::kTestOneCauses);
  }

  void check_times() {
    const Duration off = receiver_.first_to_last - sums_.first_to_last;
    if (off <= 2ns && off >= -2ns) return;
    environment_.findings.add(environment_.queue.now(),
                              "{}: {} test: first to last datagram {} ns reported, truly {} ns",
                              client_.name(), engine::name(test_.direction),
                              receiver_.first_to_last.count(), sums_.first_to_last.count());
  }

  void count_coverage() {
    Coverage& coverage = environment_.coverage;
    coverage.count(Seen::kTestOneExact);
    coverage.count(Seen::kTestOneLoss, sums_.sent > receiver_.unique ? 1 : 0);
    coverage.count(Seen::kTestOneDownload, test_.direction == PortKind::kDownload ? 1 : 0);
    coverage.count(Seen::kTestOneStreams, test_.streams > 1 ? 1 : 0);
    coverage.count(Seen::kTestOneTagged, client_.scenario().config.terms.data_tags ? 1 : 0);
  }

  Environment& environment_;
  const ClientHost& client_;
  const engine::TestOutcome& test_;
  const engine::ReceiverTotals& receiver_;
  StreamSums sums_;
};

}  // namespace

void check_streams(Environment& environment, const ClientHost& client, const ServerHost& server) {
  for (const engine::TestOutcome& test : client.result().tests) {
    if (test.dialect != engine::Dialect::kOne || !test.has_result) continue;
    if (client.truth().tainted) continue;
    StreamsCheck(environment, client, server, test).run();
  }
}

}  // namespace wyndrvr::sim
