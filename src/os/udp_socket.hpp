// A non-blocking UDP socket that works in batches and tells times by the kernel's stamps.
//
// It sends single datagrams and trains of equal segments (UDP_SEGMENT, or sendmmsg where that is
// not to be had), and receives batches into a ReceiveBuffer. It does not wait (that is Poller),
// resolve names or know the protocol. One thread at a time. Nothing is allocated after opening.
//
// Watch the descriptor with Poller; on `error`, call read_transmit_stamp() until it has no more,
// for an unread error queue reports itself again and again.
//
// Example:
//   auto socket = UdpSocket::open({.bind = {address, Port{6711}}, .gro = Offload::kAuto});
//   if (!socket) return std::unexpected(socket.error());
//   ReceiveBuffer buffer(4, ReceiveBuffer::kTrainSlot);
//   const auto batch = socket->receive(buffer);
//   if (batch) for (const Received& datagram : *batch) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/bounded_queue.hpp"
#include "base/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "os/control_messages.hpp"
#include "os/drop_counter.hpp"
#include "os/receive_batch.hpp"
#include "os/send_request.hpp"
#include "os/socket_address.hpp"
#include "os/transmit_stamps.hpp"
#include "os/udp_options.hpp"
#include "os/udp_setup.hpp"

namespace wyndrvr::os {

class UdpSocket {
 public:
  // Errors name the address and say what to do. The address is shared with
  // those of open_connected() alone.
  [[nodiscard]] static Result<UdpSocket> open(const UdpOptions& options);
  // The same, for who would try another port.
  [[nodiscard]] static std::expected<UdpSocket, OpenError> try_open(const UdpOptions& options);
  // Takes over a bound socket that another process opened; options.bind is not used.
  [[nodiscard]] static Result<UdpSocket> adopt(Fd fd, const UdpOptions& options);

  // One more socket on this one's address, set up as this one is, but connected to `peer`: it takes
  // what comes from there from now on, and this one everything else. It has no transmit stamps.
  // `others`: the descriptors of all that have been opened so and are still open. Error: see
  // open_udp_socket_beside().
  [[nodiscard]] Result<UdpSocket> open_connected(const Endpoint& peer,
                                                 std::span<const int> others = {}) const;

  // One recvmmsg(2): what is there now, at most buffer.slot_count() buffers, which is then as this
  // socket needs it (UdpOptions::longest_datagram); empty when nothing is.
  // ICMP errors that the kernel reports here are counted (asynchronous_errors) and skipped.
  [[nodiscard]] Result<std::span<const Received>> receive(ReceiveBuffer& buffer);

  // A look at the datagram that waits at the front and stays there; nothing where none waits. Of a
  // train it is the first. Of a longer one than `room`, the beginning.
  struct Peeked {
    ByteView bytes;  // in `room`
    Endpoint from;
  };
  [[nodiscard]] std::optional<Peeked> peek(MutableByteView room) const;
  // Throws the datagram, or the train, at the front away.
  void skip() const;

  // Sends one datagram, or a train of at most kMaxTrainSegments and kMaxTrainBytes (more is our own
  // bug). Part of a train may have gone when the status is not kDone. One system call sends a train
  // as super-packets, of as many segments as the kernel takes; a path that refuses them gets the
  // same octets as datagrams by sendmmsg, and the socket remembers. So does a path with a full
  // queue, for a while. A destination or source of a
  // family that the socket does not speak fails with EAFNOSUPPORT.
  [[nodiscard]] SendOutcome send(const SendRequest& request);

  // The next departure time, in the order in which the kernel reports them; nothing when there is
  // none (yet). Reads the error queue, and so also feeds take_peer_error().
  [[nodiscard]] std::optional<TransmitStamp> read_transmit_stamp();
  // The oldest ICMP error but "too big" read off the error queue so far (needs
  // UdpOptions::error_queue).
  [[nodiscard]] std::optional<PeerUnreachable> take_peer_error() { return peer_errors_.pop(); }
  // The oldest "too big", likewise. It may be forged, by whoever knows the socket's address and
  // port.
  [[nodiscard]] std::optional<PacketTooBig> take_too_big() { return too_big_.pop(); }

  [[nodiscard]] int fd() const { return socket_.fd.get(); }
  // Gives the descriptor away, for another process or thread to adopt; the object is then dead.
  [[nodiscard]] Fd release() { return std::move(socket_.fd); }
  [[nodiscard]] const Endpoint& local() const { return socket_.local; }
  [[nodiscard]] const std::optional<Endpoint>& peer() const { return socket_.peer; }
  // In the unit of UdpOptions, see granted_buffer().
  [[nodiscard]] std::uint32_t receive_buffer_granted() const;
  [[nodiscard]] std::uint32_t send_buffer_granted() const;
  // Whether trains go out as super-packets: wanted, known to the kernel, and not refused so far.
  [[nodiscard]] bool gso_available() const { return socket_.gso; }
  // Whether they do at every length that was sent so far, and at present.
  [[nodiscard]] bool gso_unrefused() const {
    return socket_.gso && !gso_rests_until_ &&
           too_long_for_gso_ == std::numeric_limits<std::uint32_t>::max();
  }
  [[nodiscard]] bool gro_enabled() const { return socket_.gro; }
  [[nodiscard]] StampSource stamp_source() const { return socket_.stamp_source; }
  [[nodiscard]] bool transmit_stamps_available() const { return socket_.transmit_stamps; }

  // Datagrams that found the receive buffer full, as of the last one received (SO_RXQ_OVFL).
  [[nodiscard]] std::uint64_t receive_drops() const { return drops_.total(); }
  // The same as of now, by a system call of its own: counts drops that no datagram followed.
  std::uint64_t refresh_receive_drops();
  // Pending errors that receive and send came across.
  [[nodiscard]] std::uint64_t asynchronous_errors() const { return asynchronous_errors_; }
  // ICMP errors read off the error queue, also those that take_peer_error() had no room for.
  [[nodiscard]] std::uint64_t peer_errors() const { return peer_error_count_; }
  // ICMP's "too big" read off the error queue; none of them is a peer error.
  [[nodiscard]] std::uint64_t too_big_errors() const { return too_big_errors_; }

 private:
  // After a queue below the socket was full, trains leave as datagrams for so long: a shaper cuts
  // super-packets (tbf: tbf_segment), and what it has no room for of one that it took is lost
  // without a word.
  static constexpr Duration kGsoRest = 10s;
  // ICMP errors kept for take_peer_error(), and for take_too_big(); further ones are only counted.
  static constexpr std::size_t kKeptPeerErrors = 16;

  UdpSocket(ConfiguredSocket socket, UdpOptions options);

  // Addressing, common to all segments of a request.
  struct Target {
    SocketAddress to;
    ControlWriter control;
  };
  [[nodiscard]] std::optional<Target> target_of(const SendRequest& request) const;
  [[nodiscard]] SendOutcome send_single(const SendRequest& request, Target& target);
  [[nodiscard]] SendOutcome send_train(const SendRequest& request, Target& target);
  [[nodiscard]] SendOutcome send_super_packets(const SendRequest& request, const Target& target);
  [[nodiscard]] bool may_send_super_packets(const SendRequest& request);
  // 0: datagrams are not cut.
  void put_segment_size(std::size_t size, Target& target) const;
  // What two trains in a row have in common the kernel keeps (setsockopt(2)): a control message
  // for each super-packet takes 1 % of a sender's time.
  void keep_segment_size(std::size_t size);
  // Whatever `bytes` holds, in messages of `piece` octets. Pending ICMP errors are taken off the
  // socket by further tries.
  [[nodiscard]] SendOutcome send_pieces(Target& target, ByteView bytes, std::size_t piece);
  // 0 or an errno.
  [[nodiscard]] int transmit(Target& target, ByteView bytes);
  [[nodiscard]] int transmit_stamped(const Target& target, ByteView bytes, std::uint32_t token);
  void restart_stamp_count();

  [[nodiscard]] std::optional<TransmitStamp> match_stamp(const ErrorControl& control);
  void note_peer_error(const ErrorControl& control, const SocketAddress& peer);

  ConfiguredSocket socket_;
  UdpOptions options_;
  std::size_t slot_bytes_;  // of what this socket receives; see ReceiveBuffer::prepare
  std::size_t super_packet_segments_ = kMaxSuperPacketSegments;
  std::size_t last_segment_size_ = 0;  // of the last train that left as super-packets
  std::size_t kept_segment_size_ = 0;  // UDP_SEGMENT of the socket
  // Segments of this size and larger ones do not fit the path as super-packets.
  std::uint32_t too_long_for_gso_ = std::numeric_limits<std::uint32_t>::max();
  std::optional<Instant> gso_rests_until_;
  bool explicit_stamp_ids_;
  StampLedger ledger_;
  DropCounter drops_;
  base::BoundedQueue<PeerUnreachable> peer_errors_{kKeptPeerErrors};
  base::BoundedQueue<PacketTooBig> too_big_{kKeptPeerErrors};
  std::uint64_t peer_error_count_ = 0;
  std::uint64_t too_big_errors_ = 0;
  std::uint64_t asynchronous_errors_ = 0;
};

// The address from which this host would send to `peer`, by `interface` where one is named. Sends
// nothing.
[[nodiscard]] Result<IpAddress> local_address_towards(const Endpoint& peer,
                                                      const std::string& interface = {});

// Errors that an earlier datagram may have caused (RFC 1122 section 4.1.3.3): the kernel reports
// each to whichever call comes next.
[[nodiscard]] bool may_be_asynchronous(int error);

}  // namespace wyndrvr::os
