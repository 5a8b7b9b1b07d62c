// The receiving half of a test: counts what arrives, tells the sender what is missing, and ends
// with totals.
//
// Two gap sets: one of datagram numbers N (loss, duplicates and reordering of the network), one of
// the numbers E that the datagrams stand for (what to report as missing, and goodput). Does not
// look into bodies. After the test's end it goes on counting until nothing has come for kQuiet, or
// for a round trip where that is longer, because what is still in flight is not lost; kMaxDrain
// bounds that.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "base/time.hpp"
#include "engine/datagram.hpp"
#include "engine/grant.hpp"
#include "engine/message.hpp"
#include "engine/totals.hpp"
#include "seq/gap_budget.hpp"
#include "seq/gap_set.hpp"
#include "wire/drop_reason.hpp"
#include "wire/flow_control.hpp"
#include "wire/header.hpp"

namespace wyndrvr::engine {

// Datagrams of one buffer, alike but for their numbers N and E, which rise by one from each to the
// next.
struct DataRun {
  wire::Header first;
  std::uint64_t count = 0;
  std::size_t packet_size = 0;  // octets of each
};

class DataReceiver {
 public:
  static constexpr Duration kQuiet = 100ms;
  static constexpr Duration kMaxDrain = 2s;
  // Gaps tracked in each set, where the budget has as many; beyond it the lowest are written off,
  // and counted.
  static constexpr std::size_t kMaxGaps = std::size_t{1} << 17U;
  // A number further ahead than this is not believed: more than a second at the kernel's limit.
  static constexpr std::uint64_t kMaxJump = std::uint64_t{1} << 24U;
  // Gaps looked through where a new number was overtaken by retransmissions.
  static constexpr std::size_t kMaxOvertakenGaps = 1024;

  // Where the sender's clock starts some time after this end's, the first datagram tells when; so
  // much longer than the test is waited for it.
  static constexpr Duration kFirstPatience = 1s;

  struct Options {
    ChannelId channel;
    Duration report_interval{};  // zero: reports are somebody else's business
    // Zero: none wanted. Each grants what may leave before the next, and comes as soon as that
    // needs.
    Duration progress_interval{};
    std::uint32_t socket_buffer = 0;  // as SO_RCVBUF tells; 0: not known
    bool reliable = true;             // datagrams carry numbers of their own, beside their count
    bool from_first = false;          // the test's time begins with its first datagram
    // Of its two gap sets, and of others; none: kMaxGaps alone bounds each.
    seq::GapBudget* gap_budget = nullptr;
    std::size_t packet_size = 0;  // octets of each datagram at first; 0: as the first one to come
  };

  explicit DataReceiver(const Options& options);

  void on_go(const Go& go);
  // With `from_first`, of several streams: the first datagram of any of them. Replaces this one's.
  void on_test_begun(Instant begin) { test_begin_ = begin; }
  [[nodiscard]] std::expected<void, wire::DropReason> on_packet(const wire::Header& header,
                                                                std::size_t packet_size,
                                                                const Datagram& datagram);
  // Does as on_packet of one after the other, but at the cost of one. Only before the end. Returns
  // how many were taken: the others have implausible numbers (kBadSequence).
  [[nodiscard]] std::uint64_t on_run(const DataRun& run, const Datagram& datagram);
  // The path's least round trip so far.
  void on_round_trip(Duration round_trip) { round_trip_ = round_trip; }
  // The program reads at `now` what may have arrived long before: more may wait behind it.
  void on_read(Instant now) { last_read_ = std::max(last_read_, now); }
  // So many more found the socket's buffer full (SocketDropMeter).
  void on_socket_drops(std::uint64_t datagrams) { socket_drops_ += datagrams; }

  // The missing ranges, where a report is due; lowest first, in a buffer of this object.
  [[nodiscard]] std::optional<std::span<const wire::ClosedRange>> poll_report(Instant now);
  [[nodiscard]] std::optional<ReceiverProgress> poll_progress(Instant now);
  // The final figures, once, when the test is over and drained.
  [[nodiscard]] std::optional<TestFinished> poll_finished(Instant now);
  [[nodiscard]] std::optional<Deadline> deadline() const;

  // Ends the test now, but for what is in flight.
  void stop(Instant now);
  // The missing ranges, lowest first, `storage` at most.
  [[nodiscard]] std::span<const wire::ClosedRange> missing(
      std::span<wire::ClosedRange> storage) const;
  [[nodiscard]] ReceiverTotals totals() const;
  // Highest datagram number + 1.
  [[nodiscard]] std::uint64_t expected() const { return datagrams_.tail_begin(); }
  // Octets of all numbers below that, those that have not come as well.
  [[nodiscard]] ByteCount expected_octets() const {
    return {octets_before_ + (expected() - size_since_) * packet_size_};
  }
  [[nodiscard]] const std::optional<Go>& go() const { return go_; }

  [[nodiscard]] ChannelId channel() const { return options_.channel; }
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  [[nodiscard]] Instant end() const;
  [[nodiscard]] Instant progress_due() const;
  [[nodiscard]] Granter::Seen seen() const;
  void note_size(std::size_t packet_size, std::uint64_t sequence);
  [[nodiscard]] Instant finish_at() const;
  [[nodiscard]] bool marks_at_once(const DataRun& run) const;
  [[nodiscard]] std::uint64_t on_each(const DataRun& run, const Datagram& datagram);
  void note_arrival(Instant arrival);
  void count_retransmission(std::uint64_t number, std::uint64_t datagram_number,
                            std::uint64_t offset, bool fresh);

  Options options_;
  std::optional<Go> go_;
  std::optional<Instant> test_begin_;
  std::optional<Instant> stopped_at_;
  seq::GapSet datagrams_;  // N
  seq::GapSet numbers_;    // E
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t unique_bytes_ = 0;
  std::uint64_t duplicate_ = 0;
  std::uint64_t reordered_ = 0;
  // Retransmissions sent: `base` before the newest number's datagram, `extra` seen after it.
  std::uint64_t retransmitted_base_ = 0;
  std::uint64_t retransmitted_extra_ = 0;
  std::uint64_t newest_datagram_ = 0;  // N of the datagram that carried the highest E
  std::uint64_t socket_drops_ = 0;
  std::optional<Instant> first_arrival_;
  std::optional<Instant> last_arrival_;
  Instant last_read_;
  Instant next_report_;
  std::optional<Granter> granter_;  // where progress is wanted, from the first datagram on
  std::size_t packet_size_;         // of the newest one
  std::uint64_t size_since_ = 0;    // all numbers from here on are taken to have that size
  std::uint64_t octets_before_ = 0;
  Duration round_trip_{};
  Instant next_progress_;  // on the schedule
  bool finished_ = false;
  std::array<wire::ClosedRange, wire::kMaxRanges> report_{};
};

}  // namespace wyndrvr::engine
