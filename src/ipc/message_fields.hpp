// The fields of every message, and of a letter, in the order in which they travel.
#pragma once

#include "engine/message.hpp"
#include "ipc/archive.hpp"
#include "ipc/message_codec.hpp"

namespace wyndrvr::ipc {

// --- parts of messages ---
template <class Archive>
void transfer(Archive& archive, stats::LatencySummary& v) {
  transfer_all(archive, v.count, v.min, v.mean, v.p50, v.p90, v.p95, v.p99, v.p99_9, v.max,
               v.stddev);
}
template <class Archive>
void transfer(Archive& archive, engine::LatencyTotals& v) {
  transfer_all(archive, v.sent, v.received, v.lost, v.skipped, v.rtt, v.application_rtt,
               v.network_rtt, v.jitter);
}
template <class Archive>
void transfer(Archive& archive, engine::PortTotals& v) {
  transfer_all(archive, v.idle, v.loaded, v.drops, v.loop_lag);
}
template <class Archive>
void transfer(Archive& archive, engine::SenderTotals& v) {
  transfer_all(archive, v.packets, v.bytes, v.retransmitted, v.reported_lost, v.failed, v.blocked,
               v.shortened_to, v.target_bps);
}
template <class Archive>
void transfer(Archive& archive, engine::ReceiverTotals& v) {
  transfer_all(archive, v.packets, v.bytes, v.unique, v.duplicate, v.reordered, v.expected,
               v.unique_bytes, v.retransmitted, v.written_off, v.socket_drops, v.jitter,
               v.shortened_to, v.ecn_ce, v.first_to_last, v.elapsed);
}
template <class Archive>
void transfer(Archive& archive, engine::TestPlan& v) {
  transfer(archive, v.channel);
  transfer_enum(archive, v.direction, engine::PortKind::kDownload);
  transfer_all(archive, v.duration, v.payload_bytes, v.rate, v.progress_interval, v.ask_progress);
}
template <class Archive>
void transfer(Archive& archive, wire::ReceiverDetail& v) {
  transfer_all(archive, v.unique, v.duplicate, v.reordered, v.highest, v.unique_bytes,
               v.written_off, v.first_to_last_ns, v.socket_drops);
}
template <class Archive>
void transfer(Archive& archive, wire::TestResult& v) {
  transfer_all(archive, v.guid, v.channel, v.bytes_received, v.bandwidth_bps, v.retransmit_count,
               v.packet_count, v.duration_s, v.uid, v.detail);
}

// --- messages ---
template <class Archive>
void transfer(Archive& archive, engine::StartTest& v) {
  transfer(archive, v.plan);
}
template <class Archive>
void transfer(Archive& archive, engine::PortReady& v) {
  transfer(archive, v.channel);
}
template <class Archive>
void transfer(Archive& archive, engine::Go& v) {
  transfer_all(archive, v.channel, v.start, v.duration);
}
template <class Archive>
void transfer(Archive& archive, engine::SetLoaded& v) {
  transfer(archive, v.loaded);
}
template <class Archive>
void transfer(Archive& archive, engine::PortProven& v) {
  transfer(archive, v.extended);
}
template <class Archive>
void transfer(Archive& archive, engine::HeartbeatSample& v) {
  transfer_all(archive, v.rtt, v.network_rtt, v.loaded);
}
template <class Archive>
void transfer(Archive& archive, engine::TestStarted& v) {
  transfer_all(archive, v.channel, v.start, v.duration, v.extended);
}
template <class Archive>
void transfer(Archive& archive, engine::TestFinished& v) {
  transfer_all(archive, v.channel, v.totals);
}
template <class Archive>
void transfer(Archive& archive, engine::ResultArrived& v) {
  transfer(archive, v.result);
}
template <class Archive>
void transfer(Archive& archive, engine::ResultDelivered& v) {
  transfer(archive, v.totals);
}
template <class Archive>
void transfer(Archive& archive, engine::TestFailed& v) {
  transfer_enum(archive, v.code, engine::kLastProblemCode);
}
template <class Archive>
void transfer(Archive& archive, engine::PortReport& v) {
  transfer_all(archive, v.totals, v.sender, v.receiver);
}
template <class Archive>
void transfer(Archive& archive, engine::Trace& v) {
  transfer_enum(archive, v.kind, engine::kLastTraceKind);
  transfer_all(archive, v.channel, v.detail);
}
template <class Archive>
void transfer(Archive& archive, engine::SenderProgress& v) {
  transfer_all(archive, v.channel, v.totals);
}
template <class Archive>
void transfer(Archive& archive, engine::ReceiverProgress& v) {
  transfer_all(archive, v.channel, v.totals, v.granted);
}

template <class Archive>
void transfer(Archive& archive, engine::StopTest& v) {
  transfer(archive, v.channel);
  transfer_enum(archive, v.reason, wire::StopReason::kNoData);
}
template <class Archive>
void transfer(Archive& archive, engine::SenderFinished& v) {
  transfer_all(archive, v.channel, v.totals);
}
template <class Archive>
void transfer(Archive& archive, engine::TestBroken& v) {
  transfer(archive, v.channel);
  transfer_enum(archive, v.reason, wire::StopReason::kNoData);
  transfer(archive, v.from_peer);
}
template <class Archive>
void transfer(Archive& archive, engine::TestReported& v) {
  transfer(archive, v.channel);
  transfer_enum(archive, v.direction, engine::PortKind::kDownload);
  transfer_all(archive, v.receiver, v.sender);
}

template <class Archive>
void transfer(Archive& archive, engine::PortTrouble& v) {
  transfer_enum(archive, v.cause, engine::kLastUnreachable);
}

// --- a letter ---
template <class Archive>
void transfer(Archive& archive, Letter& v) {
  transfer_enum(archive, v.from, engine::Mailbox::kCoordinator);
  transfer_enum(archive, v.to, engine::Mailbox::kCoordinator);
  transfer_variant(archive, v.message);
}

}  // namespace wyndrvr::ipc
