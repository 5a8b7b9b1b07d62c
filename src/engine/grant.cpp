#include "engine/grant.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"
#include "wire/receiver_report.hpp"

namespace wyndrvr::engine {
namespace {

// A sender may be twice as fast as it looks by the time that it hears of its grant.
constexpr double kHeadroom = 2;

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

double octets_of(BitRate rate, Duration time) {
  return rate.bps / 8 * to_seconds(time);
}

}  // namespace

// The kernel counts what a datagram takes in memory, at worst that of a frame's own buffer; and
// what SO_RCVBUF was set to is doubled for it (socket(7)).
std::optional<ByteCount> usable_buffer(std::uint32_t granted, std::size_t payload) {
  constexpr double kOverhead = 904;  // octets beside the payload: 2304 for a frame of 1400
  constexpr double kDoubled = 2;
  constexpr double kLeftFree = 0.25;  // for what the kernel counts and we do not know
  if (granted == 0) return std::nullopt;
  const auto octets = static_cast<double>(payload);
  const double share = octets / (octets + kOverhead);
  return ByteCount{static_cast<std::uint64_t>(kDoubled * granted * share * (1 - kLeftFree))};
}

void Granter::on_datagram(ByteCount datagram, std::uint32_t socket_buffer) {
  options_.datagram = datagram;
  options_.buffer = usable_buffer(socket_buffer, datagram.value);
}

// What the buffer holds, and what is still on the way when the grant arrives.
std::optional<double> Granter::room(const Seen& seen) const {
  if (!options_.buffer) return std::nullopt;
  return static_cast<double>(options_.buffer->value) +
         octets_of(rate(seen) * kHeadroom, seen.round_trip);
}

std::uint64_t Granter::window(const Seen& seen) const {
  // No wire rate comes near; keeps the conversion defined.
  constexpr double kMaxWindow = 0x1p62;
  double octets = octets_of(rate(seen) * kHeadroom, kWindow);
  if (options_.limit) octets = std::min(octets, octets_of(*options_.limit, kWindow));
  octets = std::max(octets, static_cast<double>(kMinWindow.value));
  if (const auto most = room(seen)) octets = std::min(octets, *most);
  // A window that no datagram fits into would stop the test.
  octets = std::clamp(octets, static_cast<double>(options_.datagram.value), kMaxWindow);
  return static_cast<std::uint64_t>(octets);
}

// What is left runs out before the next report at the present rate; or it is less than half of what
// would be granted now, as with a sender that ramps up: the rate that is seen here is an older one.
bool Granter::is_short(const Seen& seen) const {
  const std::uint64_t left = granted_ - std::min(granted_, seen.octets.value);
  return static_cast<double>(left) < octets_of(rate(seen), kReportInterval) ||
         left < window(seen) / 2;
}

Duration Granter::usual_interval(const Seen& seen) const {
  const std::uint64_t news = seen.octets.value - std::min(seen.octets.value, reported_octets_);
  const bool ramp = reported_at_ - first_reported_at_ < kRampTime;
  if (news == 0 && rate(seen) < kSlow) {
    if (options_.streams >= kManyStreams) return kIdleReportInterval;
    if (reported_octets_ > 0) return kSlowReportInterval;
  }
  if (!ramp || (news < kWorthAReport.value && rate(seen) < kSlow)) return kReportInterval;
  // As many reports a doubling at any rate: all of them pass a slow way back as well.
  const std::uint64_t most = kAlwaysWorthAReport.value;
  if (news < std::min(seen.octets.value / kReportsADoubling, most)) return kReportInterval;
  return std::clamp(seen.round_trip, kRampReportInterval, kReportInterval);
}

Duration Granter::interval(const Seen& seen) const {
  const Duration usual = usual_interval(seen);
  if (!is_short(seen)) return usual;
  const auto most = room(seen);
  const bool bounded = most && *most < octets_of(rate(seen) * kHeadroom, kFastReportInterval);
  if (!bounded) return std::min(usual, kFastReportInterval);
  const Duration half = from_seconds(*most / 2 / octets_of(rate(seen) * kHeadroom, 1s));
  return std::clamp(half, kMinUrgentReportInterval, kMaxUrgentReportInterval);
}

Instant Granter::due(const Seen& seen) const {
  if (report_number_ == 0) return Instant::min();
  return reported_at_ + interval(seen);
}

void Granter::note_progress(Instant now, ByteCount octets) {
  if (report_number_ > 0 && octets.value <= seen_octets_) return;
  seen_octets_ = octets.value;
  progress_at_ = now;
}

void Granter::note_rate(Instant now, ByteCount octets) {
  if (report_number_ > 0 && now - sampled_at_ < kRateInterval) return;
  const std::uint64_t more = octets.value - std::min(octets.value, sampled_octets_);
  if (report_number_ > 0) recent_rate_ = rate_of({more}, now - sampled_at_);
  sampled_at_ = now;
  sampled_octets_ = octets.value;
}

Grant Granter::grant(Instant now, const Seen& seen) {
  WYNDRVR_CHECK(report_number_ < std::numeric_limits<std::uint32_t>::max());
  note_progress(now, seen.octets);
  note_rate(now, seen.octets);
  if (now - progress_at_ >= kQuiet) granted_ = saturating_sum(granted_, options_.datagram.value);
  granted_ = std::max(granted_, saturating_sum(seen_octets_, window(seen)));
  if (report_number_ == 0) first_reported_at_ = now;
  ++report_number_;
  reported_at_ = now;
  reported_octets_ = seen.octets.value;
  return {
      .report_number = report_number_, .granted = {granted_}, .valid_for = wire::kMaxGrantValidity};
}

bool Allowance::on_report(Instant now, std::uint32_t number, ByteCount granted,
                          Duration valid_for) {
  if (newest_ && number <= newest_->number) return false;
  const Duration validity = std::clamp(valid_for, Duration::zero(), wire::kMaxGrantValidity);
  newest_ = Newest{.number = number, .valid_until = now + validity};
  granted_ = std::max(granted_, granted);
  return true;
}

void Allowance::on_sent(ByteCount octets) {
  WYNDRVR_CHECK(octets <= granted_ - sent_);
  sent_ += octets;
}

ByteCount Allowance::may_send(Instant now) const {
  if (!newest_ || now >= newest_->valid_until) return {0};
  return granted_ - sent_;
}

std::optional<Instant> Allowance::deadline() const {
  if (!newest_) return std::nullopt;
  return newest_->valid_until;
}

}  // namespace wyndrvr::engine
