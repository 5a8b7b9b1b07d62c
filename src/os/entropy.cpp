#include "os/entropy.hpp"

#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {
namespace {

// Both sources deliver eight octets whole or not at all, save when a signal comes first.
bool from_getrandom(std::uint64_t& value) {
  ssize_t got = 0;
  do {
    got = getrandom(&value, sizeof value, 0);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof value);
}

bool from_device(std::uint64_t& value) {
  const Fd device(::open("/dev/urandom", O_RDONLY | O_CLOEXEC));
  if (!device.valid()) return false;
  ssize_t got = 0;
  do {
    got = ::read(device.get(), &value, sizeof value);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof value);
}

}  // namespace

std::uint64_t entropy64() {
  std::uint64_t value = 0;
  const bool filled = from_getrandom(value) || from_device(value);
  WYNDRVR_CHECK(filled);
  return value;
}

}  // namespace wyndrvr::os
