// What passes between an actor and its socket, and when the actor wants to run again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"

namespace wyndrvr::engine {

// One datagram, or several of equal size from one sender that the kernel coalesced (UDP GRO).
struct Datagram {
  ByteView bytes;
  std::uint32_t segment_size = 0;  // 0: one datagram; else `bytes` is split by it, the last shorter
  Endpoint from;
  Instant arrival;  // at the kernel where it stamps, else when it was read
  bool kernel_stamped = false;
  bool truncated = false;
  std::uint8_t flow = 0;  // which of the port's sockets it came to (a client's, dialect 1)
  std::optional<std::uint8_t> traffic_class;  // of the IP header, where the system tells
  std::uint64_t socket_drops = 0;             // cumulative, of this socket: buffers, not datagrams
};

// Octets of each datagram in the buffer but the last one, which may be shorter.
[[nodiscard]] constexpr std::size_t stride_of(const Datagram& datagram) {
  return datagram.segment_size == 0 ? datagram.bytes.size() : datagram.segment_size;
}
[[nodiscard]] constexpr std::uint64_t count_of(const Datagram& datagram) {
  const std::size_t stride = std::max<std::size_t>(stride_of(datagram), 1);
  return std::max<std::uint64_t>((datagram.bytes.size() + stride - 1) / stride, 1);
}
// Calls `visit` with the datagrams of the buffer, an empty one included: with each, and with all
// octets from it on. It returns how many datagrams that took care of, one at least: the others are
// not shown again.
template <class Visit>
void for_each_run(const Datagram& datagram, Visit visit) {
  const std::size_t stride = stride_of(datagram);
  Datagram segment = datagram;
  segment.segment_size = 0;
  ByteView rest = datagram.bytes;
  do {
    segment.bytes = rest.first(std::min(stride, rest.size()));
    const std::size_t count = visit(segment, rest);
    WYNDRVR_CHECK(count > 0);
    rest = rest.subspan(std::min(count * stride, rest.size()));
  } while (!rest.empty());
}

// Datagrams of one transmit, at most: eight super-packets of the shortest ones.
inline constexpr std::size_t kMaxTransmitPackets = 1024;

// ICMP says that what leaves by `flow` for `to` is too long for a link on the way, which carries
// packets of `mtu` octets; 0: it does not say. Whoever knows both endpoints can forge it.
struct TooBig {
  Endpoint to;
  std::uint8_t flow = 0;
  std::uint32_t mtu = 0;
};

enum class TransmitKind : std::uint8_t { kData, kOther };

// One or several datagrams of equal size (the last may be shorter). `bytes` stays valid until the
// actor's next poll_transmit.
struct Transmit {
  Endpoint to;
  ByteView bytes;
  std::uint32_t segment_size = 0;  // octets of one datagram; bytes.size() for a single one
  TransmitKind kind = TransmitKind::kOther;
  std::uint8_t flow = 0;                     // which of the port's sockets it leaves by
  bool coalesce = false;                     // may leave as one super-packet (UDP GSO)
  std::optional<std::uint32_t> stamp_token;  // wants the kernel's transmit stamp under this name

  [[nodiscard]] std::uint64_t packets() const {
    return segment_size == 0 ? 0 : (bytes.size() + segment_size - 1) / segment_size;
  }
};

enum class DeadlineReason : std::uint8_t {
  kHeartbeat,
  kHeartbeatLost,
  kResend,
  kGiveUp,
  kPacing,
  kReport,
  kProgress,
  kTestEnd,
  kIdle,
  kConnect,
  kProof,
  kLinger,
  kDrain,
  kLifetime,
};

struct Deadline {
  Instant at;
  DeadlineReason reason;
};

// The earlier of two deadlines, either of which may be absent.
[[nodiscard]] constexpr std::optional<Deadline> earlier(std::optional<Deadline> a,
                                                        std::optional<Deadline> b) {
  if (!a) return b;
  if (!b) return a;
  return b->at < a->at ? b : a;
}

}  // namespace wyndrvr::engine
