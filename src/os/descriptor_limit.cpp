#include "os/descriptor_limit.hpp"

#include <sys/eventfd.h>
#include <sys/resource.h>

#include "os/fd.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {

std::uint64_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

Result<void> check_spare_descriptor() {
  const Fd spare(::eventfd(0, EFD_CLOEXEC));
  if (!spare.valid()) return system_failure("cannot open a descriptor", "eventfd");
  return {};
}

}  // namespace wyndrvr::os
