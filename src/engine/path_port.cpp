#include "engine/path_port.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "engine/latency_tally.hpp"
#include "engine/overloaded.hpp"

namespace wyndrvr::engine {
namespace {

PacketGuard::Options guard_options(const PortConfig& config) {
  return {.side = config.side,
          .server_port = config.server_port,
          .keys = config.path->keys,
          .data_tags = config.path->terms.data_tags};
}

// Channels that a port may send on: those of heartbeats, and those of its streams.
std::size_t channel_count(const TestTerms& terms) {
  return std::max(wire::kLastHeartbeatChannel, terms.streams + wire::kFirstStreamChannel - 1) + 1;
}

}  // namespace

PathPort::PathPort(const PortConfig& config)
    : config_(config),
      mail_(mailbox_of(config.kind)),
      guard_(guard_options(config)),
      silence_(config.start, config.idle_timeout),
      next_seq_(channel_count(config.path->terms)) {
  const PathSetup& setup = *config.path;
  const WallClock clock(config.clock_offset);
  if (config.side == Side::kClient) {
    client_paths_.emplace(
        setup, ClientPaths::Options{.kind = config.kind,
                                    .server = config.peer,
                                    .heartbeat_interval = config.protocol.heartbeat_interval,
                                    .heartbeat_count = config.heartbeat_count,
                                    .clock = clock,
                                    .start = config.start});
  } else {
    server_paths_.emplace(setup, config.kind, clock, config.clients);
  }
  if (config.kind == PortKind::kControl) {
    control_ = std::make_unique<TestControl>(
        TestControl::Options{.side = config.side,
                             .terms = setup.terms,
                             .resend_interval = config.protocol.control_resend_interval});
  }
}

// --- messages ---

void PathPort::on_message(Instant now, Mailbox /*from*/, Mailbox /*to*/, const Message& message) {
  std::visit(Overloaded{
                 [&](const SetLoaded& set) {
                   if (client_paths_) client_paths_->measured().set_loaded(set.loaded);
                 },
                 [&](const Nudge&) {
                   if (client_paths_) client_paths_->send_now(now);
                 },
                 [&](const Quiet&) {
                   if (streams_) streams_->stop(now);
                   if (!client_paths_) return;
                   client_paths_->stop(now);
                   tell_when_done();
                 },
                 [&](const Drain&) {
                   // What is reported is final: nothing that it counts may leave after it.
                   if (client_paths_) client_paths_->stop(now);
                   if (streams_) streams_->stop(now);
                   report_totals(now);
                 },
                 [&](const StartTest& start) {
                   if (control_) return control_->start(start.plan, mail_);
                   start_test(start.plan);
                 },
                 [&](const PortReady& ready) {
                   if (control_) control_->on_port_ready(now, ready.channel);
                 },
                 [&](const TestFinished& finished) {
                   if (control_) control_->on_receiver_finished(now, finished, mail_);
                 },
                 [&](const SenderFinished& finished) {
                   if (control_) control_->on_sender_finished(finished);
                 },
                 [&](const TestBroken& broken) {
                   if (control_) control_->on_broken(now, broken, mail_);
                 },
                 [&](const Go& go) {
                   if (streams_ && streams_->channel() == go.channel) streams_->on_go(go);
                 },
                 [&](const StopTest& stop) {
                   if (streams_ && streams_->channel() == stop.channel) streams_->stop(now);
                 },
                 [](const auto&) {},  // for coordinators only
             },
             message);
}

void PathPort::start_test(const TestPlan& plan) {
  if (streams_ || plan.direction != config_.kind) return;
  const bool uploads = config_.kind == PortKind::kUpload;
  streams_ = std::make_unique<StreamSet>(
      StreamSet::Options{.plan = plan,
                         .terms = config_.path->terms,
                         .protocol = config_.protocol,
                         .sends = uploads == (config_.side == Side::kClient),
                         .receive_buffer = config_.receive_buffer,
                         .shares_socket = config_.side == Side::kServer,
                         .max_gaps = config_.max_gaps});
  if (least_round_trip_) streams_->on_round_trip(*least_round_trip_);
  for (std::size_t path = 0; path < config_.path->terms.streams; ++path) {
    if (const auto known = target(path)) streams_->set_path(path, known->nonce);
  }
  tell_when_ready();
}

void PathPort::on_round_trip(Duration round_trip) {
  least_round_trip_ = std::min(least_round_trip_.value_or(round_trip), round_trip);
  if (streams_) streams_->on_round_trip(round_trip);
}

void PathPort::tell_when_ready() {
  if (!streams_ || ready_told_ || !all_proven()) return;
  ready_told_ = true;
  mail_.post(Mailbox::kControl, PortReady{streams_->channel()});
}

void PathPort::tell_when_done() {
  if (heartbeats_done_ || !client_paths_->measured().done()) return;
  heartbeats_done_ = true;
  mail_.post(Mailbox::kCoordinator, HeartbeatsDone{});
}

void PathPort::report_totals(Instant now) {
  PortReport report;
  report.totals.drops = drops_;
  if (client_paths_) {
    report.totals.idle = client_paths_->measured().idle();
    report.totals.loaded = client_paths_->measured().loaded();
  } else {
    report.totals.idle = latency_of(server_paths_->rtt_ns());
  }
  if (streams_) {
    report.sender = streams_->sender_totals();
    report.receiver = streams_->receiver_totals(now);
  }
  mail_.post(Mailbox::kCoordinator, report);
}

// --- time ---

void PathPort::on_timer(Instant now) {
  if (client_paths_) {
    client_paths_->on_timer(now);
    nudge_silent_paths(now);
    if (silence_.take_probe(now)) client_paths_->nudge(0, now);
    next_look_ = now + ClientPaths::kNudgeInterval;
    tell_when_done();
  }
  if (control_) control_->on_timer(now, mail_);
  silence_.on_timer(now, mail_);
}

// A NAT between may have rebound: the next heartbeat's answer tells the path's new nonce, and its
// confirmation tells the server where the path is now.
void PathPort::nudge_silent_paths(Instant now) {
  if (streams_) {
    for (std::size_t path = 0; path < client_paths_->size(); ++path) {
      if (streams_->is_silent(path, now)) client_paths_->nudge(path, now);
    }
  }
  if (control_ && control_->waits_for_answer() && silence_.silent_for(now) >= StreamSet::kSilence) {
    client_paths_->nudge(0, now);
  }
}

void PathPort::on_peer_unreachable(Instant now, Unreachable cause) {
  if (config_.side == Side::kClient) silence_.on_unreachable(now, cause, mail_);
}

void PathPort::on_packet_too_big(Instant now, const TooBig& told) {
  if (!streams_) return;
  for (std::size_t path = 0; path < config_.path->terms.streams; ++path) {
    const auto known = target(path);
    if (!known || known->to != told.to || known->flow != told.flow) continue;
    return streams_->on_packet_too_big(now, path, told);
  }
}

std::optional<Deadline> PathPort::poll_deadline(Instant now) const {
  std::optional<Deadline> next;
  if (client_paths_) next = client_paths_->deadline();
  // Before the path is proven, nothing could be sent.
  if (control_ && target(0)) next = earlier(next, control_->deadline());
  if (streams_) {
    const auto deadline = streams_->deadline(now);
    next = earlier(next, deadline);
    // While a test runs, its paths are looked after. At an instant that stays where it is: the
    // other streams' datagrams put every other deadline off.
    if (client_paths_ && deadline) {
      next = earlier(next, Deadline{next_look_, DeadlineReason::kResend});
    }
  }
  return earlier(next, silence_.deadline());
}

// --- sending ---

void PathPort::on_transmit_stamp(std::uint32_t token, Instant stamp) {
  if (client_paths_) client_paths_->on_transmit_stamp(token, stamp);
  if (server_paths_) server_paths_->on_transmit_stamp(token, stamp);
}

void PathPort::on_send_failed(TransmitKind kind, std::uint64_t packets) {
  if (kind == TransmitKind::kData && streams_) streams_->on_send_failed(packets);
}

void PathPort::on_send_blocked(TransmitKind kind) {
  if (kind == TransmitKind::kData && streams_) streams_->on_send_blocked();
}

std::optional<PathTarget> PathPort::target(std::size_t path) const {
  return client_paths_ ? client_paths_->target(path) : server_paths_->target(path);
}

bool PathPort::all_proven() const {
  return client_paths_ ? client_paths_->all_proven() : server_paths_->all_proven();
}

MutableByteView PathPort::body_space() {
  return MutableByteView(packet_).subspan(wire::kPathPrefixSize);
}

Transmit PathPort::make_packet(wire::PathType type, ChannelId channel, std::size_t body_size,
                               const PathTarget& target) {
  std::uint64_t& seq = next_seq_.at(channel.value);
  wire::write_path_prefix(packet_.data(), {type, channel, {seq++}, 0}, target.nonce);
  const std::size_t size = guard_.seal(packet_, wire::kPathPrefixSize + body_size);
  Transmit transmit;
  transmit.to = target.to;
  transmit.flow = target.flow;
  transmit.bytes = ByteView(packet_).first(size);
  transmit.segment_size = static_cast<std::uint32_t>(size);
  return transmit;
}

std::optional<Transmit> PathPort::poll_transmit(Instant now, std::size_t most_data) {
  if (auto transmit = poll_heartbeat(now)) return transmit;
  if (auto transmit = poll_control(now)) return transmit;
  if (!streams_) return std::nullopt;
  streams_->poll_messages(now, mail_);
  if (auto transmit = poll_report(now)) return transmit;
  return poll_data(now, most_data);
}

std::optional<Transmit> PathPort::poll_heartbeat(Instant now) {
  const auto heartbeat =
      client_paths_ ? client_paths_->poll_heartbeat(now) : server_paths_->poll_heartbeat(now);
  if (!heartbeat) return std::nullopt;
  using Written = std::pair<wire::PathType, std::size_t>;
  const auto [type, size] =
      std::visit(Overloaded{[&](const wire::PathHeartbeat0& body) {
                              return Written{wire::PathType::kHeartbeat0,
                                             wire::write_path_heartbeat0(body_space(), body)};
                            },
                            [&](const wire::PathHeartbeat1& body) {
                              return Written{wire::PathType::kHeartbeat1,
                                             wire::write_path_heartbeat1(body_space(), body)};
                            },
                            [&](const wire::PathHeartbeat2& body) {
                              return Written{wire::PathType::kHeartbeat2,
                                             wire::write_path_heartbeat2(body_space(), body)};
                            }},
                 heartbeat->body);
  Transmit transmit =
      make_packet(type, plain_channel(config_.kind, config_.path->terms), size, heartbeat->target);
  transmit.stamp_token = heartbeat->token;
  return transmit;
}

std::optional<Transmit> PathPort::poll_control(Instant now) {
  if (!control_) return std::nullopt;
  const auto known = target(0);
  if (!known) return std::nullopt;
  const auto packet = control_->poll(now, mail_);
  if (!packet) return std::nullopt;
  const ChannelId channel = plain_channel(config_.kind, config_.path->terms);
  if (const auto* command = std::get_if<wire::TestCommand>(&*packet)) {
    const std::size_t size = wire::write_test_command(body_space(), *command);
    return make_packet(wire::PathType::kControl, channel, size, *known);
  }
  const std::size_t size =
      wire::write_result_message(body_space(), std::get<wire::ResultMessage>(*packet));
  return make_packet(wire::PathType::kResult, channel, size, *known);
}

std::optional<Transmit> PathPort::poll_report(Instant now) {
  // Taken even where there is nobody to tell: a report that stays due would keep the loop awake.
  while (const auto due = streams_->poll_report(now)) {
    const auto known = target(due->stream);
    if (!known) continue;
    const std::size_t size = wire::write_receiver_report(body_space(), due->report);
    return make_packet(wire::PathType::kReport, stream_channel(due->stream), size, *known);
  }
  return std::nullopt;
}

std::optional<Transmit> PathPort::poll_data(Instant now, std::size_t most) {
  const auto batch = streams_->poll_data(now, most);
  if (!batch) return std::nullopt;
  const auto known = target(batch->stream);
  WYNDRVR_CHECK(known.has_value());  // a stream has a sender only on a proven path
  guard_.tag(batch->data.bytes, batch->data.segment_size);
  Transmit transmit;
  transmit.to = known->to;
  transmit.flow = known->flow;
  transmit.bytes = batch->data.bytes;
  transmit.segment_size = batch->data.segment_size;
  transmit.kind = TransmitKind::kData;
  transmit.coalesce = batch->data.coalesce;
  return transmit;
}

void PathPort::drop(wire::DropReason reason, std::uint64_t datagrams) {
  drops_[static_cast<std::size_t>(reason)] += datagrams;
}

}  // namespace wyndrvr::engine
