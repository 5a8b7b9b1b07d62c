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

#include "base/result.hpp"

namespace wyndrvr::os {

// strerror(3) without its shared buffer.
[[nodiscard]] std::string error_text(int error);

// With what to do about it, where a limit is reached (limit_advice).
[[nodiscard]] std::unexpected<Error> system_failure(std::string_view purpose, std::string_view call,
                                                    int error = errno);

}  // namespace wyndrvr::os
