#include "os/signals.hpp"

#include <cerrno>
#include <csignal>

#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {

Result<SignalFd> SignalFd::create(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) {
    if (sigaddset(&set, signal) != 0) {
      return system_failure(fmt::format("cannot watch signal {}", signal), "sigaddset");
    }
  }
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    return system_failure("cannot block signals", "pthread_sigmask", error);
  }
  Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return system_failure("cannot watch signals", "signalfd");
  return SignalFd(std::move(fd));
}

std::optional<int> SignalFd::read() {
  signalfd_siginfo info{};
  ssize_t got = 0;
  do {
    got = ::read(fd_.get(), &info, sizeof info);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

Result<SignalFd> watch_end_signals() {
  struct sigaction hang_up{};
  const bool asked = ::sigaction(SIGHUP, nullptr, &hang_up) == 0;
  if (asked && hang_up.sa_handler == SIG_IGN) return SignalFd::create({SIGINT, SIGTERM, SIGQUIT});
  return SignalFd::create({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
}

void die_of(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  (void)std::signal(signal, SIG_DFL);
  (void)std::raise(signal);
  (void)pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::_exit(128 + signal);  // where it is no signal that ends a process
}

void ignore_write_signals() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) {
    const bool ignored = std::signal(signal, SIG_IGN) != SIG_ERR;
    WYNDRVR_CHECK(ignored);
  }
}

}  // namespace wyndrvr::os
