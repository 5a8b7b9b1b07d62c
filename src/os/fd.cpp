#include "os/fd.hpp"

#include <cerrno>
#include <utility>

#include <unistd.h>

namespace wyndrvr::os {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    descriptor_ = other.release();
  }
  return *this;
}

int Fd::release() {
  return std::exchange(descriptor_, -1);
}

void Fd::reset() {
  if (descriptor_ < 0) return;
  const int saved = errno;
  // Never repeated on EINTR: Linux has freed the number by then (close(2)), and another thread may
  // own it.
  ::close(descriptor_);
  descriptor_ = -1;
  errno = saved;
}

}  // namespace wyndrvr::os
