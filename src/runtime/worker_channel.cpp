#include "runtime/worker_channel.hpp"

#include <array>
#include <utility>

#include "os/seqpacket.hpp"

namespace wyndrvr::runtime {

using os::ChannelStatus;

WorkerChannel::WorkerChannel(EventLoop& loop, os::Fd fd, Listener& listener)
    : loop_(loop), fd_(std::move(fd)), listener_(listener) {}

WorkerChannel::~WorkerChannel() {
  if (id_) loop_.remove(*id_);
}

Result<void> WorkerChannel::start() {
  auto id = loop_.add(fd_.get(), *this);
  if (!id) return std::unexpected(id.error());
  id_ = *id;
  // Frames may have been sent before.
  loop_.set_want_write(*id_, !outbox_.empty());
  return {};
}

void WorkerChannel::send(const Frame& frame) {
  if (ended_) return;
  encode(frame, encoded_);
  if (outbox_.empty()) {
    switch (os::send_frame(fd_.get(), encoded_)) {
      case ChannelStatus::kDone:
        return;
      case ChannelStatus::kClosed:
        // What the other end said before it closed is still to be read: receive() finds the end.
        return;
      case ChannelStatus::kBlocked:
        break;
    }
  }
  if (!outbox_.push(encoded_, keep_of(frame), key_of(frame))) return end(End::kOverflow);
  if (id_) loop_.set_want_write(*id_, true);
}

void WorkerChannel::flush() {
  while (!outbox_.empty()) {
    const ChannelStatus status = os::send_frame(fd_.get(), outbox_.front());
    if (status == ChannelStatus::kBlocked) return;
    outbox_.pop();
  }
  if (id_) loop_.set_want_write(*id_, false);
}

void WorkerChannel::receive() {
  std::array<std::byte, ipc::kMaxFrameSize> buffer;
  for (int i = 0; i < kMaxFrames && !ended_; ++i) {
    const os::ReceivedFrame received = os::receive_frame(fd_.get(), buffer);
    if (received.status == ChannelStatus::kBlocked) return;
    if (received.status == ChannelStatus::kClosed) return end(End::kClosed);
    auto frame = received.truncated ? std::nullopt : decode_frame(received.bytes);
    if (!frame) return end(End::kGarbage);
    listener_.on_frame(*this, std::move(*frame));
  }
}

void WorkerChannel::finish_sending() {
  os::finish_sending(fd_.get());
}

void WorkerChannel::end(End how) {
  if (std::exchange(ended_, true)) return;
  if (id_) loop_.remove(*std::exchange(id_, std::nullopt));
  listener_.on_channel_end(*this, how);
}

void WorkerChannel::on_ready(const Readiness& readiness) {
  if (readiness.writable) flush();
  if (readiness.readable || readiness.error) receive();
}

void WorkerChannel::on_wake(Instant /*now*/) {}

}  // namespace wyndrvr::runtime
