#include "engine/data_receiver.hpp"

#include <algorithm>

#include "engine/span_report.hpp"

namespace wyndrvr::engine {
namespace {

// The next slot of a fixed schedule after `now`; slots that were missed are skipped.
Instant next_slot(Instant slot, Duration interval, Instant now) {
  slot += interval;
  if (slot <= now) slot += ((now - slot) / interval + 1) * interval;
  return slot;
}

}  // namespace

DataReceiver::DataReceiver(const Options& options)
    : options_(options),
      datagrams_(kMaxGaps, options.gap_budget),
      numbers_(kMaxGaps, options.gap_budget),
      packet_size_(options.packet_size) {}

void DataReceiver::on_go(const Go& go) {
  if (go_) return;
  go_ = go;
  next_report_ = go.start;
  next_progress_ = go.start + options_.progress_interval;
}

std::expected<void, wire::DropReason> DataReceiver::on_packet(const wire::Header& header,
                                                              std::size_t packet_size,
                                                              const Datagram& datagram) {
  if (finished_) return std::unexpected(wire::DropReason::kNoTest);
  const std::uint64_t sequence = header.seq.value;
  // The offset is taken modulo 2^64: a sender whose working set has holes runs ahead of N.
  const std::uint64_t number = options_.reliable ? wire::represented_seq(header).value : sequence;
  if (sequence >= datagrams_.tail_begin() + kMaxJump ||
      (options_.reliable && number >= numbers_.tail_begin() + kMaxJump)) {
    return std::unexpected(wire::DropReason::kBadSequence);
  }

  ++packets_;
  bytes_ += packet_size;
  note_size(packet_size, sequence);
  const seq::Marked marked = datagrams_.mark(sequence);
  duplicate_ += marked.duplicate;
  reordered_ += marked.refilled;
  if (marked.duplicate == 0 && !options_.reliable) {
    unique_bytes_ += packet_size;
  } else if (marked.duplicate == 0) {
    const seq::Marked represented = numbers_.mark(number);
    if (represented.duplicate == 0) unique_bytes_ += packet_size;
    count_retransmission(number, sequence, header.offset, represented.fresh != 0);
  }
  note_arrival(datagram.arrival);
  return {};
}

std::uint64_t DataReceiver::on_run(const DataRun& run, const Datagram& datagram) {
  WYNDRVR_CHECK(!finished_);
  if (!marks_at_once(run)) return on_each(run, datagram);
  const std::uint64_t sequence = run.first.seq.value;
  packets_ += run.count;
  bytes_ += run.count * run.packet_size;
  note_size(run.packet_size, sequence);
  const seq::Marked marked = datagrams_.mark({sequence, sequence + run.count});
  duplicate_ += marked.duplicate;
  reordered_ += marked.refilled;
  std::uint64_t different = run.count - marked.duplicate;
  if (options_.reliable) {
    const std::uint64_t number = wire::represented_seq(run.first).value;
    const seq::Marked represented = numbers_.mark({number, number + run.count});
    different = run.count - represented.duplicate;
    if (represented.fresh > 0) {
      const std::uint64_t more = run.count - 1;
      count_retransmission(number + more, sequence + more, run.first.offset, true);
    } else {
      retransmitted_extra_ += run.count;
    }
  }
  unique_bytes_ += different * run.packet_size;
  note_arrival(datagram.arrival);
  return run.count;
}

// Whether the gap sets come to the same by the whole run as by its datagrams, and all of these are
// plausible. That is so for all but what was overtaken or copied, and for hostile numbers.
bool DataReceiver::marks_at_once(const DataRun& run) const {
  // As far as a number may jump ahead, and so that no sum of both wraps around.
  constexpr std::uint64_t kLast = seq::kEnd - kMaxJump;
  const auto plausible = [&run](std::uint64_t number, const seq::GapSet& set) {
    return run.count <= kMaxJump && number <= kLast - run.count && set.tail_begin() <= kLast &&
           number + run.count <= set.tail_begin() + kMaxJump;
  };
  const auto unlike_each = [](std::uint64_t number, const seq::GapSet& set) {
    return number < set.tail_begin() && set.full();
  };
  const std::uint64_t sequence = run.first.seq.value;
  if (!plausible(sequence, datagrams_) || unlike_each(sequence, datagrams_)) return false;
  if (!options_.reliable) return true;
  // A copy says nothing of its number E, nor of retransmissions.
  if (sequence < datagrams_.tail_begin()) return false;
  const std::uint64_t number = wire::represented_seq(run.first).value;
  return plausible(number, numbers_) && !unlike_each(number, numbers_);
}

std::uint64_t DataReceiver::on_each(const DataRun& run, const Datagram& datagram) {
  std::uint64_t taken = 0;
  wire::Header header = run.first;
  for (std::uint64_t i = 0; i < run.count; ++i) {
    if (on_packet(header, run.packet_size, datagram)) ++taken;
    ++header.seq.value;
  }
  return taken;
}

void DataReceiver::note_arrival(Instant arrival) {
  // Kernel stamps of one socket may go back a little.
  first_arrival_ = std::min(first_arrival_.value_or(arrival), arrival);
  last_arrival_ = std::max(last_arrival_.value_or(arrival), arrival);
}

// A datagram with a new number says in its offset how many retransmissions were sent before it;
// those after the newest such datagram are counted one by one.
void DataReceiver::count_retransmission(std::uint64_t number, std::uint64_t datagram_number,
                                        std::uint64_t offset, bool fresh) {
  if (fresh) {
    if (offset <= datagram_number) retransmitted_base_ = offset;
    // What overtook this datagram came after it and carried lower numbers: retransmissions, too.
    retransmitted_extra_ = datagrams_.unique_above(datagram_number, kMaxOvertakenGaps).value_or(0);
    newest_datagram_ = datagram_number;
  } else if (datagram_number > newest_datagram_ && number < numbers_.tail_begin()) {
    ++retransmitted_extra_;
  }
}

std::optional<std::span<const wire::ClosedRange>> DataReceiver::poll_report(Instant now) {
  if (!go_ || finished_ || options_.report_interval <= Duration(0) || now < next_report_) {
    return std::nullopt;
  }
  next_report_ = next_slot(next_report_, options_.report_interval, now);
  return missing(report_);
}

std::optional<ReceiverProgress> DataReceiver::poll_progress(Instant now) {
  if (!go_ || finished_ || options_.progress_interval <= Duration(0) || now < progress_due()) {
    return std::nullopt;
  }
  if (now >= next_progress_) {
    next_progress_ = next_slot(next_progress_, options_.progress_interval, now);
  }
  ReceiverProgress progress{options_.channel, totals()};
  progress.totals.elapsed = now - go_->start;
  if (granter_) progress.granted = granter_->grant(now, seen()).granted;
  return progress;
}

Instant DataReceiver::progress_due() const {
  return granter_ ? std::min(next_progress_, granter_->due(seen())) : next_progress_;
}

// The rate is the granter's own, between two progresses.
Granter::Seen DataReceiver::seen() const {
  return {.octets = expected_octets(), .round_trip = round_trip_};
}

void DataReceiver::note_size(std::size_t packet_size, std::uint64_t sequence) {
  if (packet_size != packet_size_) {
    // The numbers that are missing before it were as long as those before them.
    const std::uint64_t since = packet_size_ == 0 ? 0 : std::max(expected(), sequence);
    octets_before_ += (since - size_since_) * packet_size_;
    size_since_ = since;
    packet_size_ = packet_size;
    if (granter_) granter_->on_datagram({packet_size}, options_.socket_buffer);
  }
  if (granter_ || options_.progress_interval <= Duration(0)) return;
  granter_.emplace(Granter::Options{.limit = std::nullopt,
                                    .datagram = {packet_size},
                                    .buffer = usable_buffer(options_.socket_buffer, packet_size)});
}

void DataReceiver::stop(Instant now) {
  if (!stopped_at_) stopped_at_ = now;
}

std::span<const wire::ClosedRange> DataReceiver::missing(
    std::span<wire::ClosedRange> storage) const {
  std::array<seq::Range, wire::kMaxRanges> lowest;
  const std::size_t most = std::min(storage.size(), lowest.size());
  const std::size_t count = numbers_.lowest(std::span(lowest).first(most));
  return to_wire(std::span(lowest).first(count), storage);
}

Instant DataReceiver::end() const {
  Instant end = go_->start + go_->duration;
  if (options_.from_first) {
    const auto begin = test_begin_ ? test_begin_ : first_arrival_;
    end = begin ? std::max(*begin, go_->start) + go_->duration : end + kFirstPatience;
  }
  return stopped_at_ ? std::min(end, *stopped_at_) : end;
}

Instant DataReceiver::finish_at() const {
  const Instant newest = std::max({end(), last_arrival_.value_or(go_->start), last_read_});
  return std::min(newest + std::max(kQuiet, round_trip_), end() + kMaxDrain);
}

std::optional<TestFinished> DataReceiver::poll_finished(Instant now) {
  if (!go_ || finished_ || now < finish_at()) return std::nullopt;
  finished_ = true;
  return TestFinished{options_.channel, totals()};
}

ReceiverTotals DataReceiver::totals() const {
  ReceiverTotals totals;
  totals.packets = packets_;
  totals.bytes = bytes_;
  totals.unique = datagrams_.unique();
  totals.duplicate = duplicate_;
  totals.reordered = reordered_;
  totals.expected = datagrams_.tail_begin();
  totals.unique_bytes = unique_bytes_;
  totals.retransmitted = retransmitted_base_ + retransmitted_extra_;
  totals.written_off = datagrams_.written_off();
  totals.socket_drops = socket_drops_;
  if (first_arrival_) totals.first_to_last = *last_arrival_ - *first_arrival_;
  if (go_ && last_arrival_) totals.elapsed = std::max(*last_arrival_ - go_->start, Duration(0));
  return totals;
}

std::optional<Deadline> DataReceiver::deadline() const {
  if (!go_ || finished_) return std::nullopt;
  std::optional<Deadline> next = Deadline{finish_at(), DeadlineReason::kTestEnd};
  if (options_.report_interval > Duration(0)) {
    next = earlier(next, Deadline{next_report_, DeadlineReason::kReport});
  }
  if (options_.progress_interval <= Duration(0)) return next;
  return earlier(next, Deadline{progress_due(), DeadlineReason::kProgress});
}

}  // namespace wyndrvr::engine
