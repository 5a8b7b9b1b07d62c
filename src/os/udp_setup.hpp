// Opens and configures a UDP socket for UdpSocket; all of its socket options are set here.
//
// Required options fail with a Result; those that some kernels lack (GRO, GSO, stamps, large
// buffers) are tried, and `ConfiguredSocket` says what was got. Thread-safe: it holds nothing.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"
#include "os/udp_options.hpp"

namespace wyndrvr::os {

struct ConfiguredSocket {
  Fd fd;
  Endpoint local;
  std::optional<Endpoint> peer;
  bool v6 = false;
  bool dual_stack = false;  // an IPv6 socket that takes IPv4 too
  bool gro = false;
  bool gso = false;  // wanted, and known to the kernel
  bool transmit_stamps = false;
  StampSource stamp_source = StampSource::kNone;
};

// What of a socket's address stood against it, for who can choose another.
enum class OpenFailure : std::uint8_t {
  kPort,     // another has the port, or this process may not (EADDRINUSE, EACCES of bind(2))
  kAddress,  // no unicast address of this host: the port has nothing to do with it
  kHost,     // neither: descriptors, memory, what the kernel can do
};
struct OpenError : Error {
  OpenFailure failure = OpenFailure::kHost;
};
// What bind(2) says of the address by `error`, an errno value.
[[nodiscard]] OpenFailure bind_failure(int error);

// A new socket, bound to options.bind.
[[nodiscard]] std::expected<ConfiguredSocket, OpenError> open_udp_socket(const UdpOptions& options);
// A bound UDP socket made by another process; options.bind is not used.
[[nodiscard]] Result<ConfiguredSocket> adopt_udp_socket(Fd fd, const UdpOptions& options);

// One more socket on the address of a bound one, by the same interface, connected to options.peer.
// `others`: the descriptors of all that have been opened so and are still open. Nobody else's can
// share the address. Error: where half of the descriptors that this process may have are in use,
// which whoever only sends faster leaves to others; before Linux 3.9, beside another user's socket,
// where this process is confined, and where there is no route to the peer.
[[nodiscard]] Result<ConfiguredSocket> open_udp_socket_beside(const ConfiguredSocket& socket,
                                                              std::span<const int> others,
                                                              const UdpOptions& options);

// See UdpOptions::interface; empty: any. Errors begin with `purpose`, name the interface and say
// what to do. A socket that is bound to an interface keeps it.
[[nodiscard]] Result<void> bind_to_interface(int descriptor, const std::string& interface,
                                             std::string_view purpose);

// Error, which says what to do: Offload::kOn for what this kernel does not know. For the start of a
// program, before there are sockets that it is meant for.
[[nodiscard]] Result<void> check_offloads(const Offloads& offloads);

// Sets the kernel's count of stamped datagrams back to zero (SOF_TIMESTAMPING_OPT_ID). `arrivals`:
// whether arrival stamps are wanted too. False when the kernel refuses departure stamps.
[[nodiscard]] bool restart_transmit_stamps(int descriptor, bool arrivals);

// SO_RCVBUF or SO_SNDBUF in the unit in which it is asked for: the kernel doubles a request for its
// own book-keeping and reports the double (socket(7)).
[[nodiscard]] std::uint32_t granted_buffer(int descriptor, int option);

}  // namespace wyndrvr::os
