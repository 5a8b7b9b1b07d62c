#include "os/control_messages.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

#include "os/socket_address.hpp"

namespace wyndrvr::os {
namespace {

// From Linux 6.13's asm-generic/socket.h; the headers of Debian 12 are older.
constexpr int kScmTimestampOptionId = 81;

// The most that one datagram brings: address (IPv4's on a dual-stack socket in both notations),
// times, drops, GRO stride, traffic class.
static_assert(CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo)) +
                  CMSG_SPACE(sizeof(scm_timestamping)) + CMSG_SPACE(sizeof(std::uint32_t)) +
                  2 * CMSG_SPACE(sizeof(int)) <=
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

// The kernel looks up `ipi_spec_dst` anew where the datagram was not sent to one of our unicast
// addresses, and so it differs exactly then.
bool is_to_group(const in_pktinfo& info) {
  return info.ipi_spec_dst.s_addr != 0 && info.ipi_spec_dst.s_addr != info.ipi_addr.s_addr;
}

bool is_error_report(const cmsghdr& header) {
  return (header.cmsg_level == SOL_IP && header.cmsg_type == IP_RECVERR) ||
         (header.cmsg_level == SOL_IPV6 && header.cmsg_type == IPV6_RECVERR);
}

// RFC 792 and RFC 1812, section 5.2.7.1.
IcmpError icmp_error_of(std::uint8_t type, std::uint8_t code) {
  if (type == ICMP_TIME_EXCEEDED) return IcmpError::kTime;
  if (type != ICMP_DEST_UNREACH) return IcmpError::kOther;
  switch (code) {
    case ICMP_NET_UNREACH:
    case ICMP_NET_UNKNOWN:
    case ICMP_NET_UNR_TOS:
      return IcmpError::kNet;
    case ICMP_HOST_UNREACH:
    case ICMP_HOST_UNKNOWN:
    case ICMP_HOST_ISOLATED:
    case ICMP_HOST_UNR_TOS:
      return IcmpError::kHost;
    case ICMP_PROT_UNREACH:
      return IcmpError::kProtocol;
    case ICMP_PORT_UNREACH:
      return IcmpError::kPort;
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
    case ICMP_PKT_FILTERED:
    case ICMP_PREC_VIOLATION:
    case ICMP_PREC_CUTOFF:
      return IcmpError::kProhibited;
    default:
      return IcmpError::kOther;
  }
}

// RFC 4443, section 3.1; the header of Linux has no names for 5 and 6.
IcmpError icmp6_error_of(std::uint8_t type, std::uint8_t code) {
  constexpr std::uint8_t kPolicyFailed = 5;
  constexpr std::uint8_t kRejectRoute = 6;
  if (type == ICMP6_TIME_EXCEEDED) return IcmpError::kTime;
  // "Unrecognized next header": there is no UDP.
  if (type == ICMP6_PARAM_PROB && code == ICMP6_PARAMPROB_NEXTHEADER) return IcmpError::kProtocol;
  if (type != ICMP6_DST_UNREACH) return IcmpError::kOther;
  switch (code) {
    case ICMP6_DST_UNREACH_NOROUTE:
      return IcmpError::kNet;
    case ICMP6_DST_UNREACH_BEYONDSCOPE:
    case ICMP6_DST_UNREACH_ADDR:
      return IcmpError::kHost;
    case ICMP6_DST_UNREACH_NOPORT:
      return IcmpError::kPort;
    case ICMP6_DST_UNREACH_ADMIN:
    case kPolicyFailed:
    case kRejectRoute:
      return IcmpError::kProhibited;
    default:
      return IcmpError::kOther;
  }
}

void classify(const sock_extended_err& report, ErrorControl& out) {
  if (report.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) {
    if (report.ee_info != SCM_TSTAMP_SND) return;
    out.kind = ErrorControl::Kind::kTransmitStamp;
    out.stamp_id = report.ee_data;
  } else if (report.ee_origin == SO_EE_ORIGIN_ICMP || report.ee_origin == SO_EE_ORIGIN_ICMP6) {
    out.kind = ErrorControl::Kind::kIcmp;
    out.error = static_cast<int>(report.ee_errno);
    out.icmp = report.ee_origin == SO_EE_ORIGIN_ICMP
                   ? icmp_error_of(report.ee_type, report.ee_code)
                   : icmp6_error_of(report.ee_type, report.ee_code);
    if (out.error == EMSGSIZE) out.mtu = report.ee_info;
  }
}

// SO_EE_OFFENDER: an address behind the report, in the same control message (ip(7)).
std::optional<IpAddress> offender_of(const cmsghdr& header) {
  constexpr std::size_t kReport = sizeof(sock_extended_err);
  if (header.cmsg_len < CMSG_LEN(kReport + sizeof(sockaddr_in))) return std::nullopt;
  SocketAddress address;
  const std::size_t room =
      std::min<std::size_t>(header.cmsg_len - CMSG_LEN(kReport), sizeof address.v6);
  std::memcpy(&address, CMSG_DATA(&header) + kReport, room);
  const sa_family_t family = address.generic.sa_family;
  if (family != AF_INET && (family != AF_INET6 || room < sizeof address.v6)) return std::nullopt;
  const auto endpoint = to_endpoint(address.generic);
  return endpoint ? std::optional(endpoint->address) : std::nullopt;
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
      out.to_group = is_to_group(info);
      out.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
    } else if (level == SOL_IPV6 && type == IPV6_PKTINFO) {
      // Of IPv4 on a dual-stack socket IP_PKTINFO knows more.
      const auto info = payload<in6_pktinfo>(header);
      if (!out.to) {
        out.to = from_kernel(info.ipi6_addr, info.ipi6_ifindex);
        out.interface = info.ipi6_ifindex;
      }
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
      if (out.kind == ErrorControl::Kind::kIcmp) out.by = offender_of(header);
    } else if (const auto stamp = stamp_of(header)) {
      out.stamp = stamp;
    }
  });
  return out;
}

}  // namespace wyndrvr::os
