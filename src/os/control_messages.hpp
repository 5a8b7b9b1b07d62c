// Ancillary data of UDP datagrams (cmsg(3)): writes what a send needs, reads what a receive
// brought.
//
// Knows the layouts of ip(7), ipv6(7), udp(7) and the kernel's timestamping.rst, and nothing about
// sockets. Not thread-safe; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include <sys/socket.h>

#include "base/check.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "os/transmit_stamps.hpp"

namespace wyndrvr::os {

// Room for everything that the kernel attaches with the options that we set (under 200 octets),
// with some to spare for IPv6's larger ones.
inline constexpr std::size_t kControlBytes = 320;

// Collects control messages for one sendmsg(2); must outlive the msghdr that it is attached to.
class ControlWriter {
 public:
  // The source address: IP_PKTINFO, or IPV6_PKTINFO on an IPv6 socket.
  void put_source(const IpAddress& from, bool v6_socket);
  // UDP_SEGMENT: the kernel cuts the buffer into segments of this size.
  void put_segment_size(std::uint16_t octets);
  // IP_TOS or IPV6_TCLASS, by the family of the datagram rather than the socket's.
  void put_traffic_class(std::uint8_t value, bool v6_datagram);
  // SO_TIMESTAMPING: report this datagram's departure.
  void put_stamp_request();
  // SCM_TS_OPT_ID (Linux 6.13): under this number.
  void put_stamp_id(std::uint32_t id);

  void attach_to(msghdr& message);

 private:
  template <class T>
  void put(int level, int type, const T& value) {
    WYNDRVR_CHECK(used_ + CMSG_SPACE(sizeof value) <= storage_.size());
    auto* header = reinterpret_cast<cmsghdr*>(storage_.data() + used_);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
    used_ += CMSG_SPACE(sizeof value);
  }

  alignas(cmsghdr) std::array<std::byte, 160> storage_{};
  std::size_t used_ = 0;
};

// What came with a received datagram.
struct ReceiveControl {
  std::optional<IpAddress> to;                // our address, fit to answer from
  bool to_group = false;                      // IPv4: it was sent to a broadcast or multicast one
  std::uint32_t interface = 0;                // that it came in by; 0: not told
  std::optional<std::uint32_t> segment_size;  // the kernel's GRO stride
  std::optional<WallTime> stamp;
  std::optional<std::uint32_t> drop_reading;  // see DropCounter
  std::optional<std::uint8_t> traffic_class;  // DSCP << 2 | ECN
};
[[nodiscard]] ReceiveControl read_receive_control(const msghdr& message);

// What came with an entry of the error queue.
struct ErrorControl {
  enum class Kind : std::uint8_t { kOther, kTransmitStamp, kIcmp };
  Kind kind = Kind::kOther;
  int error = 0;  // kIcmp: errno
  IcmpError icmp = IcmpError::kOther;
  std::optional<IpAddress> by;  // kIcmp: its sender
  std::uint32_t mtu = 0;        // kIcmp, EMSGSIZE: of the link that is too narrow; 0: not told
  std::uint32_t stamp_id = 0;   // kTransmitStamp
  std::optional<WallTime> stamp;
};
[[nodiscard]] ErrorControl read_error_control(const msghdr& message);

}  // namespace wyndrvr::os
