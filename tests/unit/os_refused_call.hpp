// A system call that fails in one thread, by a filter (seccomp(2)): how this program fares on
// kernels and in containers that refuse it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

namespace wyndrvr::os::testing {

// Has a system call fail in the calling thread, for good; with `option`, only where its third
// argument is that. False where this kernel has no such filters.
inline bool refuse_call(unsigned call, unsigned error, std::optional<unsigned> option = {}) {
  constexpr unsigned kNumberAt = offsetof(seccomp_data, nr);
  constexpr unsigned kThirdAt = offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t);
  const auto skip_third = static_cast<unsigned char>(option ? 0 : 1);
  std::array<sock_filter, 7> program = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumberAt),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kThirdAt),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0, skip_third, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, option.value_or(0), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// Runs `body` in a thread of its own under that filter; false, and `body` not run, without one.
inline bool while_refused(unsigned call, unsigned error, std::optional<unsigned> option,
                          const std::function<void()>& body) {
  bool allowed = false;
  std::thread([&] {
    allowed = refuse_call(call, error, option);
    if (allowed) body();
  }).join();
  return allowed;
}

}  // namespace wyndrvr::os::testing
