// What to send, and what became of it. Plain values, see UdpSocket::send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"

namespace wyndrvr::os {

// Bounds of one super-packet (UDP_MAX_SEGMENTS of Linux 6.9 on, and until then), which the socket
// finds out: the cost is one per super-packet, so small datagrams gain much by more of them in one.
inline constexpr std::size_t kMaxSuperPacketSegments = 128;
inline constexpr std::size_t kMaxOldSuperPacketSegments = 64;
inline constexpr std::size_t kMaxSuperPacketBytes = 65'507;  // the largest UDP payload over IPv4
// Bounds of one train, which leaves as several super-packets: as much as fits the caches; longer
// trains gain nothing.
inline constexpr std::size_t kMaxTrainSegments = 1024;
inline constexpr std::size_t kMaxTrainBytes = 4 * kMaxSuperPacketBytes;

struct SendRequest {
  Endpoint to;
  std::optional<IpAddress> from;  // source address; the kernel's choice when absent
  ByteView bytes;
  // bytes.size() for a single datagram; smaller for a train: all segments have this size but the
  // last, which may be shorter.
  std::uint32_t segment_size = 0;
  bool gso_allowed = true;
  // Asks for the time of departure, single datagrams only. It comes back with the stamp.
  std::optional<std::uint32_t> stamp_token;
  // Of this request alone, in place of the socket's: DSCP << 2 | ECN.
  std::optional<std::uint8_t> traffic_class = std::nullopt;
};

struct SendOutcome {
  enum class Status : std::uint8_t {
    kDone,
    kBlocked,    // the socket's buffer is full: wait until it is writable
    kNoBuffers,  // a queue below the socket is full: no event will tell, try again shortly
    kFailed,     // `error` says why; going on with the next segment may succeed
  };
  std::size_t bytes_sent = 0;  // whole segments only
  Status status = Status::kDone;
  int error = 0;  // errno, 0 when done
};

}  // namespace wyndrvr::os
