// The one way in which this layer words a failed system call: what it was for, the call, the cause.
//
// Thread rule: none, it holds nothing. `error` is an errno value; take it before anything that may
// change errno.
//
// Example: "cannot watch descriptor 7: epoll_ctl: Bad file descriptor".
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "base/result.hpp"

namespace wyndrvr::os {

// strerror(3) without its shared buffer.
[[nodiscard]] inline std::string error_text(int error) {
  return std::system_category().message(error);
}

[[nodiscard]] inline std::unexpected<Error> system_failure(std::string_view purpose,
                                                           std::string_view call,
                                                           int error = errno) {
  return fail("{}: {}: {}", purpose, call, error_text(error));
}

}  // namespace wyndrvr::os
