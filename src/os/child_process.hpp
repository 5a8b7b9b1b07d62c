// Worker processes: this very program, executed again and supervised through a pidfd.
//
// A child gets its title, its descriptors, a stderr and nothing else: /dev/null as stdin and
// stdout, every other descriptor closed, no environment but what loading the program needs (secrets
// may be in an environment), all signals at their defaults. SIGINT, SIGQUIT and SIGHUP are blocked:
// a Ctrl-C or the end of a terminal goes to the whole process group, and it is the supervisor that
// decides what it means for its workers.
//
// Spawning works from any thread of a program with many. A ChildProcess belongs to one thread at a
// time. Nothing else in the program may wait for them (wait(2) with -1; reap_orphans() leaves them
// alone), and SIGCHLD must not be ignored: see watch_children().
//
// Example:
//   auto child = ChildProcess::spawn({.title = "wyndrvr: upload", .descriptors = {channel,
//   socket}}); loop.add(child->pidfd(), ...);  // readable once it has ended: child->reap()
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {

// How a process ended.
struct ExitStatus {
  // The number where somebody else has collected the status, which nothing in this program does.
  static constexpr int kUnknown = -1;

  bool signalled = false;
  int number = kUnknown;  // the signal, or the exit code
  Duration cpu_time{};    // in user and system mode, with its own reaped children
};

// "was killed by SIGKILL", "exited with code 3".
[[nodiscard]] std::string describe(const ExitStatus& status);

// "SIGKILL"; "signal 42" where it has no name.
[[nodiscard]] std::string signal_name(int number);

struct SpawnOptions {
  // The child's argv[0] and only argument; what `ps` shows.
  std::string title;
  // They become 3, 4, 5, ... in the child, whatever their numbers are here, and stay open here.
  std::vector<int> descriptors;
  // Its stderr is a pipe of its own, see take_words(); else ours.
  bool own_stderr = false;
};

class ChildProcess {
 public:
  // Executes /proc/self/exe. When this returns, the program has been executed or there is an error
  // that says what failed and what to do, and no child is left.
  [[nodiscard]] static Result<ChildProcess> spawn(const SpawnOptions& options);

  // Kills it (SIGKILL) and waits for its end where it was not reaped: never a zombie.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept = default;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  [[nodiscard]] int pid() const { return pid_; }
  // Becomes readable when the process ends (pidfd_open(2)).
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  // A process that has ended is no error.
  void signal(int number) const;

  // Its end, once it has come; remembered from then on. Does not block.
  [[nodiscard]] std::optional<ExitStatus> reap();

  // What it has written to a stderr of its own and nobody has taken yet: raw, at most as much as
  // the pipe holds (kMostWords octets). Does not block; nor does the child, which loses what is
  // more.
  static constexpr std::size_t kMostWords = 4'096;
  [[nodiscard]] std::string take_words() const;

  // Calls `collect` unless a ChildProcess stands for this child of ours, and says whether it did.
  // No ChildProcess begins meanwhile. For reap_orphans().
  static bool unless_own(int pid, const std::function<void()>& collect);

  // The signal that has it stopped at this moment (SIGSTOP, SIGTSTP, ...); nothing while it runs.
  [[nodiscard]] std::optional<int> stopped_by() const;

 private:
  ChildProcess(int pid, Fd pidfd, Fd words)
      : pid_(pid), pidfd_(std::move(pidfd)), words_(std::move(words)) {}
  void end();

  int pid_;
  Fd pidfd_;  // none: moved from
  Fd words_;  // none: its stderr is ours
  std::optional<ExitStatus> status_;
};

// Makes SIGCHLD's disposition the default one. Where a parent has left it ignored, which is
// inherited, the kernel would reap our children behind our back. For the program's main.
void watch_children();

}  // namespace wyndrvr::os
