// A network namespace for one test: a loopback of its own, whose MTU can be chosen. The host's
// network is not touched.
#pragma once

#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "os/fd.hpp"

namespace wyndrvr::os::testing {

inline ifreq interface_request(std::string_view name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  return request;
}

// 0 where it cannot be told.
inline int mtu_of_interface(std::string_view name) {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq request = interface_request(name);
  return ::ioctl(fd.get(), SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : 0;
}

inline bool set_up_loopback(int mtu) {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq request = interface_request("lo");
  request.ifr_mtu = mtu;
  if (::ioctl(fd.get(), SIOCSIFMTU, &request) != 0) return false;
  request.ifr_flags = IFF_UP;
  return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

// Takes it down for a moment, as the kernel wants it.
inline bool rename_loopback(std::string_view name) {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq request = interface_request("lo");
  if (::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) return false;
  std::memcpy(request.ifr_newname, name.data(), name.size());
  if (::ioctl(fd.get(), SIOCSIFNAME, &request) != 0) return false;
  request = interface_request(name);
  request.ifr_flags = IFF_UP;
  return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

// Runs `body` in a thread of its own, in a namespace where `lo` has this MTU. False, and `body` not
// run, where this program may not make one (it needs CAP_SYS_ADMIN).
inline bool in_own_network(int loopback_mtu, const std::function<void()>& body) {
  bool allowed = false;
  std::thread([&] {
    allowed = ::unshare(CLONE_NEWNET) == 0;
    if (!allowed) return;
    if (!set_up_loopback(loopback_mtu)) {
      ADD_FAILURE() << "cannot set up lo: " << std::strerror(errno);
      return;
    }
    body();
  }).join();
  return allowed;
}

}  // namespace wyndrvr::os::testing
