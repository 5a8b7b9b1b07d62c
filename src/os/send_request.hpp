// What to send, and what became of it. Plain values, see UdpSocket::send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/endpoint.hpp"

namespace wyndrvr::os {

// Bounds of one train: what every kernel with UDP_SEGMENT takes (UDP_MAX_SEGMENTS was 64 until
// Linux 6.9), and the largest UDP payload over IPv4.
inline constexpr std::size_t kMaxTrainSegments = 64;
inline constexpr std::size_t kMaxTrainBytes = 65'507;

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
