// OriginalPort's receiving side: from a datagram to the part that it is for, or to a counted drop.
//
// Each datagram of a buffer goes the whole way, but for data that follows in it on a datagram that
// was taken and is like that: it would go the same way, and is counted at once.

#include <algorithm>

#include "engine/original_port.hpp"
#include "wire/control.hpp"
#include "wire/data_run.hpp"
#include "wire/flow_control.hpp"
#include "wire/heartbeat.hpp"
#include "wire/test_result.hpp"

namespace wyndrvr::engine {

using wire::DropReason;
using wire::MessageType;

void OriginalPort::on_datagram(Instant now, const Datagram& datagram) {
  if (datagram.truncated) {
    drop(DropReason::kTooLong);
    return;
  }
  if (receiver_) {
    receiver_->on_socket_drops(socket_drops_.take(datagram.socket_drops, count_of(datagram)));
  }
  for_each_run(datagram, [&](const Datagram& segment, ByteView rest) -> std::size_t {
    return on_segment(now, segment) ? take_run(segment, rest) : 1;
  });
}

bool OriginalPort::on_segment(Instant now, const Datagram& segment) {
  const Verdict verdict = handle(now, segment);
  if (verdict) {
    silence_.on_heard(now, mail_);
  } else {
    drop(verdict.error());
  }
  return verdict.has_value();
}

// `first` was taken, and stands at the front of `datagrams`. Returns how many are dealt with, it
// included. What is like it can only be refused for its number. Before the path is proven, each
// datagram counts for what may be answered.
std::size_t OriginalPort::take_run(const Datagram& first, ByteView datagrams) {
  const std::size_t size = first.bytes.size();
  if (datagrams.size() == size || !path_.proven()) return 1;
  wire::Header header = wire::parse_packet(first.bytes)->header;
  if (header.type != MessageType::kBandwidthTest) return 1;
  const std::size_t count = wire::data_run_length<wire::kHeaderSize>(datagrams, size) - 1;
  if (count == 0) return 1;
  ++header.seq.value;
  const std::uint64_t taken =
      receiver_->on_run({.first = header, .count = count, .packet_size = size}, first);
  drop(DropReason::kBadSequence, count - taken);
  return 1 + count;
}

OriginalPort::Verdict OriginalPort::handle(Instant now, const Datagram& segment) {
  if (!path_.accepts(segment.from)) return std::unexpected(DropReason::kStranger);
  const auto packet = wire::parse_packet(segment.bytes);
  if (!packet) return std::unexpected(packet.error());
  return config_.side == Side::kClient ? handle_at_client(now, segment, *packet)
                                       : handle_at_server(now, segment, *packet);
}

OriginalPort::Verdict OriginalPort::handle_at_client(Instant now, const Datagram& segment,
                                                     const wire::Packet& packet) {
  switch (packet.header.type) {
    case MessageType::kHeartbeat1:
      return on_heartbeat_1(now, segment, packet);
    case MessageType::kFlowControl:
      if (config_.kind != PortKind::kUpload) break;
      return on_flow_control(now, packet);
    case MessageType::kControl:
      if (config_.kind != PortKind::kControl) break;
      return on_control(now, packet);
    case MessageType::kTestResult:
      if (config_.kind != PortKind::kControl) break;
      return on_test_result(packet);
    case MessageType::kHeartbeat0:
    case MessageType::kHeartbeat2:
    case MessageType::kBandwidthTest:
    case MessageType::kData:
      break;
  }
  return std::unexpected(DropReason::kWrongPort);
}

OriginalPort::Verdict OriginalPort::handle_at_server(Instant now, const Datagram& segment,
                                                     const wire::Packet& packet) {
  switch (packet.header.type) {
    case MessageType::kBandwidthTest:
      if (config_.kind != PortKind::kUpload) break;
      return on_bandwidth_test(now, segment, packet);
    case MessageType::kHeartbeat0:
      return on_heartbeat_0(segment, packet);
    case MessageType::kHeartbeat2:
      return on_heartbeat_2(segment, packet);
    case MessageType::kControl:
    case MessageType::kTestResult: {
      if (config_.kind != PortKind::kControl) break;
      // They carry no KEY: whoever sends them must have shown it in a heartbeat.
      if (path_.peer() != segment.from) return std::unexpected(DropReason::kStranger);
      const Verdict verdict = packet.header.type == MessageType::kControl ? on_control(now, packet)
                                                                          : on_test_result(packet);
      if (verdict) path_.on_valid(segment.from, segment.bytes.size());
      return verdict;
    }
    case MessageType::kHeartbeat1:
    case MessageType::kFlowControl:
    case MessageType::kData:
      break;
  }
  return std::unexpected(DropReason::kWrongPort);
}

OriginalPort::Verdict OriginalPort::on_heartbeat_0(const Datagram& segment,
                                                   const wire::Packet& packet) {
  if (packet.header.channel.value != config_.heartbeat_key) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  const auto heartbeat = wire::parse_heartbeat0(packet.body);
  if (!heartbeat) return std::unexpected(heartbeat.error());
  path_.on_valid(segment.from, segment.bytes.size());
  if (!heartbeat_server_->on_heartbeat(segment, *heartbeat)) {
    return std::unexpected(DropReason::kQueueFull);
  }
  return {};
}

OriginalPort::Verdict OriginalPort::on_heartbeat_1(Instant now, const Datagram& segment,
                                                   const wire::Packet& packet) {
  if (packet.header.channel.value != config_.heartbeat_key) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  const auto answer = wire::parse_heartbeat_reply(packet.body);
  if (!answer) return std::unexpected(answer.error());
  const auto answered = heartbeat_client_->on_answer(now, segment, *answer);
  if (!answered) return std::unexpected(answered.error());
  if (answered->first) {
    answered_ = true;
    mail_.post(Mailbox::kCoordinator, PortProven{answer->turnaround_ns.has_value()});
  }
  mail_.post(Mailbox::kCoordinator,
             HeartbeatSample{answered->round_trip.rtt, answered->round_trip.network_rtt,
                             answered->loaded});
  tell_when_done();
  return {};
}

OriginalPort::Verdict OriginalPort::on_heartbeat_2(const Datagram& segment,
                                                   const wire::Packet& packet) {
  if (packet.header.channel.value != config_.heartbeat_key) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  const auto confirmation = wire::parse_heartbeat_reply(packet.body);
  if (!confirmation) return std::unexpected(confirmation.error());
  const auto confirmed = heartbeat_server_->on_confirmation(
      segment, {confirmation->server, confirmation->turnaround_ns});
  if (!confirmed) return std::unexpected(confirmed.error());
  if (!path_.proven()) {
    path_.prove(segment.from);
    mail_.post(Mailbox::kCoordinator, PortProven{});
  }
  least_path_rtt_ = std::min(least_path_rtt_.value_or(confirmed->path_rtt), confirmed->path_rtt);
  tell_round_trip();
  mail_.post(Mailbox::kCoordinator, HeartbeatSample{confirmed->rtt, std::nullopt, false});
  return {};
}

// What is granted depends on it.
void OriginalPort::tell_round_trip() {
  if (receiver_ && least_path_rtt_) receiver_->on_round_trip(*least_path_rtt_);
}

OriginalPort::Verdict OriginalPort::on_flow_control(Instant now, const wire::Packet& packet) {
  if (!sender_) return std::unexpected(DropReason::kNoTest);
  if (packet.header.channel != sender_->channel()) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  std::array<wire::ClosedRange, wire::kMaxRanges> storage;
  const auto missing = wire::parse_flow_control(packet.body, storage);
  if (!missing) return std::unexpected(missing.error());
  if (config_.protocol.trace) {
    mail_.post(Mailbox::kCoordinator,
               Trace{TraceKind::kFlowControlReceived, sender_->channel(), {}});
  }
  sender_->on_report(now, *missing);
  return {};
}

OriginalPort::Verdict OriginalPort::on_bandwidth_test(Instant now, const Datagram& segment,
                                                      const wire::Packet& packet) {
  if (!receiver_) return std::unexpected(DropReason::kNoTest);
  if (packet.header.channel != receiver_->channel()) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  receiver_->on_read(now);
  const Verdict verdict = receiver_->on_packet(packet.header, segment.bytes.size(), segment);
  if (verdict) path_.on_valid(segment.from, segment.bytes.size());
  return verdict;
}

OriginalPort::Verdict OriginalPort::on_control(Instant now, const wire::Packet& packet) {
  const auto body = wire::parse_control(packet.body);
  if (!body) return std::unexpected(body.error());
  if (control_client_) {
    if (packet.header.channel != control_client_->channel()) {
      return std::unexpected(DropReason::kWrongChannel);
    }
    return control_client_->on_control(now, *body, mail_);
  }
  const auto* request = std::get_if<wire::Bwup>(&*body);
  if (request == nullptr) return std::unexpected(DropReason::kWrongPort);
  if (request->channel != packet.header.channel) return std::unexpected(DropReason::kWrongChannel);
  return control_server_->on_request(*request, mail_);
}

OriginalPort::Verdict OriginalPort::on_test_result(const wire::Packet& packet) {
  const auto body = wire::parse_test_result(packet.body);
  if (!body) return std::unexpected(body.error());
  if (control_client_) {
    if (packet.header.channel != control_client_->channel()) {
      return std::unexpected(DropReason::kWrongChannel);
    }
    return control_client_->on_result(*body, mail_);
  }
  if (packet.header.channel != control_server_->channel()) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  const auto* acknowledgement = std::get_if<wire::TestResultAck>(&*body);
  if (acknowledgement == nullptr) return std::unexpected(DropReason::kWrongPort);
  return control_server_->on_acknowledgement(*acknowledgement, mail_);
}

}  // namespace wyndrvr::engine
