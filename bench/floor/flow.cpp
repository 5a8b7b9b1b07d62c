#include "flow.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "socket.hpp"

namespace wyndrvr::floor {
namespace {

// Two to eight trains a call stay in the cache; 16 messages where every one is a datagram.
constexpr std::size_t kTrainsPerCall = 4;
constexpr std::size_t kMessagesPerCall = 16;
// Slots of a receive: of a train each with GRO.
constexpr std::size_t kTrainSlots = 8;
constexpr std::size_t kMessageSlots = 64;
constexpr std::size_t kTrainSlotBytes = 65'536;  // whole cache lines, as ReceiveBuffer has them
constexpr std::size_t kMessageSlotBytes = 9'216;
// Room for the control message that tells a train's segment size.
constexpr std::size_t kControlBytes = 64;

struct Slots {
  Slots(std::size_t count, std::size_t slot_bytes)
      : memory(count * slot_bytes), vectors(count), headers(count), controls(count) {
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {.iov_base = memory.data() + i * slot_bytes, .iov_len = slot_bytes};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void offer_control() {
    for (std::size_t i = 0; i < headers.size(); ++i) {
      headers[i].msg_hdr.msg_control = controls[i].data();
      headers[i].msg_hdr.msg_controllen = controls[i].size();
    }
  }
  std::vector<std::byte> memory;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> headers;
  std::vector<std::array<std::byte, kControlBytes>> controls;
};

// Sends batches of `count` messages of `bytes` each until the plan's end.
Tally send_batches(const SendPlan& plan, std::size_t count, std::size_t bytes) {
  Slots slots(count, bytes);
  fill(slots.memory);
  Tally tally;
  std::int64_t now = monotonic_ns();
  for (std::size_t turn = 0; now < plan.until_ns; ++turn) {
    const int socket = plan.sockets[turn % plan.sockets.size()];
    const int sent = sendmmsg(socket, slots.headers.data(), static_cast<unsigned>(count), 0);
    if (sent < 0 && errno != ENOBUFS && errno != EINTR) fail("sendmmsg");
    now = monotonic_ns();
    if (sent > 0) tally.add(static_cast<std::uint64_t>(sent) * bytes, plan.payload_bytes, now);
  }
  return tally;
}

Tally send_trains(const SendPlan& plan) {
  for (const int socket : plan.sockets) {
    set_option(socket, SOL_UDP, UDP_SEGMENT, static_cast<int>(plan.payload_bytes), "UDP_SEGMENT");
  }
  return send_batches(plan, kTrainsPerCall,
                      train_segments(plan.payload_bytes) * plan.payload_bytes);
}

Tally send_singly(const SendPlan& plan) {
  std::vector<std::byte> buffer(plan.payload_bytes);
  fill(buffer);
  Tally tally;
  std::int64_t now = monotonic_ns();
  for (std::size_t turn = 0; now < plan.until_ns; ++turn) {
    const int socket = plan.sockets[turn % plan.sockets.size()];
    const ssize_t sent = send(socket, buffer.data(), buffer.size(), 0);
    if (sent < 0 && errno != ENOBUFS && errno != EINTR) fail("send");
    now = monotonic_ns();
    if (sent > 0) tally.add(static_cast<std::uint64_t>(sent), plan.payload_bytes, now);
  }
  return tally;
}

// Drains the socket and sleeps after every batch that left slots empty.
Tally receive_batches(const ReceivePlan& plan, std::size_t count, std::size_t slot_bytes) {
  Slots slots(count, slot_bytes);
  Tally tally;
  for (;;) {
    slots.offer_control();
    const int got = recvmmsg(plan.socket, slots.headers.data(), static_cast<unsigned>(count),
                             MSG_DONTWAIT, nullptr);
    if (got < 0 && errno != EAGAIN && errno != EINTR) fail("recvmmsg");
    if (got > 0) {
      std::uint64_t bytes = 0;
      for (int i = 0; i < got; ++i) bytes += slots.headers[static_cast<std::size_t>(i)].msg_len;
      tally.add(bytes, plan.payload_bytes, monotonic_ns());
    }
    if (got == static_cast<int>(count)) continue;
    if (got <= 0 && plan.is_over(tally.last_ns)) return tally;
    sleep_us(plan.sleep_us);
  }
}

Tally receive_trains(const ReceivePlan& plan) {
  set_option(plan.socket, SOL_UDP, UDP_GRO, 1, "UDP_GRO");
  return receive_batches(plan, kTrainSlots, kTrainSlotBytes);
}

Tally receive_singly(const ReceivePlan& plan) {
  // Blocks, as a plain program does; the time-out only makes it look whether the sender is done.
  const timeval patience{.tv_sec = 0, .tv_usec = 50'000};
  require(setsockopt(plan.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
          "SO_RCVTIMEO");
  std::vector<std::byte> buffer(kMessageSlotBytes);
  Tally tally;
  for (;;) {
    const ssize_t got = recv(plan.socket, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      tally.add(static_cast<std::uint64_t>(got), plan.payload_bytes, monotonic_ns());
    } else if (got < 0 && errno != EAGAIN && errno != EINTR) {
      fail("recv");
    } else if (plan.is_over(tally.last_ns)) {
      return tally;
    }
  }
}

[[noreturn]] void fail_without_uring() {
  std::fprintf(stderr, "wyndrvr-floor: built without liburing\n");
  std::exit(2);
}

}  // namespace

std::size_t train_segments(std::size_t payload_bytes) {
  return std::clamp<std::size_t>(kMostTrainBytes / payload_bytes, 1, kMostSegments);
}

Tally send_flow(Method method, const SendPlan& plan) {
  switch (method) {
    case Method::kSingle:
      return send_singly(plan);
    case Method::kMmsg:
      return send_batches(plan, kMessagesPerCall, plan.payload_bytes);
    case Method::kGso:
      return send_trains(plan);
    case Method::kUring:
#ifdef WYNDRVR_URING
      return send_by_uring(plan);
#endif
      break;
  }
  fail_without_uring();
}

Tally receive_flow(Method method, const ReceivePlan& plan) {
  switch (method) {
    case Method::kSingle:
      return receive_singly(plan);
    case Method::kMmsg:
      return receive_batches(plan, kMessageSlots, kMessageSlotBytes);
    case Method::kGso:
      return receive_trains(plan);
    case Method::kUring:
#ifdef WYNDRVR_URING
      return receive_by_uring(plan);
#endif
      break;
  }
  fail_without_uring();
}

}  // namespace wyndrvr::floor
