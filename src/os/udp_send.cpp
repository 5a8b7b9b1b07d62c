// The sending half of UdpSocket.
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/check.hpp"
#include "os/clock.hpp"
#include "os/udp_socket.hpp"

namespace wyndrvr::os {
namespace {

// Datagrams per sendmmsg(2): more saves nothing measurable, and this many headers fit the stack.
constexpr std::size_t kSendBatch = 16;

constexpr int kSendFlags = MSG_DONTWAIT | MSG_NOSIGNAL;

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
  if (request.from) {
    if (request.from->is_v6() != v6_peer) return std::nullopt;
    target.control.put_source(*request.from, socket_.v6);
  }
  return target;
}

SendOutcome UdpSocket::send_single(const SendRequest& request, const Target& target) {
  int error = 0;
  if (request.stamp_token && socket_.transmit_stamps) {
    error = transmit_stamped(target, request.bytes, *request.stamp_token);
  } else {
    Target plain = target;
    error = transmit(plain, request.bytes);
  }
  return outcome_of(error == 0 ? request.bytes.size() : 0, error);
}

SendOutcome UdpSocket::send_train(const SendRequest& request, Target& target) {
  if (!request.gso_allowed || !socket_.gso) return send_segments(request, target);
  int error = 0;
  if (const auto outcome = send_by_gso(request, target, error)) return *outcome;
  const SendOutcome outcome = send_segments(request, target);
  // Only when plain datagrams do pass was GSO the reason. A small path MTU is this peer's alone.
  if (outcome.bytes_sent > 0 && error != EMSGSIZE) socket_.gso = false;
  return outcome;
}

std::optional<SendOutcome> UdpSocket::send_by_gso(const SendRequest& request, Target target,
                                                  int& error) {
  target.control.put_segment_size(static_cast<std::uint16_t>(request.segment_size));
  error = transmit(target, request.bytes);
  if (may_refuse_gso(error)) return std::nullopt;
  return outcome_of(error == 0 ? request.bytes.size() : 0, error);
}

SendOutcome UdpSocket::send_segments(const SendRequest& request, Target& target) {
  std::array<iovec, kSendBatch> vectors;
  std::array<mmsghdr, kSendBatch> headers;
  std::size_t sent = 0;
  bool retried = false;
  while (sent < request.bytes.size()) {
    std::size_t count = 0;
    for (std::size_t at = sent; at < request.bytes.size() && count < kSendBatch; ++count) {
      const std::size_t size =
          std::min<std::size_t>(request.segment_size, request.bytes.size() - at);
      vectors[count] = vector_of(request.bytes.subspan(at, size));
      headers[count] = {};
      headers[count].msg_hdr.msg_name = &target.to.generic;
      headers[count].msg_hdr.msg_namelen = target.to.length;
      headers[count].msg_hdr.msg_iov = &vectors[count];
      headers[count].msg_hdr.msg_iovlen = 1;
      target.control.attach_to(headers[count].msg_hdr);
      at += size;
    }
    const int done = sendmmsg(fd(), headers.data(), static_cast<unsigned>(count), kSendFlags);
    if (done < 0) {
      if (errno == EINTR) continue;
      if (retried || !may_be_asynchronous(errno)) return outcome_of(sent, errno);
      retried = true;
      ++asynchronous_errors_;
      continue;
    }
    retried = false;
    for (int i = 0; i < done; ++i) sent += vectors[static_cast<std::size_t>(i)].iov_len;
  }
  return outcome_of(sent, 0);
}

int UdpSocket::transmit(Target& target, ByteView bytes) {
  iovec vector = vector_of(bytes);
  msghdr message{};
  message.msg_name = &target.to.generic;
  message.msg_namelen = target.to.length;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  target.control.attach_to(message);
  const auto attempt = [&] {
    int error = 0;
    do {
      error = sendmsg(fd(), &message, kSendFlags) < 0 ? errno : 0;
    } while (error == EINTR);
    return error;
  };
  const int error = attempt();
  if (!may_be_asynchronous(error)) return error;
  const int second = attempt();
  if (second == 0) ++asynchronous_errors_;
  return second;
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
