#include "os/entropy.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {
namespace {

// Octets that one call asks for: up to so many come whole or not at all, save when a signal comes
// first (getrandom(2)).
constexpr std::size_t kMaxAtOnce = 256;

bool from_getrandom(MutableByteView out) {
  ssize_t got = 0;
  do {
    got = getrandom(out.data(), out.size(), 0);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(out.size());
}

bool from_device(MutableByteView out) {
  const Fd device(::open("/dev/urandom", O_RDONLY | O_CLOEXEC));
  if (!device.valid()) return false;
  ssize_t got = 0;
  do {
    got = ::read(device.get(), out.data(), out.size());
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(out.size());
}

}  // namespace

std::uint64_t entropy64() {
  std::uint64_t value = 0;
  fill_random(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

void fill_random(MutableByteView out) {
  while (!out.empty()) {
    const MutableByteView part = out.first(std::min(out.size(), kMaxAtOnce));
    const bool filled = from_getrandom(part) || from_device(part);
    WYNDRVR_CHECK(filled);
    out = out.subspan(part.size());
  }
}

}  // namespace wyndrvr::os
