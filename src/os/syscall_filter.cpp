#include "os/syscall_filter.hpp"

// A sanitizer's runtime makes calls of its own, by any thread at any time.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef WYNDRVR_SECCOMP
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef WYNDRVR_SECCOMP
#endif
#endif

#ifdef WYNDRVR_SECCOMP

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>

#include <fcntl.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

// Whatever their arguments. None of them opens a file, starts anything, or reaches another process
// but through what the worker holds.
constexpr std::array kAlwaysAllowed{
    // Datagrams and frames.
    SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendmmsg),
    SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown),
    // stderr, eventfd, and closing.
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(eventfd2), SCMP_SYS(close),
    // Waiting.
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(futex),
    // Memory; mmap and mprotect are below.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    // Itself.
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrusage), SCMP_SYS(getrandom),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_setaffinity), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

// What pthread_create(3) of glibc 2.36 needs besides.
constexpr std::array kAllowedWithThreads{SCMP_SYS(set_robust_list), SCMP_SYS(rseq)};

// A call allowed under a condition on one of its arguments.
struct Conditional {
  int call;
  scmp_arg_cmp condition;
};

// Argument `index`, of which the bits in `mask` must be `bits`.
constexpr scmp_arg_cmp argument(unsigned index, std::uint64_t mask, std::uint64_t bits) {
  return {.arg = index, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};
}
constexpr std::uint64_t kWholeInt = 0xffff'ffff;  // the kernel ignores the upper half of an int

constexpr std::array kAllowedIf{
    // No new code: glibc's malloc maps and unprotects its arenas.
    Conditional{SCMP_SYS(mmap), argument(2, PROT_EXEC, 0)},
    Conditional{SCMP_SYS(mprotect), argument(2, PROT_EXEC, 0)},
    // Not F_SETOWN and F_SETSIG, which have the kernel signal other processes.
    Conditional{SCMP_SYS(fcntl), argument(1, kWholeInt, F_GETFD)},
    Conditional{SCMP_SYS(fcntl), argument(1, kWholeInt, F_SETFD)},
    Conditional{SCMP_SYS(fcntl), argument(1, kWholeInt, F_GETFL)},
    Conditional{SCMP_SYS(fcntl), argument(1, kWholeInt, F_SETFL)},
    Conditional{SCMP_SYS(fcntl), argument(1, kWholeInt, F_DUPFD_CLOEXEC)},
    // Its own limits (getrlimit(2)): what a failure is advised with.
    Conditional{SCMP_SYS(prlimit64), argument(0, kWholeInt, 0)},
    Conditional{SCMP_SYS(prctl), argument(0, kWholeInt, PR_SET_TIMERSLACK)},
    Conditional{SCMP_SYS(prctl), argument(0, kWholeInt, PR_SET_NAME)}};

constexpr std::array kAllowedWithThreadsIf{
    // A thread of this process and never a process.
    Conditional{SCMP_SYS(clone), argument(0, CLONE_THREAD, CLONE_THREAD)},
    Conditional{SCMP_SYS(socketpair), argument(0, kWholeInt, AF_UNIX)}};

// Collects the rules; the first error (a negative errno value) is kept.
class FilterBuilder {
 public:
  FilterBuilder() : context_(::seccomp_init(SCMP_ACT_KILL_PROCESS), &::seccomp_release) {
    if (!context_) {
      error_ = -ENOMEM;
      return;
    }
    // Calls by another architecture's numbers (32-bit code) end likewise.
    note(::seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    // The kernel's own error codes.
    note(::seccomp_attr_set(context_.get(), SCMP_FLTATR_API_SYSRAWRC, 1));
    // A binary search instead of a list: the filter runs for every datagram batch.
    note(::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }

  void allow(std::span<const int> calls) {
    for (const int call : calls) rule(SCMP_ACT_ALLOW, call, {});
  }
  void allow(std::span<const Conditional> calls) {
    for (const auto& [call, condition] : calls) rule(SCMP_ACT_ALLOW, call, {&condition, 1});
  }
  void refuse(int call, int error) { rule(SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, {}); }
  // 0, or a negative errno value.
  [[nodiscard]] int load() {
    if (error_ == 0) note(::seccomp_load(context_.get()));
    return error_;
  }

 private:
  void rule(std::uint32_t action, int call, std::span<const scmp_arg_cmp> conditions) {
    if (error_ != 0) return;
    const auto count = static_cast<unsigned>(conditions.size());
    note(::seccomp_rule_add_array(context_.get(), action, call, count, conditions.data()));
  }
  void note(int error) {
    if (error_ == 0) error_ = error;
  }

  std::unique_ptr<void, decltype(&::seccomp_release)> context_;
  int error_ = 0;
};

void allow_threads(FilterBuilder& filter) {
  filter.allow(kAllowedWithThreads);
  filter.allow(kAllowedWithThreadsIf);
  // Its flags are in memory, where a filter cannot look: glibc then uses clone(2).
  filter.refuse(SCMP_SYS(clone3), ENOSYS);
  // A thread's own arena of malloc opens files: when it shrinks (overcommit_memory, in /proc), and
  // before there is a ninth (how many CPUs, in /sys). One arena serves all threads instead; nothing
  // allocates per datagram.
  (void)::mallopt(M_ARENA_MAX, 1);
}

// Linux 4.14 and built for it.
bool kernel_can_kill_by_filter() {
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

}  // namespace

bool syscall_filter_built() {
  return true;
}

Result<bool> install_syscall_filter(bool threads) {
  if (!kernel_can_kill_by_filter()) return false;
  FilterBuilder filter;
  filter.allow(kAlwaysAllowed);
  filter.allow(kAllowedIf);
  // To abort(3) and no more: signals to this process only.
  const auto self = static_cast<std::uint64_t>(::getpid());
  const Conditional own_signal{SCMP_SYS(tgkill), argument(0, kWholeInt, self)};
  filter.allow(std::span(&own_signal, 1));
  if (threads) allow_threads(filter);
  const int error = -filter.load();
  if (error == 0) return true;
  // An outer filter, such as a container's, may forbid it.
  if (error == EINVAL || error == ENOSYS || error == EPERM) return false;
  return system_failure("cannot install the system call filter", "seccomp_load", error);
}

}  // namespace wyndrvr::os

#else

namespace wyndrvr::os {

bool syscall_filter_built() {
  return false;
}

Result<bool> install_syscall_filter(bool /*threads*/) {
  return false;
}

}  // namespace wyndrvr::os

#endif
