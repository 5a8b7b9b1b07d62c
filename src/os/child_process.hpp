// Worker processes: this very program, executed again and supervised through a pidfd.
//
// A child gets its title, its descriptors, stderr and nothing else: /dev/null as stdin and stdout,
// every other descriptor closed, no environment but what loading the program needs (secrets may be
// in an environment), all signals at their defaults. SIGINT, SIGQUIT and SIGHUP are blocked: a Ctrl-C
// or the end of a terminal goes to the whole process group, and it is the supervisor that decides
// what it means for its workers.
//
// Spawning works from any thread of a program with many. A ChildProcess belongs to one thread at a
// time. Nothing else in the program may wait for children (wait(2) with -1), and SIGCHLD must not
// be ignored: see watch_children().
//
// Example:
//   auto child = ChildProcess::spawn({.title = "wyndrvr: upload", .descriptors = {channel,
//   socket}}); loop.add(child->pidfd(), ...);  // readable once it has ended: child->reap()
#pragma once

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

  // The signal that has it stopped at this moment (SIGSTOP, SIGTSTP, ...); nothing while it runs.
  [[nodiscard]] std::optional<int> stopped_by() const;

 private:
  ChildProcess(int pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  void end();

  int pid_;
  Fd pidfd_;  // none: moved from
  std::optional<ExitStatus> status_;
};

// Makes SIGCHLD's disposition the default one. Where a parent has left it ignored, which is
// inherited, the kernel would reap our children behind our back. For the program's main.
void watch_children();

}  // namespace wyndrvr::os
