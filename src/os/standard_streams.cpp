#include "os/standard_streams.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wyndrvr::os {

void hold_standard_streams() {
  // A folder, which is always there and cannot be read or written. Inherited by workers, whose
  // numbers have to be held as well.
  for (;;) {
    const int descriptor = ::open("/", O_RDONLY | O_DIRECTORY);
    if (descriptor > kStderr) ::close(descriptor);
    if (descriptor < 0 || descriptor > kStderr) return;
  }
}

bool is_closed(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  return flags < 0 || (flags & O_ACCMODE) == O_RDONLY;
}

bool same_file(int one, int other) {
  struct stat first{};
  struct stat second{};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool is_write_only_pipe(int descriptor) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode) &&
         (::fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

}  // namespace wyndrvr::os
