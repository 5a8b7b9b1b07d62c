// PathPort's receiving side: from a datagram to the part that it is for, or to a counted drop.
//
// Each datagram of a buffer goes the whole way, but for data that follows in it on a datagram that
// was taken and is like that: it would go the same way, and is counted at once.

#include <algorithm>

#include "engine/path_port.hpp"
#include "wire/data_run.hpp"
#include "wire/path_data.hpp"

namespace wyndrvr::engine {

using wire::DropReason;
using wire::PathType;

void PathPort::on_datagram(Instant now, const Datagram& datagram) {
  if (datagram.truncated) {
    drop(DropReason::kTooLong);
    return;
  }
  if (streams_) streams_->on_buffer(stream_of(datagram), datagram);
  for_each_run(datagram, [&](const Datagram& segment, ByteView rest) -> std::size_t {
    return on_segment(now, segment) ? take_run(segment, rest) : 1;
  });
}

// The stream that a buffer's data is of, as far as it says so itself: where all streams come to one
// socket, whoever forges it can make one stream's loss look like another's.
std::optional<std::size_t> PathPort::stream_of(const Datagram& buffer) const {
  if (config_.side == Side::kClient) return buffer.flow;
  const std::size_t size = std::min<std::size_t>(stride_of(buffer), buffer.bytes.size());
  const auto packet = wire::parse_path_packet(buffer.bytes.first(size));
  if (!packet || packet->header.type != PathType::kData) return std::nullopt;
  return path_of_stream(packet->header.channel);
}

bool PathPort::on_segment(Instant now, const Datagram& segment) {
  const Verdict verdict = handle(now, segment);
  if (verdict) {
    silence_.on_heard(now, mail_);
  } else {
    drop(verdict.error());
  }
  return verdict.has_value();
}

// `first` was taken, and stands at the front of `datagrams`. Returns how many are dealt with, it
// included. What is like it, is granted, and has a right tag where there are tags, can only be
// refused for its number.
std::size_t PathPort::take_run(const Datagram& first, ByteView datagrams) {
  const std::size_t size = first.bytes.size();
  if (wire::path_type(first.bytes) != PathType::kData || datagrams.size() == size) return 1;
  const wire::PathHeader header = wire::parse_path_packet(first.bytes)->header;
  const std::size_t alike = wire::data_run_length<wire::kPathDataPrefixSize>(datagrams, size) - 1;
  const std::uint64_t granted =
      streams_->granted_from(path_of_stream(header.channel), header.seq.value + 1, size);
  const std::size_t count =
      guard_.open_data(datagrams.subspan(size), size, std::min<std::uint64_t>(alike, granted));
  if (count == 0) return 1;
  const DataRun run{.first = {{}, header.channel, {header.seq.value + 1}, header.offset},
                    .count = count,
                    .packet_size = size};
  const std::uint64_t taken = streams_->on_run(path_of_stream(header.channel), run, first);
  drop(DropReason::kBadSequence, count - taken);
  return 1 + count;
}

PathPort::Verdict PathPort::handle(Instant now, const Datagram& segment) {
  const auto type = wire::path_type(segment.bytes);
  if (!type) return std::unexpected(type.error());
  const auto covered = guard_.open(*type, segment.bytes);
  if (!covered) return std::unexpected(covered.error());
  const auto packet = wire::parse_path_packet(*covered);
  if (!packet) return std::unexpected(packet.error());
  if (!guard_.accept(*packet)) return std::unexpected(DropReason::kReplayed);
  return dispatch(now, segment, *packet);
}

PathPort::Verdict PathPort::dispatch(Instant now, const Datagram& segment,
                                     const wire::PathPacket& packet) {
  switch (packet.header.type) {
    case PathType::kHeartbeat0:
    case PathType::kHeartbeat1:
    case PathType::kHeartbeat2:
      if (packet.header.channel != plain_channel(config_.kind, config_.path->terms)) {
        return std::unexpected(DropReason::kWrongChannel);
      }
      return on_heartbeat(now, segment, packet);
    case PathType::kReport:
    case PathType::kData:
      if (config_.kind == PortKind::kControl) break;
      return on_stream_packet(now, segment, packet);
    case PathType::kControl:
    case PathType::kResult:
      if (config_.kind != PortKind::kControl) break;
      return on_control(now, segment, packet);
  }
  return std::unexpected(DropReason::kWrongPort);
}

std::optional<std::size_t> PathPort::identify(const Datagram& segment,
                                              const wire::PathPacket& packet) const {
  return client_paths_ ? client_paths_->identify(segment, packet.nonce)
                       : server_paths_->identify(segment, packet.nonce,
                                                 path_of_stream(packet.header.channel));
}

PathPort::Verdict PathPort::on_heartbeat(Instant now, const Datagram& segment,
                                         const wire::PathPacket& packet) {
  if (config_.side == Side::kClient) {
    if (packet.header.type != PathType::kHeartbeat1) {
      return std::unexpected(DropReason::kWrongPort);
    }
    return on_heartbeat_1(now, segment, packet);
  }
  switch (packet.header.type) {
    case PathType::kHeartbeat0:
      return server_paths_->on_heartbeat_0(segment, packet);
    case PathType::kHeartbeat2:
      return on_heartbeat_2(segment, packet);
    default:
      return std::unexpected(DropReason::kWrongPort);
  }
}

PathPort::Verdict PathPort::on_heartbeat_1(Instant now, const Datagram& segment,
                                           const wire::PathPacket& packet) {
  const auto answered = client_paths_->on_answer(now, segment, packet);
  if (!answered) return std::unexpected(answered.error());
  if (answered->first || answered->moved) on_path_changed(answered->path, answered->first);
  if (answered->path == 0) {
    // The peer's turnaround holds no data: a worker of its own may take milliseconds to begin.
    const RoundTrip& trip = answered->round_trip;
    on_round_trip(trip.network_rtt.value_or(trip.rtt));
    mail_.post(Mailbox::kCoordinator,
               HeartbeatSample{trip.rtt, trip.network_rtt, answered->loaded});
    tell_when_done();
  }
  return {};
}

PathPort::Verdict PathPort::on_heartbeat_2(const Datagram& segment,
                                           const wire::PathPacket& packet) {
  const auto confirmed = server_paths_->on_heartbeat_2(segment, packet);
  if (!confirmed) return std::unexpected(confirmed.error());
  if (confirmed->first || confirmed->moved) on_path_changed(confirmed->path, confirmed->first);
  if (confirmed->path == 0 && confirmed->path_rtt) on_round_trip(*confirmed->path_rtt);
  if (confirmed->path == 0 && confirmed->rtt) {
    mail_.post(Mailbox::kCoordinator, HeartbeatSample{*confirmed->rtt, std::nullopt, false});
  }
  return {};
}

void PathPort::on_path_changed(std::size_t path, bool first) {
  if (first && path == 0) mail_.post(Mailbox::kCoordinator, PortProven{true});
  if (!streams_) return;
  streams_->set_path(path, target(path)->nonce);
  tell_when_ready();
}

PathPort::Verdict PathPort::on_stream_packet(Instant now, const Datagram& segment,
                                             const wire::PathPacket& packet) {
  const auto path = identify(segment, packet);
  if (!path) return std::unexpected(DropReason::kWrongNonce);
  if (packet.header.channel != stream_channel(*path)) {
    return std::unexpected(DropReason::kWrongChannel);
  }
  if (!streams_) return std::unexpected(DropReason::kNoTest);
  if (packet.header.type == PathType::kReport) return streams_->on_report(now, *path, packet);
  return streams_->on_data(now, *path, packet, segment.bytes.size(), segment);
}

PathPort::Verdict PathPort::on_control(Instant now, const Datagram& segment,
                                       const wire::PathPacket& packet) {
  if (!identify(segment, packet)) return std::unexpected(DropReason::kWrongNonce);
  if (packet.header.type == PathType::kControl) {
    const auto command = wire::parse_test_command(packet.body);
    if (!command) return std::unexpected(command.error());
    return control_->on_command(now, *command, mail_);
  }
  const auto result = wire::parse_result_message(packet.body);
  if (!result) return std::unexpected(result.error());
  return control_->on_result(*result, mail_);
}

}  // namespace wyndrvr::engine
