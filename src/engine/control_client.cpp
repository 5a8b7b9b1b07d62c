#include "engine/control_client.hpp"

#include <algorithm>

namespace wyndrvr::engine {
namespace {

constexpr Duration kDigits = 1us;

}  // namespace

std::optional<ChannelId> ControlClient::channel() const {
  if (state_ == State::kIdle) return std::nullopt;
  return plan_.channel;
}

void ControlClient::start(const TestPlan& plan, Mail& mail) {
  if (state_ != State::kIdle) return;
  plan_ = plan;
  next_shown_ = plan.progress_interval;
  state_ = State::kPreparing;
  mail.post(Mailbox::kUpload, StartTest{plan});
}

void ControlClient::on_port_ready(Instant now, ChannelId channel) {
  if (state_ != State::kPreparing || channel != plan_.channel) return;
  state_ = State::kRequesting;
  next_send_ = now;
  give_up_ = now + kAcknowledgementTimeout;
}

std::expected<void, wire::DropReason> ControlClient::on_control(Instant now,
                                                                const wire::ControlBody& body,
                                                                Mail& mail) {
  if (const auto* ack = std::get_if<wire::BwupAck>(&body)) {
    if (ack->channel != plan_.channel) return std::unexpected(wire::DropReason::kWrongChannel);
    if (state_ != State::kRequesting) return std::unexpected(wire::DropReason::kDuplicate);
    on_acknowledgement(now, *ack, mail);
    return {};
  }
  if (const auto* progress = std::get_if<wire::Progress>(&body)) {
    if (progress->channel != plan_.channel) return std::unexpected(wire::DropReason::kWrongChannel);
    if (state_ != State::kRunning) return std::unexpected(wire::DropReason::kNoTest);
    ReceiverTotals totals;
    totals.packets = progress->packets;
    totals.bytes = progress->bytes;
    totals.unique = progress->unique;
    totals.duplicate = progress->duplicate;
    totals.reordered = progress->reordered;
    totals.expected = progress->highest;
    totals.written_off = progress->written_off;
    totals.socket_drops = progress->socket_drops;
    totals.elapsed = Duration(static_cast<std::int64_t>(progress->elapsed_ns));
    if (totals.unique > totals.expected || totals.elapsed < Duration(0) ||
        totals.elapsed > plan_.duration + kResultTimeout) {
      return std::unexpected(wire::DropReason::kBadSequence);
    }
    const ReceiverProgress message{plan_.channel, totals, progress->granted};
    mail.post(Mailbox::kUpload, message);
    // What comes between the schedule's is for the sender.
    if (totals.elapsed >= next_shown_) {
      const Duration interval = std::max(plan_.progress_interval, Duration(1));
      next_shown_ = (totals.elapsed / interval + 1) * interval;
      mail.post(Mailbox::kCoordinator, message);
    }
    return {};
  }
  return std::unexpected(wire::DropReason::kWrongPort);
}

void ControlClient::on_acknowledgement(Instant now, const wire::BwupAck& ack, Mail& mail) {
  state_ = State::kRunning;
  // A server may grant less than was asked for, never more. Below a nanosecond is still a test.
  const Duration asked = plan_.duration;
  plan_.duration = std::clamp(from_seconds(ack.duration_s), Duration(1), asked);
  // The number has been through decimal digits twice: that little less is as asked for.
  if (asked - plan_.duration < kDigits) plan_.duration = asked;
  give_up_ = now + plan_.duration + kResultTimeout;
  if (trace_)
    mail.post(Mailbox::kCoordinator, Trace{TraceKind::kBwupAckReceived, plan_.channel, {}});
  mail.post(Mailbox::kUpload, Go{plan_.channel, now, plan_.duration});
  mail.post(Mailbox::kCoordinator, TestStarted{plan_.channel, now, plan_.duration});
}

std::expected<void, wire::DropReason> ControlClient::on_result(const wire::TestResultBody& body,
                                                               Mail& mail) {
  const auto* result = std::get_if<wire::TestResult>(&body);
  if (result == nullptr) return std::unexpected(wire::DropReason::kWrongPort);
  if (result->channel != plan_.channel) return std::unexpected(wire::DropReason::kWrongChannel);
  if (state_ != State::kRunning && state_ != State::kDone) {
    return std::unexpected(wire::DropReason::kNoTest);
  }
  if (!acknowledgements_.push(result->guid)) return std::unexpected(wire::DropReason::kQueueFull);
  if (state_ == State::kRunning) {
    state_ = State::kDone;
    mail.post(Mailbox::kCoordinator, ResultArrived{*result});
  }
  return {};
}

void ControlClient::on_timer(Instant now, Mail& mail) {
  if (now < give_up_) return;
  if (state_ == State::kRequesting) {
    state_ = State::kFailed;
    mail.post(Mailbox::kCoordinator, TestFailed{ProblemCode::kNoAcknowledgement});
  } else if (state_ == State::kRunning) {
    state_ = State::kFailed;
    mail.post(Mailbox::kCoordinator, TestFailed{ProblemCode::kNoResult});
  }
}

std::optional<ControlClient::Packet> ControlClient::poll(Instant now, Mail& mail) {
  if (auto guid = acknowledgements_.pop()) return wire::TestResultAck{*guid};
  if (state_ != State::kRequesting || now < next_send_) return std::nullopt;
  next_send_ = now + resend_interval_;
  if (trace_) mail.post(Mailbox::kCoordinator, Trace{TraceKind::kBwupSent, plan_.channel, {}});
  wire::Bwup request;
  request.channel = plan_.channel;
  request.duration_s = to_seconds(plan_.duration);
  if (plan_.ask_progress) {
    // An interval that the wire does not allow would make the server refuse the whole request.
    const auto interval_ms =
        std::clamp<std::int64_t>(plan_.progress_interval / 1ms, 1, wire::kMaxProgressMs);
    request.progress_ms = static_cast<std::uint32_t>(interval_ms);
  }
  return request;
}

std::optional<Deadline> ControlClient::deadline() const {
  switch (state_) {
    case State::kRequesting:
      return earlier(Deadline{next_send_, DeadlineReason::kResend},
                     Deadline{give_up_, DeadlineReason::kGiveUp});
    case State::kRunning:
      return Deadline{give_up_, DeadlineReason::kGiveUp};
    case State::kIdle:
    case State::kPreparing:
    case State::kDone:
    case State::kFailed:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace wyndrvr::engine
