#include "os/control_messages.hpp"

#include <ctime>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include "os/socket_address.hpp"

namespace wyndrvr::os {
namespace {

// From Linux 6.13's asm-generic/socket.h; the headers of Debian 12 are older.
constexpr int kScmTimestampOptionId = 81;

// The most that one datagram brings: address, times, drops, GRO stride, traffic class.
static_assert(CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(scm_timestamping)) +
                  CMSG_SPACE(sizeof(std::uint32_t)) + 2 * CMSG_SPACE(sizeof(int)) <=
              kControlBytes);

// The kernel does not align payloads beyond size_t, so they are copied out.
template <class T>
T payload(const cmsghdr& header) {
  T value{};
  if (header.cmsg_len >= CMSG_LEN(sizeof value)) {
    std::memcpy(&value, CMSG_DATA(&header), sizeof value);
  }
  return value;
}

template <class Visitor>
void for_each_control(const msghdr& message, Visitor visit) {
  auto* head = const_cast<msghdr*>(&message);  // CMSG_NXTHDR takes no const; nothing is changed
  for (cmsghdr* header = CMSG_FIRSTHDR(head); header != nullptr;
       header = CMSG_NXTHDR(head, header)) {
    visit(*header);
  }
}

// The kernel writes zero where it has no stamp.
std::optional<WallTime> wall_time(const timespec& time) {
  if (time.tv_sec == 0 && time.tv_nsec == 0) return std::nullopt;
  return WallTime(std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec));
}

// Either form of arrival or departure time; nothing for other messages.
std::optional<WallTime> stamp_of(const cmsghdr& header) {
  if (header.cmsg_level != SOL_SOCKET) return std::nullopt;
  if (header.cmsg_type == SCM_TIMESTAMPING) {
    return wall_time(payload<scm_timestamping>(header).ts[0]);  // [0] software, [2] hardware
  }
  if (header.cmsg_type == SCM_TIMESTAMPNS) return wall_time(payload<timespec>(header));
  return std::nullopt;
}

// `ipi_spec_dst` rather than `ipi_addr`: for a broadcast it is the address to answer from.
IpAddress local_address(const in_pktinfo& info) {
  return from_kernel(info.ipi_spec_dst.s_addr != 0 ? info.ipi_spec_dst : info.ipi_addr);
}

bool is_error_report(const cmsghdr& header) {
  return (header.cmsg_level == SOL_IP && header.cmsg_type == IP_RECVERR) ||
         (header.cmsg_level == SOL_IPV6 && header.cmsg_type == IPV6_RECVERR);
}

void classify(const sock_extended_err& report, ErrorControl& out) {
  if (report.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) {
    if (report.ee_info != SCM_TSTAMP_SND) return;
    out.kind = ErrorControl::Kind::kTransmitStamp;
    out.stamp_id = report.ee_data;
  } else if (report.ee_origin == SO_EE_ORIGIN_ICMP || report.ee_origin == SO_EE_ORIGIN_ICMP6) {
    out.kind = ErrorControl::Kind::kIcmp;
    out.error = static_cast<int>(report.ee_errno);
  }
}

}  // namespace

void ControlWriter::put_source(const IpAddress& from, bool v6_socket) {
  if (v6_socket) {
    // The kernel takes an IPv4-mapped source here for an IPv4-mapped destination.
    put(SOL_IPV6, IPV6_PKTINFO, in6_pktinfo{to_kernel_v6(from), from.scope});
  } else {
    put(SOL_IP, IP_PKTINFO, in_pktinfo{0, to_kernel_v4(from), {}});
  }
}

void ControlWriter::put_traffic_class(std::uint8_t value, bool v6_datagram) {
  put(v6_datagram ? SOL_IPV6 : SOL_IP, v6_datagram ? IPV6_TCLASS : IP_TOS, int{value});
}

void ControlWriter::put_segment_size(std::uint16_t octets) {
  put(SOL_UDP, UDP_SEGMENT, octets);
}

void ControlWriter::put_stamp_request() {
  put(SOL_SOCKET, SO_TIMESTAMPING, std::uint32_t{SOF_TIMESTAMPING_TX_SOFTWARE});
}

void ControlWriter::put_stamp_id(std::uint32_t id) {
  put(SOL_SOCKET, kScmTimestampOptionId, id);
}

void ControlWriter::attach_to(msghdr& message) {
  message.msg_control = used_ == 0 ? nullptr : storage_.data();
  message.msg_controllen = used_;
}

ReceiveControl read_receive_control(const msghdr& message) {
  ReceiveControl out;
  for_each_control(message, [&out](const cmsghdr& header) {
    const int level = header.cmsg_level;
    const int type = header.cmsg_type;
    if (level == SOL_IP && type == IP_PKTINFO) {
      const auto info = payload<in_pktinfo>(header);
      out.to = local_address(info);
      out.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
    } else if (level == SOL_IPV6 && type == IPV6_PKTINFO) {
      const auto info = payload<in6_pktinfo>(header);
      out.to = from_kernel(info.ipi6_addr, info.ipi6_ifindex);
      out.interface = info.ipi6_ifindex;
    } else if (level == SOL_UDP && type == UDP_GRO) {
      const int stride = payload<int>(header);
      if (stride > 0) out.segment_size = static_cast<std::uint32_t>(stride);
    } else if (level == SOL_SOCKET && type == SO_RXQ_OVFL) {
      out.drop_reading = payload<std::uint32_t>(header);
    } else if (level == SOL_IP && type == IP_TOS) {
      out.traffic_class = payload<std::uint8_t>(header);  // an octet; IPv6's is an int (ipv6(7))
    } else if (level == SOL_IPV6 && type == IPV6_TCLASS) {
      out.traffic_class = static_cast<std::uint8_t>(payload<int>(header));
    } else if (const auto stamp = stamp_of(header)) {
      out.stamp = stamp;
    }
  });
  return out;
}

ErrorControl read_error_control(const msghdr& message) {
  ErrorControl out;
  for_each_control(message, [&out](const cmsghdr& header) {
    if (is_error_report(header)) {
      classify(payload<sock_extended_err>(header), out);
    } else if (const auto stamp = stamp_of(header)) {
      out.stamp = stamp;
    }
  });
  return out;
}

}  // namespace wyndrvr::os
