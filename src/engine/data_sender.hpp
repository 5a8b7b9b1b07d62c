// The sending half of a test: which numbers to send next, at what rate, in which batches.
//
// Exists before its test begins, so that the first report finds it; sends from Go until the
// duration is over, or so many octets have left. Of a datagram it writes the header and, in dialect
// 1, path nonce and time; the rest stands in the buffer. Serves both dialects: they differ in what
// a datagram looks like, not in how it is chosen. Allocates nothing after construction but for the
// work per report.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "engine/adaptive_rate.hpp"
#include "engine/batch_buffer.hpp"
#include "engine/datagram.hpp"
#include "engine/message.hpp"
#include "engine/pacer.hpp"
#include "engine/totals.hpp"
#include "seq/loss_detector.hpp"
#include "seq/working_set.hpp"
#include "wire/flow_control.hpp"
#include "wire/path_packet.hpp"

namespace wyndrvr::engine {

class DataSender {
 public:
  static constexpr std::size_t kMaxBatchPackets = kMaxTransmitPackets;
  // Datagrams per call where they leave one by one.
  static constexpr std::size_t kMaxSeparatePackets = 16;
  // A paced batch is no more than this long at the present rate.
  static constexpr Duration kMaxBatchTime = 1ms;
  // From so many datagrams in that time on, and on a clean path only, several leave as one
  // super-packet: at 1400 octets that is 269 Mbit/s. Fewer leave one by one, evenly spaced.
  static constexpr double kCoalescePackets = 24;

  // Data that arrived so lately shows that the path carries it, whatever ICMP says.
  static constexpr Duration kArrivalPatience = 250ms;
  // Links on one way, each narrower than the one before it.
  static constexpr unsigned kMostShortenings = 4;

  struct Options {
    ChannelId channel;                      // that the datagrams carry
    std::size_t packet_size = 0;            // UDP payload of one
    std::optional<wire::PathNonce> path{};  // dialect 1: its nonce; absent: 0.14
    bool reliable = true;                   // lost numbers are sent again
    std::optional<BitRate> fixed_rate{};    // absent: as fast as it goes
    std::optional<BitRate> most_rate{};     // absent: no bound
    BitRate initial_rate = RateController::kInitial;
    // By how much of the time between two datagrams the first one waits, so that streams do not
    // send all at once. 0 to 1.
    double stagger = 0;
    FlightLimit* flight = nullptr;  // where the rate is not fixed; absent: its own,
    std::uint64_t first_window = FlightLimit::kFirstWindow;  // with this
    std::optional<ByteCount> octets{};                       // absent: no bound
    Duration progress_interval{};                            // zero: none wanted
    Duration adjustment_delay = 1s;
    std::uint32_t loss_buffer_length = 10;  // reports
    // Ranges of a report that are looked at, and that wait to be sent again: a receiver chooses how
    // many there are.
    std::size_t report_ranges = seq::LossDetector::kMaxReportRanges;
    std::size_t waiting_ranges = seq::WorkingSet::kMaxWaitingRanges;
  };
  struct Batch {
    MutableByteView bytes;
    std::uint32_t segment_size = 0;
    bool coalesce = false;
  };

  explicit DataSender(const Options& options);

  void on_go(const Go& go) { on_go(go, go.start); }
  // Begins late, at `now`: what is left of the test's time is its time.
  void on_go(const Go& go, Instant now);
  // FLOW_CONTROL: the closed ranges that the receiver misses.
  void on_report(Instant now, std::span<const wire::ClosedRange> missing);
  // Dialect 1: the closed ranges that a receiver misses, without its counts.
  void on_missing(std::span<const wire::ClosedRange> missing);
  // The path has moved, and has a new nonce.
  void set_path(wire::PathNonce nonce);
  // The receiver's own counts, from servers that send them. `judge`: the rate is to be judged by
  // them, which needs more than a few datagrams. `above_least`: as AdaptiveRate::on_counts.
  void on_receiver_progress(Instant now, const ReceiverTotals& totals, bool judge = true,
                            std::optional<Duration> above_least = std::nullopt);
  // 0.14: so many octets may have left in all. Never fewer than before.
  void on_granted(ByteCount octets) { granted_ = std::max(granted_.value_or(ByteCount{}), octets); }
  void on_send_failed(std::uint64_t packets) { totals_.failed += packets; }
  void on_send_blocked() { ++totals_.blocked; }
  // The UDP payload that is left by the link which ICMP tells of; nothing where that is no less
  // than at present, or not to be believed: nothing has left, data arrives, or it was believed
  // kMostShortenings times before.
  [[nodiscard]] std::optional<std::uint32_t> narrower(Instant now, const TooBig& told) const;
  // Datagrams are so long from the next batch on, and the rate is found anew.
  void shorten(Instant now, std::uint32_t payload);
  void stop() { stopped_ = true; }

  // The next batch, of `most` datagrams at most, in a buffer for datagrams of the same kind.
  [[nodiscard]] std::optional<Batch> poll(Instant now, BatchBuffer& buffer,
                                          std::size_t most = kMaxBatchPackets);
  [[nodiscard]] std::optional<SenderProgress> poll_progress(Instant now);
  [[nodiscard]] std::optional<Deadline> deadline(Instant now) const;

  // All that there was to send has left, or no time is left for it.
  [[nodiscard]] bool done(Instant now) const;
  // When the test's time is over; nothing before Go.
  [[nodiscard]] std::optional<Deadline> end_deadline() const;
  [[nodiscard]] bool begun() const { return go_.has_value(); }
  [[nodiscard]] std::size_t packet_size() const { return options_.packet_size; }
  [[nodiscard]] ChannelId channel() const { return options_.channel; }
  [[nodiscard]] SenderTotals totals() const;

 private:
  [[nodiscard]] bool sending(Instant now) const;
  [[nodiscard]] BitRate rate() const;
  // That a batch is long, at the present rate.
  [[nodiscard]] double packets_per_batch() const;
  [[nodiscard]] bool may_coalesce() const;
  [[nodiscard]] std::size_t batch_size(bool coalesce, std::size_t capacity) const;
  [[nodiscard]] std::uint64_t packets_left() const;
  [[nodiscard]] bool has_numbers() const;
  // Datagrams that may be under way beside those that are.
  [[nodiscard]] std::uint64_t packets_in_window(Instant now) const;
  // Datagrams that there is a grant for.
  [[nodiscard]] std::uint64_t packets_granted() const;
  // So many are known to have arrived.
  void note_arrived(Instant now, std::uint64_t datagrams);
  // The lowest numbers to be sent next, consecutive and of one kind.
  [[nodiscard]] seq::WorkingSet::Taken take(std::uint64_t max_count);
  void write_prefix();
  void write_headers(const seq::Range& numbers, std::byte* out, Instant now);

  Options options_;
  // Of every datagram: header, in dialect 1 with the nonce behind it. The numbers are 0 here.
  std::array<std::byte, wire::kPathPrefixSize> prefix_{};
  std::size_t prefix_size_ = 0;
  std::optional<Go> go_;
  std::optional<seq::WorkingSet> working_;
  seq::LossDetector losses_;
  std::optional<AdaptiveRate> rate_;
  std::optional<ByteCount> granted_;  // absent: as many as there are
  Pacer pacer_;
  SenderTotals totals_;
  std::uint64_t next_datagram_ = 0;  // N
  std::uint64_t arrived_ = 0;        // as the reports say
  std::optional<Instant> arrived_at_;
  unsigned shortenings_ = 0;
  // Octets that no grant counts: of datagrams that were too long, before any arrived.
  std::uint64_t ungranted_ = 0;
  Instant next_progress_;
  bool stopped_ = false;
};

}  // namespace wyndrvr::engine
