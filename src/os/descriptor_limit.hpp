// The number of descriptors that this process may hold open (RLIMIT_NOFILE, getrlimit(2)).
//
// A server needs three for each client; the usual soft limit of 1024 is there for programs that
// use select(2), which nothing here does.
#pragma once

#include <cstdint>

namespace wyndrvr::os {

// Raises the soft limit to the hard one, which needs no rights. Returns the limit then in force;
// where raising it fails, that is the old one.
std::uint64_t raise_descriptor_limit();

}  // namespace wyndrvr::os
