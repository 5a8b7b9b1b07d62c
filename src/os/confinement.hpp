// Takes rights away from a worker process, irreversibly.
//
// What is gone afterwards:
// - its life without its parent: it is killed when the *thread* that spawned it ends, also while it
//   is stopped (PR_SET_PDEATHSIG, prctl(2)). A parent that died before that shows in its channel.
// - all capabilities, and any way to gain some by executing a program (PR_SET_NO_NEW_PRIVS). A
//   worker of root stays user 0, so what root owns is kept from it by the filter only.
// - descriptors beyond a small number (RLIMIT_NOFILE), and system calls that its work does not need
//   (a seccomp allow-list, where the build found libseccomp; a forbidden call kills the process
//   with SIGSYS). No socket, file, program or process can be opened or started, nor can another
//   process be signalled; what the worker holds already goes on working.
//
// A worker that starts processes of its own (`processes`) gets neither filter nor descriptor limit:
// a filter is inherited and must hold what the most demanding descendant needs, to begin with
// execve(2). Its children are to confine themselves.
//
// Call it once, while the process has one thread: capabilities and filter are a thread's own, and
// later threads inherit them. Not for the program's main process.
//
// Under the filter, these of the C++ library's functions open files and are thus not to be called:
// std::thread::hardware_concurrency(), std::random_device, locales, getaddrinfo(3),
// pthread_setname_np(3) on another thread, and writing to stdout. stderr is fine.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace wyndrvr::os {

// What the worker must still be able to do.
struct Confinement {
  bool threads = false;    // start threads, and channels to them
  bool processes = false;  // start worker processes of its own
};

// How many descriptors a confined worker may hold: stderr and its like, channel, siblings, epoll,
// ... come to a dozen, and a client's port has a socket for each stream, 64 at most; a server's
// session with a thread a port holds about three times the dozen.
inline constexpr unsigned kMostWorkerDescriptors = 96;
inline constexpr unsigned kMostSessionDescriptors = 64;

// True where the system call filter is in force; false where there is none: for `processes`, in
// builds without libseccomp or with sanitizers, and on kernels that refuse it. An error means that
// something else could not be taken away; the worker should end.
[[nodiscard]] Result<bool> confine(const Confinement& needs);

// Whether this process may open sockets: not once it is confined by the filter, which would end it.
[[nodiscard]] bool may_open_sockets();

// Whether this build can install the filter.
[[nodiscard]] bool seccomp_available();

// What `ps -o comm`, `top` and core dumps call the calling thread; the kernel keeps 15 octets. In
// the main thread that is the process's name, too.
void set_process_name(std::string_view name);

}  // namespace wyndrvr::os
