#include "runtime/port_runner.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "os/clock.hpp"

namespace wyndrvr::runtime {

using engine::Transmit;
using Status = os::SendOutcome::Status;

PortRunner::PortRunner(const Environment& environment, os::UdpSocket socket,
                       const engine::PortConfig& config)
    : loop_(environment.loop),
      receive_buffer_(environment.receive_buffer),
      mail_(environment.mail),
      socket_(std::move(socket)),
      actor_(config),
      faults_(config.seed) {}

PortRunner::~PortRunner() {
  if (id_) loop_.remove(*id_);
}

Result<void> PortRunner::attach() {
  auto id = loop_.add(socket_.fd(), *this);
  if (!id) return std::unexpected(id.error());
  id_ = *id;
  return {};
}

void PortRunner::deliver(engine::Mailbox from, const engine::Message& message) {
  actor_.on_message(os::monotonic_now(), from, message);
  drain();
}

void PortRunner::on_ready(const Readiness& readiness) {
  if (readiness.error) read_errors();
  if (readiness.writable) loop_.set_want_write(*id_, false);
  if (readiness.readable) receive();
  drain();
}

void PortRunner::on_wake(Instant now) {
  if (retry_at_ && now >= *retry_at_) retry_at_.reset();
  actor_.on_timer(now);
  drain();
}

void PortRunner::receive() {
  for (int i = 0; i < kMaxReceives; ++i) {
    const auto batch = socket_.receive(receive_buffer_);
    // A receive that fails for good (no memory) loses nothing here: the datagrams stay queued.
    if (!batch || batch->empty()) return;
    const Instant now = os::monotonic_now();
    for (const os::Received& received : *batch) {
      actor_.on_datagram(now, {.bytes = received.bytes,
                               .segment_size = received.segment_size,
                               .from = received.from,
                               .arrival = received.arrival,
                               .kernel_stamped = received.kernel_stamped,
                               .truncated = received.truncated,
                               .socket_drops = socket_.receive_drops()});
    }
    drain();
    if (batch->size() < receive_buffer_.slot_count()) return;
  }
}

void PortRunner::read_errors() {
  while (const auto stamp = socket_.read_transmit_stamp()) {
    actor_.on_transmit_stamp(stamp->token, stamp->departure);
  }
  while (socket_.take_peer_error()) actor_.on_peer_unreachable(os::monotonic_now());
}

void PortRunner::drain() {
  transmit();
  while (const auto mail = actor_.poll_message()) mail_.on_mail(actor_.kind(), *mail);
  schedule();
}

void PortRunner::transmit() {
  more_to_send_ = false;
  if (retry_at_) return;
  if (pending_) {
    Transmit rest = *std::exchange(pending_, std::nullopt);
    if (!send(rest)) return;
  }
  const Instant start = os::monotonic_now();
  const Duration bound = loop_.tuning().max_send_time;
  // A send loop that sleeps does so after each datagram, unless it is told how long to go on.
  const bool one_by_one = loop_.tuning().send_sleep > Duration(0) && bound == Duration(0);
  const int most_sends = one_by_one ? 1 : kMaxSends;
  const std::size_t most_data = one_by_one ? 1 : engine::DataSender::kMaxBatchPackets;
  for (int i = 0; i < most_sends; ++i) {
    // Read anew each time: what is sent tells the time of its sending.
    const Instant now = os::monotonic_now();
    if (i > 0 && bound > Duration(0) && now - start >= bound) break;
    const auto transmit = actor_.poll_transmit(now, most_data);
    if (!transmit) return;
    if (!send(*transmit)) return;
  }
  more_to_send_ = true;
}

bool PortRunner::send(Transmit transmit) {
  if (loop_.tuning().drop_probability > 0) {
    send_some(transmit);
    return true;
  }
  while (!transmit.bytes.empty()) {
    const os::SendOutcome outcome =
        socket_.send({.to = transmit.to,
                      .from = std::nullopt,
                      .bytes = transmit.bytes,
                      .segment_size = static_cast<std::uint32_t>(
                          std::min<std::size_t>(transmit.segment_size, transmit.bytes.size())),
                      .gso_allowed = transmit.coalesce,
                      .stamp_token = transmit.stamp_token});
    transmit.bytes = transmit.bytes.subspan(outcome.bytes_sent);
    switch (outcome.status) {
      case Status::kDone:
        break;
      case Status::kBlocked:
        actor_.on_send_blocked(transmit.kind);
        pending_ = transmit;
        loop_.set_want_write(*id_, true);
        return false;
      case Status::kNoBuffers:
        actor_.on_send_blocked(transmit.kind);
        pending_ = transmit;
        retry_at_ = os::monotonic_now() + kNoBuffersRetry;
        return false;
      case Status::kFailed: {
        // This datagram is lost here; the ones behind it may still go.
        actor_.on_send_failed(transmit.kind, 1);
        const std::size_t one = std::min<std::size_t>(transmit.segment_size, transmit.bytes.size());
        transmit.bytes = transmit.bytes.subspan(one);
        break;
      }
    }
  }
  // The device's stamp is there as soon as the datagram is, on most paths.
  if (transmit.stamp_token) read_errors();
  return true;
}

// Fault injection (test_drop_rate): datagram by datagram, some are not sent.
void PortRunner::send_some(Transmit& transmit) {
  while (!transmit.bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(transmit.segment_size, transmit.bytes.size());
    const bool dropped = faults_.chance(loop_.tuning().drop_probability);
    const os::SendOutcome outcome =
        dropped ? os::SendOutcome{.status = Status::kFailed}
                : socket_.send({.to = transmit.to,
                                .from = std::nullopt,
                                .bytes = transmit.bytes.first(size),
                                .segment_size = static_cast<std::uint32_t>(size),
                                .stamp_token = transmit.stamp_token});
    if (outcome.status != Status::kDone) actor_.on_send_failed(transmit.kind, 1);
    transmit.bytes = transmit.bytes.subspan(size);
  }
  if (transmit.stamp_token) read_errors();
}

void PortRunner::schedule() {
  if (!id_) return;
  if (more_to_send_) {
    loop_.run_again(*id_);
    return;
  }
  const Instant now = os::monotonic_now();
  const auto deadline = actor_.poll_deadline(now);
  std::optional<Instant> wake;
  if (deadline) wake = deadline->at;
  if (pending_) {
    // Waiting for room: pacing and reports wait too, but not below a millisecond's look.
    wake = retry_at_ ? retry_at_ : std::optional(std::max(wake.value_or(now), now + 1ms));
  }
  loop_.set_deadline(*id_, wake);
}

}  // namespace wyndrvr::runtime
