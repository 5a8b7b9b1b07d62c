// How a UDP socket is to be set up. Plain values; UdpSocket says what it made of them.
#pragma once

#include <cstdint>

#include "base/endpoint.hpp"

namespace wyndrvr::os {

struct UdpOptions {
  // Address and port; port 0 lets the kernel choose. `::` takes IPv4 as well (dual stack), any
  // other IPv6 address is IPv6 only.
  Endpoint bind{};
  // Receive trains of equal segments as one buffer (UDP_GRO, udp(7)).
  bool gro = false;
  bool receive_stamps = true;
  // Makes SendRequest::stamp_token work.
  bool transmit_stamps = false;
  // Buffer sizes in octets; 0 keeps the kernel's default.
  std::uint32_t receive_buffer = 0;
  std::uint32_t send_buffer = 0;
  // Ask for the ICMP errors that our datagrams cause (IP_RECVERR, ip(7)).
  bool error_queue = false;
  // False: identify transmit stamps as kernels before 6.13 do, by counting. For tests; such
  // kernels are found out by themselves.
  bool explicit_stamp_ids = true;
};

// Where the arrival times come from, best first.
enum class StampSource : std::uint8_t {
  kTimestamping,  // SO_TIMESTAMPING: arrival, and departure when asked for
  kTimestampNs,   // SO_TIMESTAMPNS: arrival only
  kNone,          // the moment that the program read the datagram
};

}  // namespace wyndrvr::os
