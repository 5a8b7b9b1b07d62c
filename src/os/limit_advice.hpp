// What a person can do when a call fails because a limit of this process or of the host is reached.
//
// Thread-safe. Text only; it goes after the failure: "cannot ...: socketpair: Too many open files"
// + limit_advice(EMFILE).
#pragma once

#include <string>

namespace wyndrvr::os {

// For EMFILE, ENFILE, ENOMEM and ENOBUFS: "; " and which limit it is and how to raise it. For any
// other errno value: nothing.
[[nodiscard]] std::string limit_advice(int error);

}  // namespace wyndrvr::os
