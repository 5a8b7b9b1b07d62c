// The number of descriptors that this process may hold open (RLIMIT_NOFILE, getrlimit(2)).
//
// A server needs three for each client; the usual soft limit of 1024 is there for programs that
// use select(2), which nothing here does.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace wyndrvr::os {

// The soft limit; 0 where the kernel does not tell it.
[[nodiscard]] std::uint64_t descriptor_limit();

// Raises the soft limit to the hard one, which needs no rights. Returns the limit then in force;
// where raising it fails, that is the old one.
std::uint64_t raise_descriptor_limit();

// Whether no descriptor can be opened just now: then a socket that could not be opened says nothing
// about its address. The error says which limit it is, and what to do.
[[nodiscard]] Result<void> check_spare_descriptor();

}  // namespace wyndrvr::os
