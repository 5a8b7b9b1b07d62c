// The sending half of UdpSocket.
#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/check.hpp"
#include "os/clock.hpp"
#include "os/udp_socket.hpp"

namespace wyndrvr::os {
namespace {

// Messages per sendmmsg(2): 8 to 64 are equally fast, for the cost is in the datagrams, and 64
// headers still fit the stack.
constexpr std::size_t kSendBatch = 64;

constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

// Tries that a pending ICMP error may each cost a send. Anyone can forge them, so one may come
// between two tries; an error of the send itself is there at each.
constexpr int kPendingErrors = 8;

SendOutcome outcome_of(std::size_t bytes_sent, int error) {
  using Status = SendOutcome::Status;
  if (error == 0) return {bytes_sent, Status::kDone, 0};
  if (error == EAGAIN || error == EWOULDBLOCK) return {bytes_sent, Status::kBlocked, error};
  if (error == ENOBUFS || error == ENOMEM) return {bytes_sent, Status::kNoBuffers, error};
  return {bytes_sent, Status::kFailed, error};
}

// The kernel only reads what it sends.
iovec vector_of(ByteView bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

// GSO errors that may mean "not here": no checksum offload (EIO), unknown or refused by the
// route (EINVAL, EOPNOTSUPP), segments above the path MTU, which only whole datagrams may be
// fragmented for (EMSGSIZE; EINVAL on older kernels). With never_fragment those fail as well.
bool may_refuse_gso(int error) {
  return error == EIO || error == EINVAL || error == EOPNOTSUPP || error == EMSGSIZE;
}

// Octets of a super-packet of that many segments, or of as many as one holds.
constexpr std::size_t super_packet_bytes(std::size_t segments, std::size_t segment) {
  return std::min(segments, kMaxSuperPacketBytes / segment) * segment;
}

// Messages of one call, which differ in their octets only.
class MessageBatch {
 public:
  // The first of the messages of `piece` octets each that make up `bytes`; the last may be shorter.
  // No octets are one empty message. `common`: all but the octets.
  [[nodiscard]] std::span<mmsghdr> fill(const msghdr& common, ByteView bytes, std::size_t piece) {
    std::size_t count = 0;
    do {
      const std::size_t size = std::min(piece, bytes.size());
      vectors_[count] = vector_of(bytes.first(size));
      headers_[count].msg_hdr = common;
      headers_[count].msg_hdr.msg_iov = &vectors_[count];
      headers_[count].msg_hdr.msg_iovlen = 1;
      bytes = bytes.subspan(size);
      ++count;
    } while (!bytes.empty() && count < kSendBatch);
    return std::span(headers_).first(count);
  }

 private:
  // Not cleared: only what is filled is read.
  std::array<iovec, kSendBatch> vectors_;
  std::array<mmsghdr, kSendBatch> headers_;
};

// As sendmmsg(2), which takes longer for one message.
int send_messages(int descriptor, std::span<mmsghdr> messages) {
  if (messages.size() == 1) {
    return sendmsg(descriptor, &messages.front().msg_hdr, kSendFlags) < 0 ? -1 : 1;
  }
  return sendmmsg(descriptor, messages.data(), static_cast<unsigned>(messages.size()), kSendFlags);
}

}  // namespace

SendOutcome UdpSocket::send(const SendRequest& request) {
  auto target = target_of(request);
  if (!target) return outcome_of(0, EAFNOSUPPORT);
  if (request.bytes.size() <= request.segment_size || request.bytes.empty()) {
    return send_single(request, *target);
  }
  WYNDRVR_CHECK(request.segment_size > 0);
  WYNDRVR_CHECK(request.bytes.size() <= kMaxTrainBytes);
  WYNDRVR_CHECK(request.bytes.size() <= kMaxTrainSegments * std::size_t{request.segment_size});
  WYNDRVR_CHECK(!request.stamp_token);
  return send_train(request, *target);
}

std::optional<UdpSocket::Target> UdpSocket::target_of(const SendRequest& request) const {
  const bool v6_peer = request.to.address.is_v6();
  if (v6_peer != socket_.v6 && (v6_peer || !socket_.dual_stack)) return std::nullopt;
  Target target;
  target.to = socket_.v6 ? to_v6_socket_address(request.to) : to_socket_address(request.to);
  // Without an address the kernel takes the route that it keeps.
  if (socket_.peer == request.to && !request.from) target.to.length = 0;
  if (request.from) {
    if (request.from->is_v6() != v6_peer) return std::nullopt;
    target.control.put_source(*request.from, socket_.v6);
  }
  if (request.traffic_class) target.control.put_traffic_class(*request.traffic_class, v6_peer);
  return target;
}

SendOutcome UdpSocket::send_single(const SendRequest& request, Target& target) {
  put_segment_size(0, target);
  const bool stamped = request.stamp_token && socket_.transmit_stamps;
  const int error = stamped ? transmit_stamped(target, request.bytes, *request.stamp_token)
                            : transmit(target, request.bytes);
  return outcome_of(error == 0 ? request.bytes.size() : 0, error);
}

SendOutcome UdpSocket::send_train(const SendRequest& request, Target& target) {
  SendOutcome refused;
  if (may_send_super_packets(request)) {
    refused = send_super_packets(request, target);
    if (refused.status == SendOutcome::Status::kNoBuffers) {
      gso_rests_until_ = monotonic_now() + kGsoRest;
    }
    if (!may_refuse_gso(refused.error)) return refused;
  }
  const ByteView rest = request.bytes.subspan(refused.bytes_sent);
  put_segment_size(0, target);
  SendOutcome outcome = send_pieces(target, rest, request.segment_size);
  // Only when plain datagrams do pass was GSO the reason.
  if (outcome.bytes_sent > 0 && refused.error == EMSGSIZE) {
    too_long_for_gso_ = request.segment_size;
  } else if (outcome.bytes_sent > 0 && refused.error != 0) {
    socket_.gso = false;
  }
  outcome.bytes_sent += refused.bytes_sent;
  return outcome;
}

bool UdpSocket::may_send_super_packets(const SendRequest& request) {
  if (gso_rests_until_ && monotonic_now() >= *gso_rests_until_) gso_rests_until_.reset();
  return request.gso_allowed && socket_.gso && !gso_rests_until_ &&
         request.segment_size < too_long_for_gso_;
}

SendOutcome UdpSocket::send_super_packets(const SendRequest& request, const Target& target) {
  const std::size_t segment = request.segment_size;
  keep_segment_size(segment);
  Target with_segments = target;
  put_segment_size(segment, with_segments);
  const SendOutcome outcome = send_pieces(with_segments, request.bytes,
                                          super_packet_bytes(super_packet_segments_, segment));
  const bool too_many = outcome.error == EINVAL && outcome.bytes_sent == 0 &&
                        super_packet_segments_ > kMaxOldSuperPacketSegments &&
                        request.bytes.size() > kMaxOldSuperPacketSegments * segment;
  if (!too_many) return outcome;
  // A kernel before 6.9, perhaps.
  const SendOutcome fewer = send_pieces(with_segments, request.bytes,
                                        super_packet_bytes(kMaxOldSuperPacketSegments, segment));
  if (fewer.bytes_sent > 0) super_packet_segments_ = kMaxOldSuperPacketSegments;
  return fewer;
}

void UdpSocket::put_segment_size(std::size_t size, Target& target) const {
  if (size == kept_segment_size_) return;
  target.control.put_segment_size(static_cast<std::uint16_t>(size));
}

void UdpSocket::keep_segment_size(std::size_t size) {
  const bool again = std::exchange(last_segment_size_, size) == size;
  if (!again || size == kept_segment_size_) return;
  const int value = static_cast<int>(size);
  if (setsockopt(fd(), SOL_UDP, UDP_SEGMENT, &value, sizeof value) == 0) kept_segment_size_ = size;
}

SendOutcome UdpSocket::send_pieces(Target& target, ByteView bytes, std::size_t piece) {
  MessageBatch batch;
  msghdr common{};
  common.msg_name = &target.to.generic;
  common.msg_namelen = target.to.length;
  target.control.attach_to(common);
  std::size_t sent = 0;
  int errors = 0;  // in a row, that this send may have nothing to do with
  for (;;) {
    const auto messages = batch.fill(common, bytes.subspan(sent), piece);
    const int done = send_messages(fd(), messages);
    if (done > 0) {
      asynchronous_errors_ += static_cast<std::uint64_t>(errors);
      errors = 0;
      sent = std::min(sent + static_cast<std::size_t>(done) * piece, bytes.size());
      if (sent == bytes.size()) return outcome_of(sent, 0);
    } else if (errno != EINTR) {
      // Out of room, it is known that the errors before were others'.
      const bool others = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
      if (others) asynchronous_errors_ += static_cast<std::uint64_t>(errors);
      if (!may_be_asynchronous(errno) || ++errors > kPendingErrors) return outcome_of(sent, errno);
    }
  }
}

int UdpSocket::transmit(Target& target, ByteView bytes) {
  return send_pieces(target, bytes, std::max<std::size_t>(bytes.size(), 1)).error;
}

int UdpSocket::transmit_stamped(const Target& target, ByteView bytes, std::uint32_t token) {
  const auto attempt = [&](bool explicit_id) {
    Target stamped = target;
    stamped.control.put_stamp_request();
    if (explicit_id) stamped.control.put_stamp_id(token);
    return transmit(stamped, bytes);
  };
  const bool explicit_wanted = explicit_stamp_ids_;
  if (explicit_wanted) {
    const int error = attempt(true);
    if (error != EINVAL) return error;
    // A kernel before 6.13 does not know this control message; or else the request is wrong, and
    // then counting fails alike (see below).
    explicit_stamp_ids_ = false;
    restart_stamp_count();
  }
  const WallTime before_send = wall_now();
  const std::uint64_t errors_before = asynchronous_errors_;
  const int error = attempt(false);
  if (error == EINVAL) explicit_stamp_ids_ = explicit_wanted;
  // Whether a failed send was counted differs between kernels and errors, so both sides restart.
  if (error != 0 || asynchronous_errors_ != errors_before) {
    restart_stamp_count();
  } else {
    ledger_.record(token, before_send);
  }
  return error;
}

void UdpSocket::restart_stamp_count() {
  ledger_.restart();
  const bool arrivals = socket_.stamp_source == StampSource::kTimestamping;
  socket_.transmit_stamps = restart_transmit_stamps(fd(), arrivals);
}

}  // namespace wyndrvr::os
