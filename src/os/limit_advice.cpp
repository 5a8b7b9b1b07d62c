#include "os/limit_advice.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "os/descriptor_limit.hpp"

namespace wyndrvr::os {

std::string limit_advice(int error) {
  if (error == EMFILE) {
    return fmt::format(
        "; this process may hold {} descriptors: raise `ulimit -n`, or LimitNOFILE= in its systemd "
        "unit",
        descriptor_limit());
  }
  if (error == ENFILE) {
    return "; the whole host's limit on open files is reached: raise `sysctl fs.file-max`, or stop "
           "what holds so many";
  }
  if (error == ENOMEM || error == ENOBUFS) {
    return "; the kernel has no memory left for it: free some, or raise the memory limit "
           "(MemoryMax= "
           "in the systemd unit, or the container's)";
  }
  return {};
}

}  // namespace wyndrvr::os
