#include "os/udp_setup.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "os/limit_advice.hpp"
#include "os/socket_address.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

constexpr unsigned kArrivalFlags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
// The stamp alone and not the datagram comes back (TSONLY), with a number (ID).
constexpr unsigned kDepartureFlags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY |
                                     SOF_TIMESTAMPING_OPT_CMSG | SOF_TIMESTAMPING_OPT_ID;

bool set_option(int descriptor, int level, int name, int value) {
  return setsockopt(descriptor, level, name, &value, sizeof value) == 0;
}

std::optional<int> get_option(int descriptor, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  if (getsockopt(descriptor, level, name, &value, &length) != 0) return std::nullopt;
  return value;
}

bool set_stamping(int descriptor, unsigned flags) {
  return set_option(descriptor, SOL_SOCKET, SO_TIMESTAMPING, static_cast<int>(flags));
}

// What a person can do about a bind(2) that failed.
std::string bind_advice(int error, Port port) {
  if (error == EADDRINUSE) {
    return fmt::format(
        "; another program holds that address and port (`ss -ulpn sport = :{}` names it): stop it "
        "or choose another port",
        port.value);
  }
  if (error == EADDRNOTAVAIL) return "; no interface of this host has that address (`ip address`)";
  if (error == EACCES) {
    return "; ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a higher port";
  }
  return {};
}

Result<Fd> open_bound(const Endpoint& local) {
  const bool v6 = local.address.is_v6();
  Fd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const std::string purpose = fmt::format("cannot open a UDP socket on {}", to_string(local));
  if (!fd.valid()) {
    const int error = errno;
    const bool no_v6 = v6 && error == EAFNOSUPPORT;
    return fail("{}: socket: {}{}{}", purpose, error_text(error), limit_advice(error),
                no_v6 ? "; this host has no IPv6: bind an IPv4 address such as 0.0.0.0" : "");
  }
  if (v6 && !set_option(fd.get(), SOL_IPV6, IPV6_V6ONLY, !local.address.is_unspecified())) {
    return system_failure(purpose, "setsockopt IPV6_V6ONLY");
  }
  const SocketAddress address = to_socket_address(local);
  if (::bind(fd.get(), &address.generic, address.length) != 0) {
    const int error = errno;
    return fail("{}: bind: {}{}", purpose, error_text(error), bind_advice(error, local.port));
  }
  return fd;
}

Result<Endpoint> local_endpoint(int descriptor) {
  SocketAddress address;
  address.length = sizeof address.v6;
  if (getsockname(descriptor, &address.generic, &address.length) != 0) {
    return system_failure("cannot tell the address of a UDP socket", "getsockname");
  }
  const auto endpoint = to_endpoint(address.generic);
  if (!endpoint) return fail("a socket that should be UDP over IPv4 or IPv6 is neither");
  return *endpoint;
}

// Beyond the system's limit where we may (needs CAP_NET_ADMIN), else up to it. What was got is
// asked for later, so a refusal is no failure.
void set_buffer(int descriptor, int forced, int ordinary, std::uint32_t octets) {
  constexpr std::uint32_t kLargest = 1U << 30U;  // the kernel doubles it into an int
  if (octets == 0) return;
  const int value = static_cast<int>(std::min(octets, kLargest));
  if (!set_option(descriptor, SOL_SOCKET, forced, value)) {
    set_option(descriptor, SOL_SOCKET, ordinary, value);
  }
}

Result<void> set_required(const ConfiguredSocket& socket, const UdpOptions& options) {
  const int fd = socket.fd.get();
  const std::string purpose = fmt::format("cannot set up UDP socket {}", to_string(socket.local));
  if (socket.v6 && !set_option(fd, SOL_IPV6, IPV6_RECVPKTINFO, 1)) {
    return system_failure(purpose, "setsockopt IPV6_RECVPKTINFO");
  }
  if (!socket.v6 && !set_option(fd, SOL_IP, IP_PKTINFO, 1)) {
    return system_failure(purpose, "setsockopt IP_PKTINFO");
  }
  if (!set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1)) {
    return system_failure(purpose, "setsockopt SO_RXQ_OVFL");
  }
  if (socket.v6 && !set_option(fd, SOL_IPV6, IPV6_RECVERR, options.error_queue)) {
    return system_failure(purpose, "setsockopt IPV6_RECVERR");
  }
  if ((!socket.v6 || socket.dual_stack) &&
      !set_option(fd, SOL_IP, IP_RECVERR, options.error_queue)) {
    return system_failure(purpose, "setsockopt IP_RECVERR");
  }
  return {};
}

void set_stamps(ConfiguredSocket& socket, const UdpOptions& options) {
  const int fd = socket.fd.get();
  if (options.transmit_stamps) {
    socket.transmit_stamps = restart_transmit_stamps(fd, options.receive_stamps);
  }
  if (!options.receive_stamps) return;
  if (socket.transmit_stamps || set_stamping(fd, kArrivalFlags)) {
    socket.stamp_source = StampSource::kTimestamping;
  } else if (set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1)) {
    socket.stamp_source = StampSource::kTimestampNs;
  }
}

Result<ConfiguredSocket> configure(Fd fd, const UdpOptions& options) {
  ConfiguredSocket socket;
  socket.fd = std::move(fd);
  const int descriptor = socket.fd.get();
  const auto local = local_endpoint(descriptor);
  if (!local) return std::unexpected(local.error());
  socket.local = *local;
  socket.v6 = get_option(descriptor, SOL_SOCKET, SO_DOMAIN) == AF_INET6;
  socket.dual_stack = socket.v6 && get_option(descriptor, SOL_IPV6, IPV6_V6ONLY) == 0;

  if (auto required = set_required(socket, options); !required) {
    return std::unexpected(std::move(required.error()));
  }
  set_buffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer);
  set_buffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer);
  set_stamps(socket, options);
  socket.gro = options.gro && set_option(descriptor, SOL_UDP, UDP_GRO, 1);
  // Known to the kernel; whether the path takes it shows at the first train.
  socket.gso = get_option(descriptor, SOL_UDP, UDP_SEGMENT).has_value();
  return socket;
}

}  // namespace

Result<ConfiguredSocket> open_udp_socket(const UdpOptions& options) {
  const Endpoint local{unmapped(options.bind.address), options.bind.port};
  auto fd = open_bound(local);
  if (!fd) return std::unexpected(std::move(fd.error()));
  return configure(std::move(*fd), options);
}

Result<ConfiguredSocket> adopt_udp_socket(Fd fd, const UdpOptions& options) {
  if (get_option(fd.get(), SOL_SOCKET, SO_TYPE) != SOCK_DGRAM) {
    return fail("descriptor {} is not a UDP socket", fd.get());
  }
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return system_failure(fmt::format("cannot take over UDP socket {}", fd.get()), "fcntl");
  }
  return configure(std::move(fd), options);
}

bool restart_transmit_stamps(int descriptor, bool arrivals) {
  const unsigned base = arrivals ? kArrivalFlags : 0;
  // The count restarts when the flag is set anew, so it is taken away first.
  return set_stamping(descriptor, base) && set_stamping(descriptor, base | kDepartureFlags);
}

std::uint32_t granted_buffer(int descriptor, int option) {
  return static_cast<std::uint32_t>(get_option(descriptor, SOL_SOCKET, option).value_or(0)) / 2;
}

}  // namespace wyndrvr::os
