// Any value of the types that letters, reports and set-ups are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <rapidcheck.h>

#include "engine/message.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::ipc {

inline std::uint64_t draw_count() {
  return *rc::gen::arbitrary<std::uint64_t>();
}
inline Duration draw_duration() {
  return Duration(*rc::gen::arbitrary<std::int64_t>());
}
inline Instant draw_instant() {
  return Instant(draw_duration());
}
inline ByteCount draw_octets() {
  return {*rc::gen::arbitrary<std::uint64_t>()};
}
inline bool draw_bool() {
  return *rc::gen::arbitrary<bool>();
}
// Any but NaN, which is not equal to itself.
inline double draw_double() {
  const double number = *rc::gen::arbitrary<double>();
  return number == number ? number : 0;
}
inline ChannelId draw_channel() {
  return {*rc::gen::inRange<std::uint32_t>(0, ChannelId::kMax + 1)};
}
inline wire::IdText draw_text() {
  const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>('#', '['));
  return wire::IdText::from(std::string_view(text).substr(0, wire::IdText::kCapacity)).value();
}
template <class Draw>
auto maybe(Draw draw) -> std::optional<decltype(draw())> {
  if (!draw_bool()) return std::nullopt;
  return draw();
}

inline stats::LatencySummary draw_summary() {
  stats::LatencySummary summary;
  summary.count = draw_count();
  for (Duration* value : {&summary.min, &summary.mean, &summary.p50, &summary.p90, &summary.p95,
                          &summary.p99, &summary.p99_9, &summary.max}) {
    *value = draw_duration();
  }
  summary.stddev = maybe(draw_duration);
  return summary;
}

inline engine::LatencyTotals draw_latency() {
  engine::LatencyTotals totals;
  for (std::uint64_t* value : {&totals.sent, &totals.received, &totals.lost, &totals.skipped}) {
    *value = draw_count();
  }
  totals.rtt = maybe(draw_summary);
  totals.application_rtt = maybe(draw_summary);
  totals.network_rtt = maybe(draw_summary);
  totals.jitter = maybe(draw_duration);
  return totals;
}

inline engine::PortTotals draw_port_totals() {
  engine::PortTotals totals;
  totals.idle = draw_latency();
  totals.loaded = draw_latency();
  for (std::uint64_t& count : totals.drops) count = draw_count();
  totals.loop_lag = maybe(draw_summary);
  return totals;
}

inline engine::SenderTotals draw_sender() {
  engine::SenderTotals totals;
  for (std::uint64_t* value : {&totals.packets, &totals.bytes, &totals.retransmitted,
                               &totals.reported_lost, &totals.failed, &totals.blocked}) {
    *value = draw_count();
  }
  totals.shortened_to = *rc::gen::arbitrary<std::uint32_t>();
  totals.target_bps = draw_double();
  return totals;
}

inline engine::ReceiverTotals draw_receiver() {
  engine::ReceiverTotals totals;
  for (std::uint64_t* value :
       {&totals.packets, &totals.bytes, &totals.unique, &totals.duplicate, &totals.reordered,
        &totals.expected, &totals.unique_bytes, &totals.retransmitted, &totals.written_off,
        &totals.socket_drops, &totals.ecn_ce}) {
    *value = draw_count();
  }
  totals.jitter = maybe(draw_duration);
  totals.shortened_to = *rc::gen::arbitrary<std::uint32_t>();
  totals.first_to_last = draw_duration();
  totals.elapsed = draw_duration();
  return totals;
}

inline engine::PortKind draw_direction() {
  return draw_bool() ? engine::PortKind::kUpload : engine::PortKind::kDownload;
}

inline wire::StopReason draw_stop_reason() {
  return static_cast<wire::StopReason>(*rc::gen::inRange(1, int(wire::StopReason::kNoData) + 1));
}

inline engine::TestPlan draw_plan() {
  engine::TestPlan plan;
  plan.channel = draw_channel();
  plan.direction = draw_direction();
  plan.duration = draw_duration();
  plan.payload_bytes = *rc::gen::arbitrary<std::uint32_t>();
  plan.rate = maybe([] { return BitRate{draw_double()}; });
  plan.progress_interval = draw_duration();
  plan.ask_progress = draw_bool();
  return plan;
}

inline wire::ReceiverDetail draw_detail() {
  wire::ReceiverDetail detail;
  for (std::uint64_t* value :
       {&detail.unique, &detail.duplicate, &detail.reordered, &detail.highest, &detail.unique_bytes,
        &detail.written_off, &detail.first_to_last_ns, &detail.socket_drops}) {
    *value = draw_count();
  }
  return detail;
}

inline wire::TestResult draw_result() {
  wire::TestResult result;
  result.guid = draw_text();
  result.channel = draw_channel();
  result.bytes_received = draw_count();
  result.bandwidth_bps = draw_double();
  result.retransmit_count = draw_count();
  result.packet_count = draw_count();
  result.duration_s = draw_double();
  result.uid = draw_text();
  result.detail = maybe(draw_detail);
  return result;
}

// One of an enum's values up to `last`.
template <class Enum>
Enum draw_enum(Enum last) {
  return static_cast<Enum>(*rc::gen::inRange(0, static_cast<int>(last) + 1));
}

}  // namespace wyndrvr::ipc
