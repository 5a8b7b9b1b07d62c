#include "os/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.hpp"
#include "os/limit_advice.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

constexpr const char* kThisProgram = "/proc/self/exe";
constexpr const char* kNowhere = "/dev/null";
constexpr int kFirstDescriptor = 3;

// The dynamic loader's search path, without which the program may not even start, and the
// sanitizers' options (ASAN_OPTIONS, ...), which only test builds read.
bool is_for_children(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  return name == "LD_LIBRARY_PATH" || name.ends_with("SAN_OPTIONS");
}

std::vector<char*> child_environment() {
  std::vector<char*> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (is_for_children(*variable)) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

// The options of one posix_spawn(3) call. None of these functions fails but for lack of memory or a
// descriptor number beyond the limit; the first error is kept for the call.
class SpawnPlan {
 public:
  SpawnPlan() {
    note(posix_spawn_file_actions_init(&actions_));
    note(posix_spawnattr_init(&attributes_));
    sigset_t signals;
    sigfillset(&signals);
    note(posix_spawnattr_setsigdefault(&attributes_, &signals));
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
    note(posix_spawnattr_setsigmask(&attributes_, &signals));
    note(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // An errno value, or 0. `words`: its stderr, or -1 where it is to be ours.
  [[nodiscard]] int pass_on(const std::vector<int>& descriptors, int words) {
    const int end = kFirstDescriptor + static_cast<int>(descriptors.size());
    int target = kFirstDescriptor;
    for (int source : descriptors) {
      // The child's copies are made one after the other: a source among the targets might be
      // overwritten before its turn, so it is moved out of their way first.
      if (source < end && source != target) {
        moved_.emplace_back(::fcntl(source, F_DUPFD_CLOEXEC, end));
        if (!moved_.back().valid()) return errno == EINVAL ? EMFILE : errno;
        source = moved_.back().get();
      }
      note(posix_spawn_file_actions_adddup2(&actions_, source, target++));
    }
    // After the copies, for 0 and 1 may be sources.
    note(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, kNowhere, O_RDONLY, 0));
    note(posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, kNowhere, O_WRONLY, 0));
    if (words >= 0) note(posix_spawn_file_actions_adddup2(&actions_, words, STDERR_FILENO));
    note(posix_spawn_file_actions_addclosefrom_np(&actions_, end));
    return error_;
  }

  [[nodiscard]] int run(std::string title, int& pid) const {
    const std::array<char*, 2> arguments{title.data(), nullptr};
    const std::vector<char*> environment = child_environment();
    return ::posix_spawn(&pid, kThisProgram, &actions_, &attributes_, arguments.data(),
                         environment.data());
  }

 private:
  void note(int error) {
    if (error_ == 0) error_ = error;
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  std::vector<Fd> moved_;
  int error_ = 0;
};

// The children that a ChildProcess stands for. Of the process, as the kernel's own list is.
class OwnChildren {
 public:
  [[nodiscard]] std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }
  // While it is held:
  void add(int pid) { pids_.push_back(pid); }
  [[nodiscard]] bool has(int pid) const { return std::ranges::find(pids_, pid) != pids_.end(); }
  void remove(int pid) {
    const auto held = hold();
    std::erase(pids_, pid);
  }

 private:
  std::mutex mutex_;
  std::vector<int> pids_;
};

OwnChildren& own_children() {
  static OwnChildren children;
  return children;
}

// A child's stderr. Neither end waits for the other.
struct WordPipe {
  Fd read;
  Fd write;

  // 0 or an errno value. The end to write to gets a number of `least` or more.
  [[nodiscard]] int open(int least) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return errno;
    read = Fd(ends[0]);
    write = Fd(ends[1]);
    // Less than a page cannot be had. Where it is refused there is more room, and no harm.
    (void)::fcntl(write.get(), F_SETPIPE_SZ, static_cast<int>(ChildProcess::kMostWords));
    if (write.get() >= least) return 0;
    Fd moved(::fcntl(write.get(), F_DUPFD_CLOEXEC, least));
    if (!moved.valid()) return errno == EINVAL ? EMFILE : errno;
    write = std::move(moved);
    return 0;
  }
};

std::string spawn_advice(int error) {
  if (error == EAGAIN) {
    return "; a limit on processes is reached: raise `ulimit -u` (RLIMIT_NPROC), or TasksMax= in "
           "its systemd unit (pids.max of a container)";
  }
  if (error == ENOENT) {
    const bool program_there = ::faccessat(AT_FDCWD, kThisProgram, X_OK, AT_EACCESS) == 0;
    return program_there ? fmt::format("; {} is missing", kNowhere)
                         : fmt::format("; {} is missing: is /proc mounted?", kThisProgram);
  }
  return limit_advice(error);
}

std::unexpected<Error> spawn_failure(const std::string& title, std::string_view call, int error) {
  return fail("cannot start the worker process '{}': {}: {}{}", title, call, error_text(error),
              spawn_advice(error));
}

// Without glibc's wrappers for pidfds: in C++, those of 2.36 do not link (its sys/pidfd.h has no
// extern "C"). Close-on-exec by itself.
int open_pidfd(int pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// waitid(2) as the kernel has it, with the resource use that glibc's leaves out. For as long as the
// signals last; 0 or an errno value.
int wait_for_end(int pidfd, int flags, siginfo_t& info, rusage& use) {
  info = {};
  for (;;) {
    if (::syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | flags, &use) == 0) return 0;
    if (errno != EINTR) return errno;
  }
}

Duration to_duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

std::string signal_name(int number) {
  const char* name = sigabbrev_np(number);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

std::string describe(const ExitStatus& status) {
  if (status.signalled) return fmt::format("was killed by {}", signal_name(status.number));
  if (status.number == ExitStatus::kUnknown) return "ended in an unknown way";
  return fmt::format("exited with code {}", status.number);
}

Result<ChildProcess> ChildProcess::spawn(const SpawnOptions& options) {
  SpawnPlan plan;
  WordPipe words;
  if (options.own_stderr) {
    // Above the numbers that the child's descriptors get, which are made first.
    const int end = kFirstDescriptor + static_cast<int>(options.descriptors.size());
    if (const int error = words.open(end); error != 0) {
      return spawn_failure(options.title, "a pipe for its stderr", error);
    }
  }
  if (const int error = plan.pass_on(options.descriptors, words.write.get()); error != 0) {
    return spawn_failure(options.title, "preparing its descriptors", error);
  }
  int pid = -1;
  {
    const auto held = own_children().hold();
    if (const int error = plan.run(options.title, pid); error != 0) {
      return spawn_failure(options.title, "posix_spawn", error);
    }
    own_children().add(pid);
  }
  Fd pidfd(open_pidfd(pid));
  if (!pidfd.valid()) {
    const int error = errno;
    // Not yet reaped, so the number is still this child's.
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    own_children().remove(pid);
    return spawn_failure(options.title, "pidfd_open", error);
  }
  return ChildProcess(pid, std::move(pidfd), std::move(words.read));
}

ChildProcess::~ChildProcess() {
  end();
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = other.pid_;
    pidfd_ = std::move(other.pidfd_);
    words_ = std::move(other.words_);
    status_ = other.status_;
  }
  return *this;
}

void ChildProcess::end() {
  if (!pidfd_.valid() || status_) return;
  signal(SIGKILL);
  siginfo_t info;
  rusage use{};
  (void)wait_for_end(pidfd_.get(), 0, info, use);
  own_children().remove(pid_);
}

void ChildProcess::signal(int number) const {
  const bool sent = ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) == 0;
  // EPERM: it has taken other credentials on, which no worker does.
  WYNDRVR_CHECK(sent || errno == ESRCH || errno == EPERM);
}

std::optional<ExitStatus> ChildProcess::reap() {
  if (status_) return status_;
  siginfo_t info;
  rusage use{};
  const int error = wait_for_end(pidfd_.get(), WNOHANG, info, use);
  if (error == ECHILD || info.si_pid != 0) own_children().remove(pid_);
  if (error == ECHILD) {
    status_ = ExitStatus{};
  } else if (error == 0 && info.si_pid != 0) {
    status_ = ExitStatus{.signalled = info.si_code != CLD_EXITED,
                         .number = info.si_status,
                         .cpu_time = to_duration(use.ru_utime) + to_duration(use.ru_stime)};
  }
  return status_;
}

bool ChildProcess::unless_own(int pid, const std::function<void()>& collect) {
  const auto held = own_children().hold();
  if (own_children().has(pid)) return false;
  collect();
  return true;
}

std::string ChildProcess::take_words() const {
  if (!words_.valid()) return {};
  std::string text(kMostWords, '\0');
  const ssize_t size = ::read(words_.get(), text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

std::optional<int> ChildProcess::stopped_by() const {
  if (status_) return std::nullopt;
  siginfo_t info{};
  const auto id = static_cast<id_t>(pidfd_.get());
  // WNOWAIT: only looks, so that the next call sees the same.
  const bool asked = ::waitid(P_PIDFD, id, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0;
  return asked && info.si_pid != 0 ? std::optional(info.si_status) : std::nullopt;
}

void watch_children() {
  const bool watched = std::signal(SIGCHLD, SIG_DFL) != SIG_ERR;
  WYNDRVR_CHECK(watched);
}

}  // namespace wyndrvr::os
