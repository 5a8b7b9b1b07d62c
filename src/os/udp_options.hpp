// How a UDP socket is to be set up. Plain values; UdpSocket says what it made of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/endpoint.hpp"

namespace wyndrvr::os {

// Whether to use something that not every kernel and path takes.
enum class Offload : std::uint8_t {
  kAuto,  // where it is to be had
  kOn,    // an error where the kernel does not know it
  kOff,
};
struct Offloads {
  Offload gso = Offload::kAuto;
  Offload gro = Offload::kAuto;
};

struct UdpOptions {
  // Address and port; port 0 lets the kernel choose. `::` takes IPv4 as well (dual stack), any
  // other IPv6 address is IPv6 only.
  Endpoint bind{};
  // `::` takes no IPv4.
  bool v6_only = false;
  // The only peer: datagrams of others are not received, and the kernel keeps the route to it,
  // which it looks up for each send otherwise (5 % of a sender's time). An adopted socket keeps its
  // own.
  std::optional<Endpoint> peer{};
  // Send trains of equal segments as super-packets (UDP_SEGMENT, udp(7)). A path that takes none
  // gets the segments one by one, even with kOn.
  Offload gso = Offload::kAuto;
  // Receive trains of equal segments as one buffer (UDP_GRO, udp(7)).
  Offload gro = Offload::kOff;
  // Octets of the longest datagram to expect where trains do not come as one; 0: the slots of the
  // ReceiveBuffer remain as they were made.
  std::uint32_t longest_datagram = 0;
  bool receive_stamps = true;
  // Fills Received::to. Who has one address does not need it.
  bool receive_destination = true;
  // Makes SendRequest::stamp_token work.
  bool transmit_stamps = false;
  // Buffer sizes in octets; 0 keeps the kernel's default. That of sending is hardly worth a change:
  // what waits in a device's queue counts against it, so a larger one delays what comes behind.
  std::uint32_t receive_buffer = 0;
  std::uint32_t send_buffer = 0;
  // Ask for the ICMP errors that our datagrams cause (IP_RECVERR, ip(7)).
  bool error_queue = false;
  // The IPv4 TOS octet and the IPv6 traffic class of what is sent: DSCP << 2 | ECN (RFC 2474,
  // RFC 3168). 0 leaves the socket's own, which is 0 unless whoever opened it set another.
  std::uint8_t traffic_class = 0;
  // TTL and hop limit of what is sent, 1 to 255; the host's default when absent.
  std::optional<std::uint8_t> hop_limit{};
  // No datagram is fragmented, neither here nor on the way: above the interface's MTU it fails with
  // EMSGSIZE, above that of a link further on it is lost there (UdpSocket::take_too_big tells).
  // False leaves the host's default, which fragments here. Choose sizes with route_mtu().
  bool never_fragment = false;
  // Sends and receives by this interface alone (SO_BINDTODEVICE, socket(7)); empty: by any. An
  // adopted socket that is bound to one keeps it.
  std::string interface{};
  // Fills Received::traffic_class. Best effort: where the kernel refuses, that stays absent.
  bool receive_traffic_class = false;
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
