// Grants: what the receiver of data allows its sender (docs/PROTOCOL.md, "Grants").
//
// Granter is at the receiver: how much to grant, and when the next REPORT is due. Allowance is at
// the sender: how much may still leave. Both count octets of UDP payload from a test's beginning,
// lost and repeated datagrams included, and know neither packets nor sockets. Pure.
//
// Invariants: what is granted never falls; nothing may leave without a report that is valid, nor
// later than wire::kMaxGrantValidity after the last one arrived.
//
// Example, at the receiver and at the sender:
//   if (now >= granter.due(seen)) send_report(granter.grant(now, seen));
//   allowance.on_report(now, report.number, report.granted, report.valid_for);
//   if (allowance.may_send(now) >= datagram) allowance.on_sent(datagram);
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "base/units.hpp"

namespace wyndrvr::engine {

struct Grant {
  std::uint32_t report_number = 0;
  ByteCount granted;
  Duration valid_for{};
};

class Granter {
 public:
  // How long the window lasts at twice the present rate, and at the rate that is the limit.
  static constexpr Duration kWindow = 500ms;
  // At least this, whatever the limit: a window that no datagram fits into would stop the test.
  static constexpr ByteCount kMinWindow{256 * 1024};
  static constexpr Duration kReportInterval = 50ms;
  static constexpr Duration kFastReportInterval = 10ms;
  // While the sender may still ramp up, that long after the first report: it doubles its rate with
  // each, so every round trip has one, within these bounds.
  static constexpr Duration kRampTime = 1s;
  static constexpr Duration kRampReportInterval = 3ms;
  // But not before so much has come: reports are to take little of a slow path's way back.
  static constexpr ByteCount kWorthAReport{1000};
  // And this share of all that has come, or the ramp's reports would fill a slow way back; or so
  // much, which on fast paths is no time.
  static constexpr std::uint64_t kReportsADoubling = 4;
  static constexpr ByteCount kAlwaysWorthAReport{256 * 1024};
  // With nothing new to tell, where less than this arrives.
  static constexpr BitRate kSlow{500e3};
  static constexpr Duration kSlowReportInterval = 100ms;
  // And so long from so many streams on. Grants are valid for little longer.
  static constexpr Duration kIdleReportInterval = 200ms;
  static constexpr std::uint32_t kManyStreams = 4;
  // Where the receiver's buffer is what bounds the window: whenever half of it may have come at
  // twice the present rate, within these bounds. Each costs the sender a few microseconds.
  static constexpr Duration kMinUrgentReportInterval = 50us;
  static constexpr Duration kMaxUrgentReportInterval = 1ms;
  // Over so long, at least, the present rate is measured.
  static constexpr Duration kRateInterval = 3ms;
  // After so long without news all that was granted may be lost on the way, and the sender wait for
  // ever: from then on each report grants one datagram more. The first one that arrives shows what
  // was lost before it, and the window is whole again.
  static constexpr Duration kQuiet = 500ms;

  struct Options {
    std::optional<BitRate> limit{};  // granted for the test, or its share of one stream
    ByteCount datagram{};            // UDP payload of each one
    std::uint32_t streams = 1;       // of the test
    // What this stream may have waiting in the receiver's socket; absent: not known. No more is
    // granted than finds room there, if all that is under way comes at once: what the socket
    // throws away would look like the path's loss.
    std::optional<ByteCount> buffer{};
  };
  // What has been seen of the sender.
  struct Seen {
    ByteCount octets{};     // up to the highest number N, those not (yet) received included
    BitRate rate{};         // at which data arrives, over the last 100 ms: of a ramp, long ago
    Duration round_trip{};  // the least one seen: what is on the way is not in the buffer
  };

  explicit Granter(const Options& options) : options_(options) {}

  // Datagrams have become so long; `socket_buffer` as for usable_buffer().
  void on_datagram(ByteCount datagram, std::uint32_t socket_buffer);

  // When the next report is to be sent, at once (Instant::min()) if none has been. May come nearer
  // with every datagram, so ask again after each turn.
  [[nodiscard]] Instant due(const Seen& seen) const;
  // The grant of a report that is sent at `now`.
  [[nodiscard]] Grant grant(Instant now, const Seen& seen);

 private:
  [[nodiscard]] std::uint64_t window(const Seen& seen) const;
  [[nodiscard]] std::optional<double> room(const Seen& seen) const;
  [[nodiscard]] bool is_short(const Seen& seen) const;
  [[nodiscard]] Duration interval(const Seen& seen) const;
  [[nodiscard]] Duration usual_interval(const Seen& seen) const;
  // At which data arrives now.
  [[nodiscard]] BitRate rate(const Seen& seen) const { return std::max(seen.rate, recent_rate_); }
  void note_progress(Instant now, ByteCount octets);
  void note_rate(Instant now, ByteCount octets);

  Options options_;
  std::uint32_t report_number_ = 0;  // of the last report; 0: none yet
  Instant first_reported_at_;
  Instant reported_at_;
  std::uint64_t reported_octets_ = 0;  // seen then
  std::uint64_t granted_ = 0;
  std::uint64_t seen_octets_ = 0;
  Instant progress_at_;  // the report that first told of `seen_octets_`
  Instant sampled_at_;
  std::uint64_t sampled_octets_ = 0;
  BitRate recent_rate_{};  // between the last two samples
};

// What a stream of datagrams of `payload` octets may have waiting in a socket whose receive buffer
// SO_RCVBUF says is of `granted` octets; absent for 0: not known.
[[nodiscard]] std::optional<ByteCount> usable_buffer(std::uint32_t granted, std::size_t payload);

class Allowance {
 public:
  // Returns whether the report is newer than all before it; an older or repeated one changes
  // nothing. Numbers do not wrap: 2^32 reports take two days and a half, and a test a day at most.
  // A validity above wire::kMaxGrantValidity counts as that.
  bool on_report(Instant now, std::uint32_t number, ByteCount granted, Duration valid_for);
  // `octets` were handed to the network; at most what may_send() allowed.
  void on_sent(ByteCount octets);

  // Octets that may leave at `now`; none from deadline() on.
  [[nodiscard]] ByteCount may_send(Instant now) const;
  // From when on nothing may leave without a further report; nothing before the first one.
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  struct Newest {
    std::uint32_t number = 0;
    Instant valid_until;
  };

  std::optional<Newest> newest_;
  ByteCount granted_;
  ByteCount sent_;
};

}  // namespace wyndrvr::engine
