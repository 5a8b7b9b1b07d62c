#include "os/fd.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "os/system_failure.hpp"

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

Result<Fd> duplicate(const Fd& fd) {
  Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return system_failure("cannot duplicate a descriptor", "fcntl F_DUPFD");
  return copy;
}

}  // namespace wyndrvr::os
