#include "throughput.hpp"

#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flow.hpp"
#include "socket.hpp"

namespace wyndrvr::floor {
namespace {

// A receiver on its own takes a flow for finished after so long a silence.
constexpr std::int64_t kSilenceNs = 1'000'000'000;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe open_pipe() {
  int ends[2];
  require(pipe(ends), "pipe");
  return {.read_end = ends[0], .write_end = ends[1]};
}

template <typename Value>
void put(int fd, const Value& value) {
  if (write(fd, &value, sizeof value) != static_cast<ssize_t>(sizeof value)) fail("write");
}

template <typename Value>
std::optional<Value> take(int fd) {
  Value value{};
  if (read(fd, &value, sizeof value) != static_cast<ssize_t>(sizeof value)) return std::nullopt;
  return value;
}

std::int64_t sleep_of(const Options& options) {
  if (options.sleep_us >= 0) return options.sleep_us;
  // Longer sleeps gather more. Trains fill the 32 MB buffer in several ms, datagrams later still.
  return options.method == Method::kMmsg ? 50 : 200;
}

bool has_hung_up(int fd) {
  pollfd watched{.fd = fd, .events = 0, .revents = 0};
  return poll(&watched, 1, 0) > 0 && (watched.revents & POLLHUP) != 0;
}

Tally run_sender(const Options& options, std::uint16_t port) {
  enter_netns(options.from_netns);
  const sockaddr_in to = address_of(options.to, port);
  SendPlan plan{.sockets = {}, .payload_bytes = options.payload_bytes, .until_ns = 0};
  for (std::size_t i = 0; i < options.streams; ++i) {
    const int socket = open_socket(address_of(options.from, 0));
    require(connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to), "connect");
    plan.sockets.push_back(socket);
  }
  const double before = cpu_seconds();
  plan.until_ns = monotonic_ns() + static_cast<std::int64_t>(options.seconds * 1e9);
  Tally tally = send_flow(options.method, plan);
  tally.cpu_seconds = cpu_seconds() - before;
  return tally;
}

Tally run_receiver(const Options& options, int socket,
                   const std::function<bool(std::int64_t)>& is_over) {
  const double before = cpu_seconds();
  Tally tally = receive_flow(options.method, {.socket = socket,
                                              .payload_bytes = options.payload_bytes,
                                              .sleep_us = sleep_of(options),
                                              .is_over = is_over});
  tally.cpu_seconds = cpu_seconds() - before;
  return tally;
}

// The receiver's process: tells its port, counts until the sender hangs up, tells its tally.
void be_receiver(const Options& options, int sender_lives, int answers) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  enter_netns(options.to_netns);
  const int socket = open_socket(address_of(options.to, options.port));
  put(answers, port_of(socket));
  put(answers,
      run_receiver(options, socket, [&](std::int64_t) { return has_hung_up(sender_lives); }));
}

void print_sender(const Tally& sent) {
  std::printf("\"datagrams_sent\": %llu, \"bytes_sent\": %llu, \"sender_cpu_s\": %.4f",
              static_cast<unsigned long long>(sent.datagrams),
              static_cast<unsigned long long>(sent.bytes), sent.cpu_seconds);
}

void print_receiver(const Tally& received) {
  const double seconds = static_cast<double>(received.last_ns - received.first_ns) / 1e9;
  const double rate = seconds > 0 ? static_cast<double>(received.bytes) * 8 / seconds : 0;
  std::printf(
      "\"rate_bps\": %.0f, \"duration_s\": %.4f, \"datagrams_received\": %llu, "
      "\"bytes_received\": %llu, \"receiver_cpu_s\": %.4f",
      rate, seconds, static_cast<unsigned long long>(received.datagrams),
      static_cast<unsigned long long>(received.bytes), received.cpu_seconds);
}

int run_sender_alone(const Options& options) {
  const Tally sent = run_sender(options, options.port);
  std::printf("{");
  print_sender(sent);
  std::printf("}\n");
  return 0;
}

int run_receiver_alone(const Options& options) {
  enter_netns(options.to_netns);
  const int socket = open_socket(address_of(options.to, options.port));
  std::fprintf(stderr, "receiving on port %u\n", port_of(socket));
  const auto is_over = [](std::int64_t last_ns) {
    return last_ns != 0 && monotonic_ns() - last_ns > kSilenceNs;
  };
  const Tally received = run_receiver(options, socket, is_over);
  std::printf("{");
  print_receiver(received);
  std::printf("}\n");
  return received.datagrams > 0 ? 0 : 1;
}

int run_both(const Options& options) {
  const Pipe lives = open_pipe();    // closed by the sender when it has sent all
  const Pipe answers = open_pipe();  // the receiver's port, then its tally
  const pid_t child = require(fork(), "fork");
  if (child == 0) {
    close(lives.write_end);
    close(answers.read_end);
    be_receiver(options, lives.read_end, answers.write_end);
    _exit(0);
  }
  close(lives.read_end);
  close(answers.write_end);
  const auto port = take<std::uint16_t>(answers.read_end);
  if (!port) return 1;  // the receiver has said why
  const Tally sent = run_sender(options, *port);
  close(lives.write_end);
  const auto received = take<Tally>(answers.read_end);
  waitpid(child, nullptr, 0);
  if (!received) return 1;
  const std::int64_t lost = static_cast<std::int64_t>(sent.datagrams - received->datagrams);
  const double gigabytes = static_cast<double>(received->bytes) / 1e9;
  const double cpu = sent.cpu_seconds + received->cpu_seconds;
  std::printf("{");
  print_receiver(*received);
  std::printf(", ");
  print_sender(sent);
  std::printf(", \"datagrams_lost\": %lld, \"cpu_s_per_gb\": %.4f}\n", static_cast<long long>(lost),
              gigabytes > 0 ? cpu / gigabytes : 0);
  return received->datagrams > 0 ? 0 : 1;
}

}  // namespace

int run_throughput(const Options& options) {
  switch (options.ends) {
    case Ends::kSender:
      return run_sender_alone(options);
    case Ends::kReceiver:
      return run_receiver_alone(options);
    case Ends::kBoth:
      break;
  }
  return run_both(options);
}

}  // namespace wyndrvr::floor
