#include "engine/control_server.hpp"

#include <algorithm>

#include "base/uuid.hpp"

namespace wyndrvr::engine {
namespace {

wire::SmallText<64> uuid_text(base::Random& random) {
  return *wire::SmallText<64>::from(base::to_string(base::make_uuid_v4(random)));
}

}  // namespace

ControlServer::ControlServer(const Options& options) : options_(options), random_(options.seed) {}

std::optional<ChannelId> ControlServer::channel() const {
  if (state_ == State::kIdle) return std::nullopt;
  return plan_.channel;
}

std::expected<void, wire::DropReason> ControlServer::on_request(const wire::Bwup& request,
                                                                Mail& mail) {
  if (request.channel.value == options_.heartbeat_key) {
    return std::unexpected(wire::DropReason::kWrongChannel);
  }
  if (state_ == State::kIdle) {
    plan_.channel = request.channel;
    // Rounded up to a nanosecond, because the result divides by it.
    plan_.duration =
        std::clamp(from_seconds(request.duration_s), Duration(1), options_.max_test_duration);
    plan_.progress_interval = std::chrono::milliseconds(request.progress_ms.value_or(0));
    test_uid_ = uuid_text(random_);
    state_ = State::kPreparing;
    mail.post(Mailbox::kUpload, StartTest{plan_});
  } else if (request.channel != plan_.channel) {
    return std::unexpected(wire::DropReason::kWrongChannel);
  }
  if (state_ == State::kFinished || state_ == State::kDone) {
    return std::unexpected(wire::DropReason::kDuplicate);
  }
  trace(mail, TraceKind::kBwupReceived, {});
  if (owed_ == kMaxOwed) return std::unexpected(wire::DropReason::kQueueFull);
  ++owed_;
  return {};
}

void ControlServer::on_port_ready(ChannelId channel) {
  if (state_ == State::kPreparing && channel == plan_.channel) state_ = State::kReady;
}

void ControlServer::on_progress(const ReceiverProgress& progress) {
  if (state_ == State::kRunning && progress.channel == plan_.channel) progress_ = progress;
}

void ControlServer::on_finished(Instant now, const TestFinished& finished) {
  if (state_ != State::kRunning || finished.channel != plan_.channel) return;
  totals_ = finished.totals;
  progress_.reset();
  result_guid_ = uuid_text(random_);
  state_ = State::kFinished;
  next_send_ = now;
  give_up_ = now + kDeliveryTimeout;
}

std::expected<void, wire::DropReason> ControlServer::on_acknowledgement(
    const wire::TestResultAck& acknowledgement, Mail& mail) {
  if (state_ == State::kDone) return std::unexpected(wire::DropReason::kDuplicate);
  if (state_ != State::kFinished) return std::unexpected(wire::DropReason::kNoTest);
  if (acknowledgement.guid != result_guid_) return std::unexpected(wire::DropReason::kWrongChannel);
  state_ = State::kDone;
  trace(mail, TraceKind::kUcmDeleted, result_guid_);
  mail.post(Mailbox::kCoordinator, ResultDelivered{totals_});
  return {};
}

void ControlServer::on_timer(Instant now, Mail& mail) {
  if (state_ != State::kFinished || now < give_up_) return;
  state_ = State::kDone;
  mail.post(Mailbox::kCoordinator, TestFailed{ProblemCode::kNoResult});
}

std::optional<ControlServer::Packet> ControlServer::poll(Instant now, Mail& mail) {
  if (owes_acknowledgement()) {
    --owed_;
    return acknowledge(now, mail);
  }
  if (state_ == State::kRunning && progress_) {
    const ReceiverTotals& totals = progress_->totals;
    wire::Progress packet;
    packet.channel = plan_.channel;
    packet.elapsed_ns = static_cast<std::uint64_t>(totals.elapsed.count());
    packet.bytes = totals.bytes;
    packet.packets = totals.packets;
    packet.unique = totals.unique;
    packet.duplicate = totals.duplicate;
    packet.reordered = totals.reordered;
    packet.highest = totals.expected;
    packet.written_off = totals.written_off;
    packet.socket_drops = totals.socket_drops;
    packet.granted = progress_->granted;
    progress_.reset();
    return packet;
  }
  if (state_ == State::kFinished && now >= next_send_) {
    next_send_ = now + options_.resend_interval;
    trace(mail, TraceKind::kUcmSent, result_guid_);
    return make_result();
  }
  return std::nullopt;
}

wire::BwupAck ControlServer::acknowledge(Instant now, Mail& mail) {
  if (state_ == State::kReady) {
    state_ = State::kRunning;
    trace(mail, TraceKind::kUploadTestStarted, {});
    mail.post(Mailbox::kUpload, Go{plan_.channel, now, plan_.duration});
    mail.post(Mailbox::kCoordinator,
              TestStarted{plan_.channel, now, plan_.duration, extended_client()});
  }
  wire::BwupAck ack;
  ack.channel = plan_.channel;
  ack.duration_s = to_seconds(plan_.duration);
  ack.uid = test_uid_;
  return ack;
}

wire::TestResult ControlServer::make_result() const {
  // The original divides by the test's length. Ours is that too, stretched where datagrams were
  // still arriving after it, so that R is never flattered by the drain.
  const Duration length = std::max(plan_.duration, totals_.elapsed);
  wire::TestResult result;
  result.guid = result_guid_;
  result.channel = plan_.channel;
  result.bytes_received = totals_.bytes;
  result.duration_s = to_seconds(length);
  result.bandwidth_bps = 8.0 * static_cast<double>(totals_.bytes) / result.duration_s;
  result.retransmit_count = totals_.retransmitted;
  result.packet_count = totals_.packets;
  result.uid = test_uid_;
  if (!extended_client()) return result;
  result.detail = wire::ReceiverDetail{
      .unique = totals_.unique,
      .duplicate = totals_.duplicate,
      .reordered = totals_.reordered,
      .highest = totals_.expected,
      .unique_bytes = totals_.unique_bytes,
      .written_off = totals_.written_off,
      .first_to_last_ns = static_cast<std::uint64_t>(totals_.first_to_last.count()),
      .socket_drops = totals_.socket_drops,
  };
  return result;
}

void ControlServer::trace(Mail& mail, TraceKind kind, const wire::SmallText<64>& detail) const {
  if (options_.trace) mail.post(Mailbox::kCoordinator, Trace{kind, plan_.channel, detail});
}

std::optional<Deadline> ControlServer::deadline() const {
  if (state_ != State::kFinished) return std::nullopt;
  return earlier(Deadline{next_send_, DeadlineReason::kResend},
                 Deadline{give_up_, DeadlineReason::kGiveUp});
}

}  // namespace wyndrvr::engine
