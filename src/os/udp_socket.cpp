#include "os/udp_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "os/route_mtu.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {

Result<UdpSocket> UdpSocket::open(const UdpOptions& options) {
  return try_open(options);
}

std::expected<UdpSocket, OpenError> UdpSocket::try_open(const UdpOptions& options) {
  auto socket = open_udp_socket(options);
  if (!socket) return std::unexpected(std::move(socket.error()));
  return UdpSocket(std::move(*socket), options);
}

Result<UdpSocket> UdpSocket::adopt(Fd fd, const UdpOptions& options) {
  auto socket = adopt_udp_socket(std::move(fd), options);
  if (!socket) return std::unexpected(std::move(socket.error()));
  return UdpSocket(std::move(*socket), options);
}

Result<UdpSocket> UdpSocket::open_connected(const Endpoint& peer,
                                            std::span<const int> others) const {
  UdpOptions options = options_;
  options.peer = peer;
  options.transmit_stamps = false;
  // What the path has refused it refuses again.
  if (!gso_available()) options.gso = Offload::kOff;
  auto socket = open_udp_socket_beside(socket_, others, options);
  if (!socket) return std::unexpected(std::move(socket.error()));
  return UdpSocket(std::move(*socket), std::move(options));
}

UdpSocket::UdpSocket(ConfiguredSocket socket, UdpOptions options)
    : socket_(std::move(socket)),
      options_(std::move(options)),
      slot_bytes_(socket_.gro ? ReceiveBuffer::kTrainSlot : options_.longest_datagram),
      explicit_stamp_ids_(options_.explicit_stamp_ids) {}

Result<std::span<const Received>> UdpSocket::receive(ReceiveBuffer& buffer) {
  // One call per pending error, or the datagrams behind it would wait for the next event. A flood
  // of ICMP errors must not hold up the loop: then the rest waits.
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    const auto headers = buffer.prepare(slot_bytes_);
    const int count = recvmmsg(fd(), headers.data(), static_cast<unsigned>(headers.size()),
                               MSG_DONTWAIT, nullptr);
    if (count >= 0) return buffer.collect(static_cast<std::size_t>(count), read_clocks(), drops_);
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (errno == EINTR) continue;
    if (!may_be_asynchronous(errno)) {
      return system_failure(fmt::format("cannot receive on UDP {}", to_string(local())),
                            "recvmmsg");
    }
    ++asynchronous_errors_;
  }
  return std::span<const Received>{};
}

std::optional<UdpSocket::Peeked> UdpSocket::peek(MutableByteView room) const {
  // One call more for each pending ICMP error, which comes first.
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    SocketAddress peer;
    alignas(cmsghdr) std::array<std::byte, kControlBytes> control_bytes;
    iovec vector{room.data(), room.size()};
    msghdr message{};
    message.msg_name = &peer.generic;
    message.msg_namelen = sizeof peer.v6;
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control_bytes.data();
    message.msg_controllen = control_bytes.size();
    const ssize_t count = recvmsg(fd(), &message, MSG_PEEK | MSG_DONTWAIT);
    if (count >= 0) {
      const auto size = static_cast<std::size_t>(count);
      const ReceiveControl control = read_receive_control(message);
      const std::size_t first = std::min<std::size_t>(control.segment_size.value_or(size), size);
      return Peeked{ByteView(room).first(first), to_endpoint(peer.generic).value_or(Endpoint{})};
    }
    if (errno != EINTR && !may_be_asynchronous(errno)) break;
  }
  return std::nullopt;
}

void UdpSocket::skip() const {
  msghdr message{};
  static_cast<void>(recvmsg(fd(), &message, MSG_DONTWAIT));
}

std::optional<TransmitStamp> UdpSocket::read_transmit_stamp() {
  // A flood of ICMP errors must not hold up the loop: what is left reports itself again.
  constexpr int kEntriesPerCall = 256;
  for (int i = 0; i < kEntriesPerCall; ++i) {
    SocketAddress peer;
    alignas(cmsghdr) std::array<std::byte, kControlBytes> control_bytes;
    msghdr message{};
    message.msg_name = &peer.generic;
    message.msg_namelen = sizeof peer.v6;
    message.msg_control = control_bytes.data();
    message.msg_controllen = control_bytes.size();
    // No room for the datagram itself: an ICMP error brings a copy, which is of no use here.
    if (recvmsg(fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      return std::nullopt;
    }
    peer.length = message.msg_namelen;
    const ErrorControl control = read_error_control(message);
    if (control.kind == ErrorControl::Kind::kIcmp) note_peer_error(control, peer);
    if (control.kind != ErrorControl::Kind::kTransmitStamp) continue;
    if (const auto stamp = match_stamp(control)) return stamp;
  }
  return std::nullopt;
}

std::optional<TransmitStamp> UdpSocket::match_stamp(const ErrorControl& control) {
  if (!control.stamp) return std::nullopt;
  const auto token = explicit_stamp_ids_ ? std::optional(control.stamp_id)
                                         : ledger_.take(control.stamp_id, *control.stamp);
  if (!token) return std::nullopt;
  return TransmitStamp{*token, instant_of(*control.stamp, read_clocks())};
}

void UdpSocket::note_peer_error(const ErrorControl& control, const SocketAddress& peer) {
  // The peer is there; only this size does not get to it.
  const bool too_big = control.error == EMSGSIZE;
  ++(too_big ? too_big_errors_ : peer_error_count_);
  if (peer.length == 0) return;
  const auto endpoint = to_endpoint(peer.generic);
  // Full means that the owner does not look; the counts say how many there were.
  if (endpoint && too_big && !too_big_.full()) {
    static_cast<void>(too_big_.push({*endpoint, control.mtu}));
  } else if (endpoint && !too_big && !peer_errors_.full()) {
    static_cast<void>(peer_errors_.push({control.error, *endpoint, control.icmp, control.by}));
  }
}

std::uint32_t UdpSocket::receive_buffer_granted() const {
  return granted_buffer(fd(), SO_RCVBUF);
}

std::uint32_t UdpSocket::send_buffer_granted() const {
  return granted_buffer(fd(), SO_SNDBUF);
}

std::uint64_t UdpSocket::refresh_receive_drops() {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t length = sizeof info;
  const bool known = getsockopt(fd(), SOL_SOCKET, SO_MEMINFO, info.data(), &length) == 0 &&
                     length > SK_MEMINFO_DROPS * sizeof info[0];
  if (known) drops_.observe(info[SK_MEMINFO_DROPS]);
  return drops_.total();
}

Result<IpAddress> local_address_towards(const Endpoint& peer, const std::string& interface) {
  const std::string purpose = fmt::format("cannot find a route to {}", to_string(peer.address));
  const auto fd = connect_towards({.peer = peer, .interface = interface}, purpose);
  if (!fd) return std::unexpected(fd.error());
  SocketAddress local;
  local.length = sizeof local.v6;
  if (getsockname(fd->get(), &local.generic, &local.length) != 0) {
    return system_failure(purpose, "getsockname");
  }
  const auto endpoint = to_endpoint(local.generic);
  if (!endpoint) return fail("{}: unknown address family", purpose);
  return endpoint->address;
}

bool may_be_asynchronous(int error) {
  switch (error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EMSGSIZE:
    case EPROTO:
    case EACCES:
      return true;
    default:
      return false;
  }
}

}  // namespace wyndrvr::os
