#include "os/seqpacket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <poll.h>
#include <sys/socket.h>

#include "base/check.hpp"
#include "os/clock.hpp"
#include "os/limit_advice.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

bool channel_option_is(int fd, int name, int expected) {
  int value = 0;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 && value == expected;
}

// ENOBUFS is the kernel being short of memory for the moment, not the end of the channel.
ChannelStatus status_of(int error) {
  const bool passing = error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
  return passing ? ChannelStatus::kBlocked : ChannelStatus::kClosed;
}

}  // namespace

Result<ChannelPair> open_channel_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    const int error = errno;
    return fail("cannot open a channel to a worker: socketpair: {}{}", error_text(error),
                limit_advice(error));
  }
  return ChannelPair{Fd(ends[0]), Fd(ends[1])};
}

ChannelStatus send_frame(int fd, ByteView frame) {
  WYNDRVR_CHECK(!frame.empty());
  for (;;) {
    // A frame goes whole or not at all (SOCK_SEQPACKET), so the count says nothing new.
    if (::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
      return ChannelStatus::kDone;
    }
    if (errno != EINTR) return status_of(errno);
  }
}

ReceivedFrame receive_frame(int fd, MutableByteView buffer) {
  iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  for (;;) {
    msghdr message{};  // no room for control data: descriptors that come with a frame are dropped
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t got = ::recvmsg(fd, &message, MSG_DONTWAIT);
    if (got == 0) return {.status = ChannelStatus::kClosed};
    if (got > 0) {
      return {.status = ChannelStatus::kDone,
              .bytes = buffer.first(static_cast<std::size_t>(got)),
              .truncated = (message.msg_flags & MSG_TRUNC) != 0};
    }
    // Told once, and before the frames that wait here, where the other end closed with frames of
    // ours unread (net/unix/af_unix.c): the frames, and then the end, follow.
    if (errno != EINTR && errno != ECONNRESET) return {.status = status_of(errno)};
  }
}

void finish_sending(int fd) {
  // Fails only where the other end is gone, and then there is nobody to tell.
  (void)::shutdown(fd, SHUT_WR);
}

bool wait_readable(int fd, Duration timeout) {
  const Instant start = monotonic_now();
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  for (;;) {
    const Duration left = std::max(timeout - (monotonic_now() - start), Duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec time{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    const int count = ::ppoll(&entry, 1, &time, nullptr);
    // The end of the channel (POLLHUP) is read as such. A number that is no descriptor (POLLNVAL)
    // will never be readable.
    if (count > 0) return (entry.revents & POLLNVAL) == 0;
    if (count == 0 || errno != EINTR) return false;
  }
}

bool is_channel(int fd) {
  return channel_option_is(fd, SO_DOMAIN, AF_UNIX) &&
         channel_option_is(fd, SO_TYPE, SOCK_SEQPACKET);
}

}  // namespace wyndrvr::os
