#include "socket.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wyndrvr::floor {
namespace {

// What a receiver of GRO trains needs to lose nothing while it sleeps.
constexpr int kReceiveBufferBytes = 32 << 20;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void fail(const std::string& what) {
  std::fprintf(stderr, "wyndrvr-floor: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

int require(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

sockaddr_in address_of(const std::string& ip, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, ip.c_str(), &address.sin_addr) != 1) {
    errno = EINVAL;
    fail("address " + ip);
  }
  return address;
}

int open_socket(const sockaddr_in& bound) {
  const int fd = require(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  require(bind(fd, reinterpret_cast<const sockaddr*>(&bound), sizeof bound), "bind");
  const int bytes = kReceiveBufferBytes;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes, "SO_RCVBUF");
  }
  return fd;
}

std::uint16_t port_of(int socket) {
  sockaddr_in bound{};
  socklen_t length = sizeof bound;
  require(getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &length), "getsockname");
  return ntohs(bound.sin_port);
}

void set_option(int socket, int level, int name, int value, const char* what) {
  require(setsockopt(socket, level, name, &value, sizeof value), what);
}

void enter_netns(const std::string& name) {
  if (name.empty()) return;
  const std::string path = "/run/netns/" + name;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(path);
  require(setns(fd, CLONE_NEWNET), "setns");
  close(fd);
}

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void sleep_us(std::int64_t microseconds) {
  const timespec length{.tv_sec = microseconds / 1'000'000,
                        .tv_nsec = microseconds % 1'000'000 * 1'000};
  nanosleep(&length, nullptr);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

void fill(std::span<std::byte> memory) {
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::byte>(i * 31);
}

}  // namespace wyndrvr::floor
