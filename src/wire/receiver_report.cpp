#include "wire/receiver_report.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/check.hpp"

namespace wyndrvr::wire {
namespace {

constexpr std::size_t kReportNumberSize = 4;
constexpr std::size_t kFigureSize = 8;
constexpr std::size_t kValiditySize = 2;
constexpr std::size_t kRangeCountSize = 2;

// Reads figures of a body whose length was checked, and remembers whether one was out of range.
class FigureReader {
 public:
  explicit FigureReader(ByteView body) : reader_(body) {}

  std::uint64_t number(std::size_t width = kFigureSize) {
    const auto value = reader_.take(width);
    WYNDRVR_CHECK(value.has_value());
    return *value;
  }
  Duration duration() {
    return Duration(static_cast<Duration::rep>(
        at_most(number(), std::uint64_t{std::numeric_limits<Duration::rep>::max()})));
  }
  BitRate rate() {
    constexpr auto kLimit = static_cast<std::uint64_t>(kMaxReportedRate.bps);
    return {static_cast<double>(at_most(number(), kLimit))};
  }
  Duration validity() {
    constexpr auto kLimit = static_cast<std::uint64_t>(kMaxGrantValidity / 1ms);
    return 1ms * static_cast<Duration::rep>(at_most(number(kValiditySize), kLimit));
  }
  [[nodiscard]] bool in_range() const { return in_range_; }

 private:
  std::uint64_t at_most(std::uint64_t value, std::uint64_t limit) {
    if (value > limit) in_range_ = false;
    return std::min(value, limit);
  }

  base::ByteReader reader_;
  bool in_range_ = true;
};

ReceiverFigures read_figures(FigureReader& reader) {
  ReceiverFigures figures;
  figures.time = reader.duration();
  figures.datagrams = reader.number();
  figures.unique = reader.number();
  figures.duplicate = reader.number();
  figures.reordered = reader.number();
  figures.expected = reader.number();
  figures.octets = {reader.number()};
  figures.written_off = reader.number();
  figures.socket_drops = reader.number();
  figures.receive_rate = reader.rate();
  figures.delay_variation = reader.duration();
  figures.delay_above_least = reader.duration();
  figures.ecn_ce = reader.number();
  return figures;
}

SenderFigures read_sender_figures(FigureReader& reader) {
  SenderFigures figures;
  figures.datagrams = reader.number();
  figures.octets = {reader.number()};
  figures.retransmitted = reader.number();
  figures.refused = reader.number();
  return figures;
}

ReceiverResult read_receiver_result(TestNumber test, FigureReader& reader) {
  ReceiverResult result{.test = test};
  result.figures = read_figures(reader);
  result.first_to_last = reader.duration();
  result.unique_octets = {reader.number()};
  result.retransmitted = reader.number();
  return result;
}

void put_duration(base::ByteWriter& writer, Duration duration) {
  WYNDRVR_CHECK(duration >= Duration::zero());
  writer.put(static_cast<std::uint64_t>(duration.count()), kFigureSize);
}

void put_rate(base::ByteWriter& writer, BitRate rate) {
  WYNDRVR_CHECK(rate.bps >= 0);
  const double rounded = std::round(std::min(rate, kMaxReportedRate).bps);
  writer.put(static_cast<std::uint64_t>(rounded), kFigureSize);
}

void put_figures(base::ByteWriter& writer, const ReceiverFigures& figures) {
  put_duration(writer, figures.time);
  writer.put(figures.datagrams, kFigureSize);
  writer.put(figures.unique, kFigureSize);
  writer.put(figures.duplicate, kFigureSize);
  writer.put(figures.reordered, kFigureSize);
  writer.put(figures.expected, kFigureSize);
  writer.put(figures.octets.value, kFigureSize);
  writer.put(figures.written_off, kFigureSize);
  writer.put(figures.socket_drops, kFigureSize);
  put_rate(writer, figures.receive_rate);
  put_duration(writer, figures.delay_variation);
  put_duration(writer, figures.delay_above_least);
  writer.put(figures.ecn_ce, kFigureSize);
}

void put_behind_test(base::ByteWriter& writer, const ReceiverResult& result) {
  put_figures(writer, result.figures);
  put_duration(writer, result.first_to_last);
  writer.put(result.unique_octets.value, kFigureSize);
  writer.put(result.retransmitted, kFigureSize);
}

void put_behind_test(base::ByteWriter& writer, const ResultReceived& received) {
  if (!received.sender) return;
  writer.put(received.sender->datagrams, kFigureSize);
  writer.put(received.sender->octets.value, kFigureSize);
  writer.put(received.sender->retransmitted, kFigureSize);
  writer.put(received.sender->refused, kFigureSize);
}

// Whether `next` may follow a range that ended with `last`, if there was one.
bool may_follow(std::optional<std::uint64_t> last, const ClosedRange& next) {
  return next.begin <= next.end && (!last || next.begin > *last);
}

}  // namespace

std::expected<ReceiverReport, DropReason> parse_receiver_report(
    ByteView body, std::span<ClosedRange, kMaxReportRanges> storage) {
  const std::unexpected bad(DropReason::kBadBody);
  if (body.size() < receiver_report_size(0)) return bad;
  FigureReader reader(body);
  ReceiverReport report;
  report.number = static_cast<std::uint32_t>(reader.number(kReportNumberSize));
  report.granted = {reader.number()};
  report.valid_for = reader.validity();
  report.figures = read_figures(reader);
  const auto count = static_cast<std::size_t>(reader.number(kRangeCountSize));
  if (!reader.in_range() || count > kMaxReportRanges) return bad;
  if (body.size() != receiver_report_size(count)) return bad;
  std::optional<std::uint64_t> last;
  for (ClosedRange& range : storage.first(count)) {
    range.begin = reader.number();
    range.end = reader.number();
    if (!may_follow(last, range)) return bad;
    last = range.end;
  }
  report.ranges = storage.first(count);
  return report;
}

std::expected<ResultMessage, DropReason> parse_result_message(ByteView body) {
  const std::unexpected bad(DropReason::kBadBody);
  if (body.size() < kTestNumberSize) return bad;
  FigureReader reader(body);
  const TestNumber test{static_cast<std::uint32_t>(reader.number(kTestNumberSize))};
  // The length alone tells the three apart.
  switch (body.size()) {
    case kResultReceivedSize:
      return ResultReceived{.test = test};
    case kMaxResultReceivedSize:
      return ResultReceived{.test = test, .sender = read_sender_figures(reader)};
    case kReceiverResultSize: {
      const ReceiverResult result = read_receiver_result(test, reader);
      if (!reader.in_range()) return bad;
      return result;
    }
    default:
      return bad;
  }
}

std::size_t write_receiver_report(MutableByteView out, const ReceiverReport& report) {
  WYNDRVR_CHECK(report.valid_for >= Duration::zero() && report.valid_for <= kMaxGrantValidity);
  WYNDRVR_CHECK(report.ranges.size() <= kMaxReportRanges);
  base::ByteWriter writer(out);
  writer.put(report.number, kReportNumberSize);
  writer.put(report.granted.value, kFigureSize);
  writer.put(static_cast<std::uint64_t>(report.valid_for / 1ms), kValiditySize);
  put_figures(writer, report.figures);
  writer.put(report.ranges.size(), kRangeCountSize);
  std::optional<std::uint64_t> last;
  for (const ClosedRange& range : report.ranges) {
    WYNDRVR_CHECK(may_follow(last, range));
    writer.put(range.begin, kFigureSize);
    writer.put(range.end, kFigureSize);
    last = range.end;
  }
  return writer.size();
}

std::size_t write_result_message(MutableByteView out, const ResultMessage& message) {
  base::ByteWriter writer(out);
  std::visit(
      [&](const auto& any) {
        writer.put(any.test.value, kTestNumberSize);
        put_behind_test(writer, any);
      },
      message);
  return writer.size();
}

}  // namespace wyndrvr::wire
