#include "engine/original_port.hpp"

#include "engine/overloaded.hpp"
#include "wire/data_body.hpp"

namespace wyndrvr::engine {
namespace {

PeerPath make_path(const PortConfig& config) {
  return config.side == Side::kClient ? PeerPath(config.peer) : PeerPath(config.peer.address);
}

// HEARTBEAT_1 without extensions: where T is one digit, and where it is as long as anybody's clock
// needs. Octets of UDP payload.
constexpr std::size_t kShortestReply = wire::kHeaderSize + 62;
constexpr std::size_t kUsualReply = wire::kHeaderSize + 80;

DataSender::Options sender_options(const TestPlan& plan, const ProtocolConfig& protocol) {
  return {.channel = plan.channel,
          .packet_size = wire::data_packet_size(plan.payload_bytes),
          .path = std::nullopt,
          .fixed_rate = plan.rate,
          .most_rate = std::nullopt,
          .octets = std::nullopt,
          .progress_interval = plan.progress_interval,
          .adjustment_delay = protocol.adjustment_delay,
          .loss_buffer_length = protocol.flow_control_rate};
}

}  // namespace

OriginalPort::OriginalPort(const PortConfig& config)
    : config_(config),
      path_(make_path(config)),
      mail_(mailbox_of(config.kind)),
      silence_(config.start, config.idle_timeout) {
  const WallClock clock(config.clock_offset);
  if (config.side == Side::kClient) {
    heartbeat_client_ = std::make_unique<HeartbeatClient>(HeartbeatClient::Options{
        config.protocol.heartbeat_interval, config.heartbeat_count, clock, config.start});
    if (config.kind == PortKind::kControl) {
      control_client_ = std::make_unique<ControlClient>(config.protocol.control_resend_interval,
                                                        config.protocol.trace);
    }
    return;
  }
  heartbeat_server_ = std::make_unique<HeartbeatServer>(clock);
  if (config.kind == PortKind::kControl) {
    control_server_ = std::make_unique<ControlServer>(ControlServer::Options{
        .resend_interval = config.protocol.result_resend_interval,
        .max_test_duration = config.max_test_duration,
        .heartbeat_key = config.heartbeat_key,
        .trace = config.protocol.trace,
        .seed = config.seed,
    });
  }
}

void OriginalPort::on_message(Instant now, Mailbox /*from*/, Mailbox /*to*/,
                              const Message& message) {
  std::visit(Overloaded{
                 [&](const StartTest& start) {
                   if (control_client_) {
                     control_client_->start(start.plan, mail_);
                   } else {
                     start_test(start.plan);
                   }
                 },
                 [&](const PortReady& ready) {
                   if (control_client_) control_client_->on_port_ready(now, ready.channel);
                   if (control_server_) control_server_->on_port_ready(ready.channel);
                 },
                 [&](const Go& go) {
                   if (sender_ && sender_->channel() == go.channel) sender_->on_go(go);
                   if (receiver_ && receiver_->channel() == go.channel) receiver_->on_go(go);
                 },
                 [&](const SetLoaded& set) {
                   if (heartbeat_client_) heartbeat_client_->set_loaded(set.loaded);
                 },
                 [&](const Nudge&) {
                   if (heartbeat_client_) heartbeat_client_->send_now(now);
                 },
                 [&](const Quiet&) {
                   if (sender_) sender_->stop();
                   if (!heartbeat_client_) return;
                   heartbeat_client_->stop(now);
                   tell_when_done();
                 },
                 [&](const Drain&) {
                   // What is reported is final: nothing that it counts may leave after it.
                   if (heartbeat_client_) heartbeat_client_->stop(now);
                   if (sender_) sender_->stop();
                   report_totals();
                 },
                 [&](const TestFinished& finished) {
                   if (control_server_) control_server_->on_finished(now, finished);
                 },
                 [&](const ReceiverProgress& progress) {
                   if (control_server_) control_server_->on_progress(progress);
                   if (!sender_) return;
                   if (progress.granted) sender_->on_granted(*progress.granted);
                   sender_->on_receiver_progress(now, progress.totals);
                 },
                 [](const auto&) {},  // for coordinators only
             },
             message);
}

// The data half of a test: the client's end sends, the server's receives.
void OriginalPort::start_test(const TestPlan& plan) {
  if (config_.kind != PortKind::kUpload) return;
  const ProtocolConfig& protocol = config_.protocol;
  if (config_.side == Side::kClient) {
    if (!sender_) {
      sender_ = std::make_unique<DataSender>(sender_options(plan, protocol));
      batch_.emplace(sender_->packet_size(), plan.payload_bytes);
    }
    if (sender_->channel() != plan.channel) return;
  } else {
    if (!receiver_) {
      gap_budget_.emplace(config_.max_gaps, 2);
      receiver_ = std::make_unique<DataReceiver>(
          DataReceiver::Options{.channel = plan.channel,
                                .report_interval = protocol.report_interval(),
                                .progress_interval = plan.progress_interval,
                                .socket_buffer = config_.receive_buffer,
                                .gap_budget = &*gap_budget_});
    }
    if (receiver_->channel() != plan.channel) return;
    tell_round_trip();
  }
  mail_.post(Mailbox::kControl, PortReady{plan.channel});
}

void OriginalPort::report_totals() {
  PortReport report;
  report.totals.drops = drops_;
  if (heartbeat_client_) {
    report.totals.idle = heartbeat_client_->idle();
    report.totals.loaded = heartbeat_client_->loaded();
  }
  if (heartbeat_server_) report.totals.idle = latency_of(heartbeat_server_->rtt_ns());
  if (sender_) report.sender = sender_->totals();
  mail_.post(Mailbox::kCoordinator, report);
}

void OriginalPort::on_timer(Instant now) {
  if (heartbeat_client_) {
    heartbeat_client_->on_timer(now);
    if (silence_.take_probe(now)) heartbeat_client_->send_now(now);
    tell_when_done();
  }
  if (control_client_) control_client_->on_timer(now, mail_);
  if (control_server_) control_server_->on_timer(now, mail_);
  silence_.on_timer(now, mail_);
}

void OriginalPort::tell_when_done() {
  if (heartbeats_done_ || !heartbeat_client_->done()) return;
  heartbeats_done_ = true;
  mail_.post(Mailbox::kCoordinator, HeartbeatsDone{});
}

void OriginalPort::on_peer_unreachable(Instant now, Unreachable cause) {
  if (config_.side == Side::kClient) silence_.on_unreachable(now, cause, mail_);
}

void OriginalPort::on_packet_too_big(Instant now, const TooBig& told) {
  if (!sender_ || told.to != config_.peer) return;
  if (const auto payload = sender_->narrower(now, told)) sender_->shorten(now, *payload);
}

void OriginalPort::on_transmit_stamp(std::uint32_t token, Instant stamp) {
  if (heartbeat_client_) heartbeat_client_->on_transmit_stamp(token, stamp);
  if (heartbeat_server_) heartbeat_server_->on_transmit_stamp(token, stamp);
}

void OriginalPort::on_send_failed(TransmitKind kind, std::uint64_t packets) {
  if (kind == TransmitKind::kData && sender_) sender_->on_send_failed(packets);
}

void OriginalPort::on_send_blocked(TransmitKind kind) {
  if (kind == TransmitKind::kData && sender_) sender_->on_send_blocked();
}

MutableByteView OriginalPort::body_space() {
  return MutableByteView(packet_).subspan(wire::kHeaderSize);
}

Transmit OriginalPort::make_packet(wire::MessageType type, ChannelId channel, std::size_t body_size,
                                   const Endpoint& to) {
  const bool heartbeat = channel.value == config_.heartbeat_key;
  std::uint64_t& seq = heartbeat ? heartbeat_seq_ : test_seq_;
  wire::write_header(packet_.data(), {type, channel, {seq++}, 0});
  const ByteView bytes = ByteView(packet_).first(wire::kHeaderSize + body_size);
  path_.on_sent(bytes.size());
  Transmit transmit;
  transmit.to = to;
  transmit.bytes = bytes;
  transmit.segment_size = static_cast<std::uint32_t>(bytes.size());
  return transmit;
}

std::optional<Transmit> OriginalPort::poll_transmit(Instant now, std::size_t most_data) {
  if (auto transmit = poll_heartbeat(now)) return transmit;
  if (auto transmit = poll_control(now)) return transmit;
  poll_data_messages(now);
  if (auto transmit = poll_report(now)) return transmit;
  return poll_data(now, most_data);
}

std::optional<Transmit> OriginalPort::poll_heartbeat(Instant now) {
  const ChannelId key{config_.heartbeat_key};
  if (heartbeat_server_) {
    // Before the proof an answer that is not paid for waits: for further heartbeats, or the proof.
    // Those of our own clients are padded, so theirs are on time.
    const std::size_t least = heartbeat_seq_ == 0 ? kShortestReply : kUsualReply;
    while (heartbeat_server_->has_reply() && path_.may_send(least)) {
      const auto reply = heartbeat_server_->poll_reply(now);
      const std::size_t size = write_affordable(reply->body);
      if (size == 0) {
        drop(wire::DropReason::kBudget);
        continue;
      }
      Transmit transmit = make_packet(wire::MessageType::kHeartbeat1, key, size, reply->to);
      transmit.stamp_token = reply->token;
      return transmit;
    }
  }
  if (!heartbeat_client_) return std::nullopt;
  if (const auto reply = heartbeat_client_->poll_reply(now)) {
    const std::size_t size = wire::write_heartbeat_reply(body_space(), *reply);
    return make_packet(wire::MessageType::kHeartbeat2, key, size, config_.peer);
  }
  if (const auto heartbeat = heartbeat_client_->poll_heartbeat(now)) {
    const std::size_t size = padded_left_ == 0
                                 ? wire::write_heartbeat0(body_space(), heartbeat->body)
                                 : wire::write_padded_heartbeat0(body_space(), heartbeat->body);
    if (answered_ && padded_left_ > 0) --padded_left_;
    Transmit transmit = make_packet(wire::MessageType::kHeartbeat0, key, size, config_.peer);
    transmit.stamp_token = heartbeat->token;
    return transmit;
  }
  return std::nullopt;
}

// Before the proof, our extensions are left out where what came in does not pay for them. Returns 0
// where it does not even pay for the rest.
std::size_t OriginalPort::write_affordable(wire::HeartbeatReply body) {
  const auto write = [&] {
    const std::size_t size = wire::write_heartbeat_reply(body_space(), body);
    return path_.may_send(wire::kHeaderSize + size) ? size : 0;
  };
  if (const std::size_t size = write(); size > 0) return size;
  body.earlier.reset();
  if (const std::size_t size = write(); size > 0) return size;
  body.turnaround_ns.reset();
  return write();
}

std::optional<Transmit> OriginalPort::poll_control(Instant now) {
  if (control_client_) {
    const auto packet = control_client_->poll(now, mail_);
    if (!packet) return std::nullopt;
    if (const auto* request = std::get_if<wire::Bwup>(&*packet)) {
      const std::size_t size = wire::write_control(body_space(), *request);
      return make_packet(wire::MessageType::kControl, request->channel, size, config_.peer);
    }
    const auto& acknowledgement = std::get<wire::TestResultAck>(*packet);
    const std::size_t size = wire::write_test_result(body_space(), acknowledgement);
    return make_packet(wire::MessageType::kTestResult, *control_client_->channel(), size,
                       config_.peer);
  }
  if (!control_server_ || !path_.peer()) return std::nullopt;
  // Held back until further BWUPs have paid for it, or the path is proven.
  constexpr std::size_t kAcknowledgement = wire::kHeaderSize + wire::kMaxBwupAckSize;
  if (control_server_->owes_acknowledgement() && !path_.may_send(kAcknowledgement)) {
    return std::nullopt;
  }
  while (const auto packet = control_server_->poll(now, mail_)) {
    const bool acknowledges = std::holds_alternative<wire::BwupAck>(*packet);
    if (!path_.may_send(acknowledges ? kAcknowledgement : wire::kMaxPacketSize)) {
      drop(wire::DropReason::kBudget);
      continue;
    }
    const bool is_result = std::holds_alternative<wire::TestResult>(*packet);
    const std::size_t size = std::visit(
        Overloaded{[&](const wire::TestResult& result) {
                     return wire::write_test_result(body_space(), result);
                   },
                   [&](const auto& control) { return wire::write_control(body_space(), control); }},
        *packet);
    return make_packet(is_result ? wire::MessageType::kTestResult : wire::MessageType::kControl,
                       *control_server_->channel(), size, *path_.peer());
  }
  return std::nullopt;
}

void OriginalPort::poll_data_messages(Instant now) {
  if (sender_) {
    if (const auto progress = sender_->poll_progress(now)) {
      mail_.post(Mailbox::kCoordinator, *progress);
    }
  }
  if (!receiver_) return;
  if (const auto progress = receiver_->poll_progress(now)) {
    mail_.post(Mailbox::kControl, *progress);
  }
  if (const auto finished = receiver_->poll_finished(now)) mail_.post(Mailbox::kControl, *finished);
}

std::optional<Transmit> OriginalPort::poll_report(Instant now) {
  if (!receiver_) return std::nullopt;
  // Taken even where there is nobody to tell: a report that stays due would keep the loop awake.
  const auto missing = receiver_->poll_report(now);
  if (!missing || !path_.peer()) return std::nullopt;
  if (!path_.may_send(wire::kHeaderSize + wire::flow_control_size(missing->size()))) {
    drop(wire::DropReason::kBudget);
    return std::nullopt;
  }
  const ChannelId channel = receiver_->channel();
  if (config_.protocol.trace) {
    mail_.post(Mailbox::kCoordinator, Trace{TraceKind::kFlowControlSent, channel, {}});
  }
  const std::size_t size = wire::write_flow_control(body_space(), *missing);
  return make_packet(wire::MessageType::kFlowControl, channel, size, *path_.peer());
}

std::optional<Transmit> OriginalPort::poll_data(Instant now, std::size_t most) {
  if (!sender_) return std::nullopt;
  const auto batch = sender_->poll(now, *batch_, most);
  if (!batch) return std::nullopt;
  Transmit transmit;
  transmit.to = config_.peer;
  transmit.bytes = batch->bytes;
  transmit.segment_size = batch->segment_size;
  transmit.kind = TransmitKind::kData;
  transmit.coalesce = batch->coalesce;
  return transmit;
}

std::optional<Deadline> OriginalPort::poll_deadline(Instant now) const {
  std::optional<Deadline> next;
  if (heartbeat_client_) next = heartbeat_client_->deadline();
  if (control_client_) next = earlier(next, control_client_->deadline());
  if (control_server_) next = earlier(next, control_server_->deadline());
  if (sender_) next = earlier(next, sender_->deadline(now));
  if (receiver_) next = earlier(next, receiver_->deadline());
  return earlier(next, silence_.deadline());
}

void OriginalPort::drop(wire::DropReason reason, std::uint64_t datagrams) {
  drops_[static_cast<std::size_t>(reason)] += datagrams;
}

}  // namespace wyndrvr::engine
