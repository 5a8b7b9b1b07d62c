#include "os/udp_setup.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "base/check.hpp"
#include "os/confinement.hpp"
#include "os/descriptor_limit.hpp"
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

// Empty: to none.
std::string bound_interface(int descriptor) {
  std::array<char, IFNAMSIZ> name{};
  socklen_t length = name.size();
  const bool known =
      getsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name.data(), &length) == 0 && length > 0;
  return known ? std::string(name.data()) : std::string();
}

// What a person can do about an interface that cannot be used.
std::string interface_advice(int error) {
  if (error == ENODEV) return "; `ip link` lists this host's interfaces";
  if (error == EPERM) {
    return "; before Linux 5.7 only root or CAP_NET_RAW may choose an interface: grant it, or "
           "leave the interface out and bind one of its addresses";
  }
  return limit_advice(error);
}

std::unexpected<OpenError> host_failure(std::unexpected<Error> failed) {
  return std::unexpected(OpenError{std::move(failed.error()), OpenFailure::kHost});
}

std::expected<Fd, OpenError> open_bound(const Endpoint& local, const UdpOptions& options) {
  const bool v6 = local.address.is_v6();
  Fd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const std::string purpose = fmt::format("cannot open a UDP socket on {}", to_string(local));
  if (!fd.valid()) {
    const int error = errno;
    const bool no_v6 = v6 && error == EAFNOSUPPORT;
    return host_failure(
        fail("{}: socket: {}{}{}", purpose, error_text(error), limit_advice(error),
             no_v6 ? "; this host has no IPv6: bind an IPv4 address such as 0.0.0.0" : ""));
  }
  const bool v6_only = options.v6_only || !local.address.is_unspecified();
  if (v6 && !set_option(fd.get(), SOL_IPV6, IPV6_V6ONLY, v6_only)) {
    return host_failure(system_failure(purpose, "setsockopt IPV6_V6ONLY"));
  }
  // Before bind(2): the same port of another interface is then no conflict.
  if (auto bound = bind_to_interface(fd.get(), options.interface, purpose); !bound) {
    return host_failure(std::unexpected(std::move(bound.error())));
  }
  const SocketAddress address = to_socket_address(local);
  if (::bind(fd.get(), &address.generic, address.length) != 0) {
    const int error = errno;
    auto failed =
        fail("{}: bind: {}{}", purpose, error_text(error), bind_advice(error, local.port));
    return std::unexpected(OpenError{std::move(failed.error()), bind_failure(error)});
  }
  return fd;
}

// False where there is no route.
bool connect_to(int descriptor, const Endpoint& peer) {
  const bool v6 = get_option(descriptor, SOL_SOCKET, SO_DOMAIN) == AF_INET6;
  if (peer.address.is_v6() && !v6) {
    errno = EAFNOSUPPORT;
    return false;
  }
  const SocketAddress address = v6 ? to_v6_socket_address(peer) : to_socket_address(peer);
  return ::connect(descriptor, &address.generic, address.length) == 0;
}

std::optional<Endpoint> peer_endpoint(int descriptor) {
  SocketAddress address;
  address.length = sizeof address.v6;
  if (getpeername(descriptor, &address.generic, &address.length) != 0) return std::nullopt;
  return to_endpoint(address.generic);
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

std::unexpected<Error> setup_failure(const ConfiguredSocket& socket, std::string_view option) {
  const int error = errno;
  return system_failure(fmt::format("cannot set up UDP socket {}", to_string(socket.local)),
                        fmt::format("setsockopt {}", option), error);
}

// One setting under its two names.
struct FamilyOption {
  int v4;
  int v6;
  std::string_view v4_name;
  std::string_view v6_name;
};
constexpr FamilyOption kErrorQueue{IP_RECVERR, IPV6_RECVERR, "IP_RECVERR", "IPV6_RECVERR"};
constexpr FamilyOption kTrafficClass{IP_TOS, IPV6_TCLASS, "IP_TOS", "IPV6_TCLASS"};
constexpr FamilyOption kHopLimit{IP_TTL, IPV6_UNICAST_HOPS, "IP_TTL", "IPV6_UNICAST_HOPS"};
constexpr FamilyOption kReceiveTrafficClass{IP_RECVTOS, IPV6_RECVTCLASS, "IP_RECVTOS",
                                            "IPV6_RECVTCLASS"};
constexpr FamilyOption kMtuDiscovery{IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, "IP_MTU_DISCOVER",
                                     "IPV6_MTU_DISCOVER"};

// For each family that the socket speaks: IPv4 on a dual-stack socket goes by IPv4's options.
Result<void> set_for_families(const ConfiguredSocket& socket, const FamilyOption& option,
                              int value) {
  const int fd = socket.fd.get();
  if (socket.v6 && !set_option(fd, SOL_IPV6, option.v6, value)) {
    return setup_failure(socket, option.v6_name);
  }
  if ((!socket.v6 || socket.dual_stack) && !set_option(fd, SOL_IP, option.v4, value)) {
    return setup_failure(socket, option.v4_name);
  }
  return {};
}

// PROBE and not DO (ip(7)). Both set DF and fail with EMSGSIZE above the interface's MTU. DO also
// believes ICMP's "too big", which needs no more than our address and port to forge: one of them
// would forbid this socket anything above 552 octets for ten minutes. With PROBE it costs a pending
// error, which the next call takes off the socket; after a true one, the datagrams are lost at the
// narrow link, fragmented nowhere, and told (UdpSocket::take_too_big). Nor does PROBE see an
// MTU that is set for the route: route_mtu() does. INTERFACE ignores ICMP altogether, but leaves
// DF out.
constexpr int kNeverFragment = IP_PMTUDISC_PROBE;
static_assert(kNeverFragment == IPV6_PMTUDISC_PROBE);

Result<void> set_sending(const ConfiguredSocket& socket, const UdpOptions& options) {
  Result<void> done;
  if (options.traffic_class != 0) {
    done = set_for_families(socket, kTrafficClass, options.traffic_class);
  }
  if (done && options.hop_limit) {
    // IPv6 would take 0 and send what no router passes on; IPv4 refuses it.
    if (*options.hop_limit == 0) {
      return fail("cannot set up UDP socket {}: a hop limit is 1 to 255", to_string(socket.local));
    }
    done = set_for_families(socket, kHopLimit, *options.hop_limit);
  }
  if (done && options.never_fragment) {
    done = set_for_families(socket, kMtuDiscovery, kNeverFragment);
  }
  return done;
}

// How a socket sends, and what it notes of what it receives, on another one of the same family. Who
// has adopted the first one may not know what its opener has set.
void copy_sending(int from, const ConfiguredSocket& to) {
  for (const FamilyOption* option :
       {&kTrafficClass, &kHopLimit, &kMtuDiscovery, &kReceiveTrafficClass}) {
    for (const auto& [level, name] :
         {std::pair(SOL_IPV6, option->v6), std::pair(SOL_IP, option->v4)}) {
      if (level == SOL_IPV6 && !to.v6) continue;
      // A refusal leaves the default, as it would have on the first one.
      const auto value = get_option(from, level, name);
      if (value) static_cast<void>(set_option(to.fd.get(), level, name, *value));
    }
  }
}

Result<void> set_required(const ConfiguredSocket& socket, const UdpOptions& options) {
  const int fd = socket.fd.get();
  const int destination = options.receive_destination ? 1 : 0;
  if (socket.v6 && !set_option(fd, SOL_IPV6, IPV6_RECVPKTINFO, destination)) {
    return setup_failure(socket, "IPV6_RECVPKTINFO");
  }
  if ((!socket.v6 || socket.dual_stack) && !set_option(fd, SOL_IP, IP_PKTINFO, destination)) {
    return setup_failure(socket, "IP_PKTINFO");
  }
  if (!set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1)) return setup_failure(socket, "SO_RXQ_OVFL");
  if (auto done = set_for_families(socket, kErrorQueue, options.error_queue); !done) return done;
  return set_sending(socket, options);
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

// Error only where it has to be there.
Result<void> set_offloads(ConfiguredSocket& socket, const Offloads& wanted) {
  const int fd = socket.fd.get();
  // Whether the path takes it too shows at the first train.
  const auto standing_size = get_option(fd, SOL_UDP, UDP_SEGMENT);
  // One that was adopted may have one, which would cut everything.
  if (standing_size && *standing_size != 0) {
    static_cast<void>(set_option(fd, SOL_UDP, UDP_SEGMENT, 0));
  }
  socket.gso = wanted.gso != Offload::kOff && standing_size.has_value();
  if (wanted.gso == Offload::kOn && !socket.gso) {
    return fail(
        "this kernel cannot cut trains of datagrams: UDP_SEGMENT: {}; it takes Linux 4.18: "
        "set gso to auto or off",
        error_text(errno));
  }
  if (wanted.gro == Offload::kOff) {
    // One that was adopted may have it on; a kernel that refuses to end it never began.
    static_cast<void>(set_option(fd, SOL_UDP, UDP_GRO, 0));
    return {};
  }
  socket.gro = set_option(fd, SOL_UDP, UDP_GRO, 1);
  if (wanted.gro == Offload::kOn && !socket.gro) {
    return fail(
        "this kernel cannot receive trains of datagrams as one: UDP_GRO: {}; it takes "
        "Linux 5.0: set gro to auto or off",
        error_text(errno));
  }
  return {};
}

Result<ConfiguredSocket> configure(Fd fd, const UdpOptions& options) {
  ConfiguredSocket socket;
  socket.fd = std::move(fd);
  const int descriptor = socket.fd.get();
  const auto local = local_endpoint(descriptor);
  if (!local) return std::unexpected(local.error());
  socket.local = *local;
  socket.peer = peer_endpoint(descriptor);
  socket.v6 = get_option(descriptor, SOL_SOCKET, SO_DOMAIN) == AF_INET6;
  socket.dual_stack = socket.v6 && get_option(descriptor, SOL_IPV6, IPV6_V6ONLY) == 0;

  if (auto required = set_required(socket, options); !required) {
    return std::unexpected(std::move(required.error()));
  }
  set_buffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer);
  set_buffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer);
  set_stamps(socket, options);
  if (options.receive_traffic_class) {
    // Refused: Received::traffic_class is absent, which says so.
    static_cast<void>(set_for_families(socket, kReceiveTrafficClass, 1));
  }
  if (auto set = set_offloads(socket, {.gso = options.gso, .gro = options.gro}); !set) {
    return std::unexpected(std::move(set.error()));
  }
  return socket;
}

}  // namespace

OpenFailure bind_failure(int error) {
  switch (error) {
    case EADDRINUSE:
    case EACCES:
      return OpenFailure::kPort;
    case EADDRNOTAVAIL:
    case EINVAL:        // a link-local address without its interface
    case ENODEV:        // or with one that is gone
    case EAFNOSUPPORT:  // of a family that the socket does not speak
      return OpenFailure::kAddress;
    default:
      return OpenFailure::kHost;
  }
}

std::expected<ConfiguredSocket, OpenError> open_udp_socket(const UdpOptions& options) {
  const Endpoint local{unmapped(options.bind.address), options.bind.port};
  auto fd = open_bound(local, options);
  if (!fd) return std::unexpected(std::move(fd.error()));
  // Best effort: without a route it stays without a peer, and sends fail for the same reason.
  if (options.peer) static_cast<void>(connect_to(fd->get(), *options.peer));
  auto socket = configure(std::move(*fd), options);
  if (!socket) return host_failure(std::unexpected(std::move(socket.error())));
  return std::move(*socket);
}

Result<ConfiguredSocket> open_udp_socket_beside(const ConfiguredSocket& socket,
                                                std::span<const int> others,
                                                const UdpOptions& options) {
  WYNDRVR_CHECK(options.peer.has_value());
  const std::string purpose = fmt::format("cannot open a second UDP socket from {} to {}",
                                          to_string(socket.local), to_string(*options.peer));
  if (!may_open_sockets()) return fail("{}: this process may open none", purpose);
  const int first = socket.fd.get();
  Fd fd(::socket(socket.v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return system_failure(purpose, "socket");
  // It is the lowest that was free.
  if (const auto limit = descriptor_limit(); static_cast<std::uint64_t>(fd.get()) >= limit / 2) {
    return fail("{}: half of the {} descriptors that this process may have are in use", purpose,
                limit);
  }
  if (socket.v6 && !set_option(fd.get(), SOL_IPV6, IPV6_V6ONLY, !socket.dual_stack)) {
    return system_failure(purpose, "setsockopt IPV6_V6ONLY");
  }
  if (auto bound = bind_to_interface(fd.get(), bound_interface(first), purpose); !bound) {
    return std::unexpected(std::move(bound.error()));
  }
  SocketAddress address;
  address.length = sizeof address.v6;
  if (getsockname(first, &address.generic, &address.length) != 0) {
    return system_failure(purpose, "getsockname");
  }
  // bind(2) asks it of all that have the address, and later of everybody else who would have it:
  // for this moment alone.
  const auto share = [&](int shared) {
    bool done = set_option(first, SOL_SOCKET, SO_REUSEPORT, shared);
    done = set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, shared) && done;
    for (const int other : others) {
      done = set_option(other, SOL_SOCKET, SO_REUSEPORT, shared) && done;
    }
    return done;
  };
  const bool shared = share(1) && ::bind(fd.get(), &address.generic, address.length) == 0;
  const int error = errno;
  share(0);
  if (!shared) return system_failure(purpose, "bind", error);
  if (!connect_to(fd.get(), *options.peer)) return system_failure(purpose, "connect");
  auto configured = configure(std::move(fd), options);
  if (configured) copy_sending(first, *configured);
  return configured;
}

Result<void> check_offloads(const Offloads& offloads) {
  if (offloads.gso != Offload::kOn && offloads.gro != Offload::kOn) return {};
  ConfiguredSocket trial;
  trial.fd = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // Without a socket there is nothing to learn; who needs one will say why there is none.
  if (!trial.fd.valid()) return {};
  return set_offloads(trial, offloads);
}

Result<ConfiguredSocket> adopt_udp_socket(Fd fd, const UdpOptions& options) {
  if (get_option(fd.get(), SOL_SOCKET, SO_TYPE) != SOCK_DGRAM) {
    return fail("descriptor {} is not a UDP socket", fd.get());
  }
  const std::string purpose = fmt::format("cannot take over UDP socket {}", fd.get());
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return system_failure(purpose, "fcntl");
  }
  if (auto bound = bind_to_interface(fd.get(), options.interface, purpose); !bound) {
    return std::unexpected(std::move(bound.error()));
  }
  return configure(std::move(fd), options);
}

Result<void> bind_to_interface(int descriptor, const std::string& interface,
                               std::string_view purpose) {
  // A worker without rights may not set again what is set, and cannot tell whether it is the same:
  // an interface has several names (`ip link`: altname).
  if (interface.empty() || !bound_interface(descriptor).empty()) return {};
  int error = 0;
  if (interface.size() >= IFNAMSIZ) {
    error = ENODEV;  // the kernel would cut it, and might find another
  } else if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                        static_cast<socklen_t>(interface.size())) != 0) {
    error = errno;
  }
  if (error == 0) return {};
  return fail("{}: interface {}: setsockopt SO_BINDTODEVICE: {}{}", purpose, interface,
              error_text(error), interface_advice(error));
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
