// What the tests of src/os share: sockets on loopback, and waits that end.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>

#include "base/bytes.hpp"
#include "os/clock.hpp"
#include "os/udp_socket.hpp"

namespace wyndrvr::os::testing {

// No wait in these tests is longer; only a failing test gets there.
inline constexpr Duration kDeadline = 60s;

inline IpAddress address(std::string_view text) {
  return parse_ip(text).value();
}

// On an ephemeral port; aborts the test program where even that fails.
inline UdpSocket open_on(std::string_view text, UdpOptions options = {}) {
  options.bind = {address(text), Port{0}};
  auto socket = UdpSocket::open(options);
  if (!socket) ADD_FAILURE() << socket.error().message;
  return std::move(socket.value());
}

// The socket's port at an address, for sockets bound to "any".
inline Endpoint at(std::string_view text, const UdpSocket& socket) {
  return {address(text), socket.local().port};
}

inline SendRequest single(const Endpoint& to, std::string_view text) {
  SendRequest request;
  request.to = to;
  request.bytes = as_bytes(text);
  request.segment_size = static_cast<std::uint32_t>(text.size());
  return request;
}

// A received datagram that outlives the buffer; GRO trains are already cut.
struct Datagram {
  std::string text;
  Received meta;  // meta.bytes is not valid any more
};

inline void append_segments(const Received& received, std::vector<Datagram>& out) {
  ByteView rest = received.bytes;
  do {
    const auto size = std::min<std::size_t>(received.segment_size, rest.size());
    out.push_back({std::string(as_text(rest.first(size))), received});
    rest = rest.subspan(size);
  } while (!rest.empty());
}

inline bool wait_for(int fd, short events, Duration patience) {
  pollfd entry{.fd = fd, .events = events, .revents = 0};
  return ::poll(&entry, 1, static_cast<int>(patience / 1ms)) > 0;
}

// Datagrams as they come, until there are `count` or the deadline has passed.
inline std::vector<Datagram> receive_datagrams(UdpSocket& socket, std::size_t count,
                                               Duration patience = kDeadline) {
  ReceiveBuffer buffer(4, 65'535);
  std::vector<Datagram> datagrams;
  const Instant deadline = monotonic_now() + patience;
  while (datagrams.size() < count) {
    const Duration left = deadline - monotonic_now();
    if (left <= Duration::zero() || !wait_for(socket.fd(), POLLIN, left)) break;
    const auto batch = socket.receive(buffer);
    if (!batch) {
      ADD_FAILURE() << batch.error().message;
      break;
    }
    for (const Received& received : *batch) append_segments(received, datagrams);
  }
  return datagrams;
}

inline std::vector<std::string> texts(const std::vector<Datagram>& datagrams) {
  std::vector<std::string> out;
  for (const Datagram& datagram : datagrams) out.push_back(datagram.text);
  return out;
}

// Asks again, without pause, until `done` says so or the deadline has passed.
inline bool eventually(const std::function<bool()>& done) {
  const Instant deadline = monotonic_now() + kDeadline;
  while (monotonic_now() < deadline) {
    if (done()) return true;
  }
  return false;
}

}  // namespace wyndrvr::os::testing
