#include "os/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

timespec to_timespec(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
}

// Up, for a wait that ends early would spin until its deadline.
int to_milliseconds_up(Duration duration) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<int>(std::min<std::int64_t>(milliseconds, INT_MAX));
}

std::string_view verb_of(int operation) {
  if (operation == EPOLL_CTL_ADD) return "watch";
  return operation == EPOLL_CTL_MOD ? "change the watch on" : "stop watching";
}

Event to_event(const epoll_event& raw) {
  const std::uint32_t bits = raw.events;
  return {.tag = raw.data.u64,
          .readable = (bits & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0,
          .writable = (bits & EPOLLOUT) != 0,
          .error = (bits & EPOLLERR) != 0};
}

}  // namespace

Result<Poller> Poller::create(const PollerOptions& options) {
  Fd fd(epoll_create1(EPOLL_CLOEXEC));
  if (!fd.valid()) return system_failure("cannot wait for events", "epoll_create1");
  return Poller(std::move(fd), options);
}

Poller::Poller(Fd fd, const PollerOptions& options)
    : fd_(std::move(fd)),
      raw_(options.capacity),
      events_(options.capacity),
      coarse_(options.coarse_timeouts) {
  WYNDRVR_CHECK(options.capacity > 0 && options.capacity <= INT_MAX);
}

Result<void> Poller::add(int fd, std::uint64_t tag, bool want_write) {
  return control(EPOLL_CTL_ADD, fd, tag, want_write);
}

Result<void> Poller::modify(int fd, std::uint64_t tag, bool want_write) {
  return control(EPOLL_CTL_MOD, fd, tag, want_write);
}

Result<void> Poller::remove(int fd) {
  return control(EPOLL_CTL_DEL, fd, 0, false);
}

Result<void> Poller::control(int operation, int fd, std::uint64_t tag, bool want_write) {
  epoll_event event{};
  event.events = EPOLLIN | (want_write ? EPOLLOUT : 0U);
  event.data.u64 = tag;
  if (epoll_ctl(fd_.get(), operation, fd, &event) == 0) return {};
  return system_failure(fmt::format("cannot {} descriptor {}", verb_of(operation), fd),
                        "epoll_ctl");
}

Result<std::span<const Event>> Poller::wait(std::optional<Duration> timeout) {
  if (timeout) timeout = std::max(*timeout, Duration::zero());
  const int count = wait_kernel(timeout);
  if (count < 0) {
    if (errno == EINTR) return std::span<const Event>{};
    return system_failure("cannot wait for events", coarse_ ? "epoll_pwait" : "epoll_pwait2");
  }
  const auto used = static_cast<std::ptrdiff_t>(count);
  std::transform(raw_.begin(), raw_.begin() + used, events_.begin(), to_event);
  return std::span<const Event>(events_).first(static_cast<std::size_t>(count));
}

int Poller::wait_kernel(std::optional<Duration> timeout) {
  const int capacity = static_cast<int>(raw_.size());
  if (!coarse_) {
    const timespec time = to_timespec(timeout.value_or(Duration::zero()));
    const int count =
        epoll_pwait2(fd_.get(), raw_.data(), capacity, timeout ? &time : nullptr, nullptr);
    // EPERM: some containers' system call filters answer so to calls that they do not know.
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    coarse_ = true;
  }
  return epoll_pwait(fd_.get(), raw_.data(), capacity, timeout ? to_milliseconds_up(*timeout) : -1,
                     nullptr);
}

}  // namespace wyndrvr::os
