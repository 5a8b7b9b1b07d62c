#include "exchange.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socket.hpp"

namespace wyndrvr::floor {
namespace {

constexpr int kStamping = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE |
                          SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;

// Request and response, about as long as a heartbeat.
struct Message {
  std::int64_t number = 0;
  // The server's, of the exchange before: from the arrival of its request to the departure of its
  // response, by the kernel's stamps; 0 = unknown.
  std::int64_t turnaround_before_ns = 0;
  std::array<std::byte, 48> rest{};
};

// All by CLOCK_REALTIME in ns, 0 = unknown.
struct Exchange {
  std::int64_t written = 0;
  std::int64_t departed = 0;
  std::int64_t arrived = 0;
  std::int64_t read = 0;
  std::int64_t turnaround = 0;
};

struct Stamped {
  ssize_t bytes = -1;
  std::int64_t stamp = 0;
  sockaddr_in from{};
};

std::int64_t ns_of(const timespec& time) {
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::int64_t wall_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return ns_of(now);
}

// One datagram, or with MSG_ERRQUEUE one time of departure, with the kernel's software stamp.
Stamped receive_stamped(int socket, Message& message, int flags) {
  alignas(cmsghdr) std::array<std::byte, 512> control;
  Stamped result;
  iovec vector{.iov_base = &message, .iov_len = sizeof message};
  msghdr header{};
  header.msg_name = &result.from;
  header.msg_namelen = sizeof result.from;
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  result.bytes = recvmsg(socket, &header, flags);
  if (result.bytes < 0) return result;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPING) continue;
    scm_timestamping stamps{};
    std::memcpy(&stamps, CMSG_DATA(part), sizeof stamps);
    result.stamp = ns_of(stamps.ts[0]);
  }
  return result;
}

// Loopback and veth stamp within the send, so the time is there as soon as that has returned.
std::int64_t departure_of_last(int socket) {
  Message scratch;
  return receive_stamped(socket, scratch, MSG_ERRQUEUE | MSG_DONTWAIT).stamp;
}

[[noreturn]] void serve(int socket) {
  std::int64_t turnaround = 0;
  for (;;) {
    Message message;
    const Stamped request = receive_stamped(socket, message, 0);
    if (request.bytes != static_cast<ssize_t>(sizeof message)) continue;
    message.turnaround_before_ns = turnaround;
    sendto(socket, &message, sizeof message, 0, reinterpret_cast<const sockaddr*>(&request.from),
           sizeof request.from);
    const std::int64_t departed = departure_of_last(socket);
    turnaround = departed != 0 && request.stamp != 0 ? departed - request.stamp : 0;
  }
}

void exchange_once(int socket, std::size_t number, std::vector<Exchange>& exchanges) {
  Exchange& own = exchanges[number];
  Message message;
  message.number = static_cast<std::int64_t>(number);
  own.written = wall_ns();
  require(static_cast<int>(send(socket, &message, sizeof message, 0)), "send");
  for (;;) {
    const Stamped answer = receive_stamped(socket, message, 0);
    const std::int64_t now = wall_ns();
    if (answer.bytes < 0) break;
    if (message.number != static_cast<std::int64_t>(number)) continue;
    own.arrived = answer.stamp;
    own.read = now;
    if (number > 0) exchanges[number - 1].turnaround = message.turnaround_before_ns;
    break;
  }
  own.departed = departure_of_last(socket);
}

std::vector<Exchange> exchange_all(int socket, const Options& options) {
  std::vector<Exchange> exchanges(options.count);
  std::int64_t next = monotonic_ns();
  for (std::size_t i = 0; i < options.count; ++i) {
    next += options.interval_us * 1'000;
    const timespec until{.tv_sec = next / 1'000'000'000, .tv_nsec = next % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    exchange_once(socket, i, exchanges);
  }
  return exchanges;
}

template <typename RoundTrip>
void print_summary(const char* name, const std::vector<Exchange>& exchanges, RoundTrip round_trip) {
  std::vector<std::int64_t> values;
  for (const Exchange& one : exchanges) {
    if (const std::int64_t value = round_trip(one); value > 0) values.push_back(value);
  }
  if (values.empty()) return;
  std::ranges::sort(values);
  const auto quantile = [&](double share) {
    return static_cast<long long>(
        values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))]);
  };
  std::printf(", \"%s\": {\"p50\": %lld, \"p99\": %lld, \"min\": %lld}", name, quantile(0.5),
              quantile(0.99), quantile(0));
}

void print_exchanges(const std::vector<Exchange>& exchanges) {
  const auto answered =
      std::ranges::count_if(exchanges, [](const Exchange& one) { return one.read != 0; });
  std::printf("{\"sent\": %zu, \"received\": %zu", exchanges.size(),
              static_cast<std::size_t>(answered));
  print_summary("application_rtt_ns", exchanges,
                [](const Exchange& one) { return one.read == 0 ? 0 : one.read - one.written; });
  print_summary("rtt_ns", exchanges, [](const Exchange& one) {
    return one.arrived == 0 ? 0 : one.arrived - one.written;
  });
  print_summary("network_rtt_ns", exchanges, [](const Exchange& one) {
    const bool known = one.arrived != 0 && one.departed != 0 && one.turnaround != 0;
    return known ? one.arrived - one.departed - one.turnaround : 0;
  });
  std::printf("}\n");
}

}  // namespace

int run_exchange(const Options& options) {
  int ports[2];
  require(pipe(ports), "pipe");
  const pid_t child = require(fork(), "fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    enter_netns(options.to_netns);
    const int socket = open_socket(address_of(options.to, options.port));
    set_option(socket, SOL_SOCKET, SO_TIMESTAMPING, kStamping, "SO_TIMESTAMPING");
    const std::uint16_t port = port_of(socket);
    if (write(ports[1], &port, sizeof port) != sizeof port) fail("write");
    serve(socket);
  }
  close(ports[1]);
  std::uint16_t port = 0;
  if (read(ports[0], &port, sizeof port) != sizeof port) return 1;  // the child has said why
  enter_netns(options.from_netns);
  const int socket = open_socket(address_of(options.from, 0));
  set_option(socket, SOL_SOCKET, SO_TIMESTAMPING, kStamping, "SO_TIMESTAMPING");
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  require(setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "SO_RCVTIMEO");
  const sockaddr_in to = address_of(options.to, port);
  require(connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to), "connect");
  const std::vector<Exchange> exchanges = exchange_all(socket, options);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  print_exchanges(exchanges);
  return 0;
}

}  // namespace wyndrvr::floor
