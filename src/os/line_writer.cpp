#include "os/line_writer.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/line_queue.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {
namespace {

constexpr int kForever = -1;
constexpr const char* kThreadName = "wyndrvr:output";  // of 15 characters at most (prctl(2))

bool is_socket(int descriptor) {
  struct stat status{};
  return ::fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

// As write(2), but EAGAIN where it would have to wait, and EOPNOTSUPP where that cannot be had.
ssize_t write_now(int descriptor, bool socket, std::string_view text) {
  if (socket) return ::send(descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  return ::pwritev2(descriptor, &part, 1, -1, RWF_NOWAIT);
}

bool has_room(int descriptor, int milliseconds) {
  pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
  return ::poll(&wanted, 1, milliseconds) > 0;
}

// Written octets, or -errno. A part at a time, so that each step of a slow reader shows.
ssize_t write_chunk(int descriptor, std::string_view text) {
  ssize_t count = 0;
  do {
    count = ::write(descriptor, text.data(), std::min<std::size_t>(PIPE_BUF, text.size()));
  } while (count < 0 && errno == EINTR);
  return count < 0 ? -errno : count;
}

int milliseconds_of(Duration time) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

// A thread that takes no signals: they are the loop's.
template <class Body>
bool start_thread(Body body) {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0) return false;
  bool started = true;
  try {
    std::thread thread(std::move(body));
    (void)pthread_setname_np(thread.native_handle(), kThreadName);
    thread.detach();
  } catch (const std::system_error&) {
    started = false;  // a limit on threads
  }
  (void)pthread_sigmask(SIG_SETMASK, &old, nullptr);
  return started;
}

}  // namespace

struct LineWriter::Shared {
  Shared(int to, LeftOut words)
      : descriptor(to),
        socket(is_socket(to)),
        left_out(words),
        failure(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  // All of them under the mutex, but for `run`, which takes it.
  void fail(int cause);
  [[nodiscard]] bool write_at_once(std::string_view& text);
  [[nodiscard]] std::optional<std::string> next();
  void end_piece(int cause);
  [[nodiscard]] bool idle() const;
  void pump();
  void run();

  const int descriptor;
  const bool socket;
  const LeftOut left_out;
  Fd failure;
  // The thread's, which may still write when the caller has closed the other, whose number is then
  // another file's. None where no descriptor could be had.
  Fd own;
  mutable std::mutex mutex;
  std::condition_variable changed;
  base::LineQueue queue{kMostWaiting};
  std::optional<base::LineQueue::Piece> piece;  // being written
  std::string rest;                             // of it; without a thread
  std::optional<int> error;                     // the first
  std::atomic<std::uint64_t> written = 0;
  bool writes_at_once = true;  // this kind of file knows how
  bool failed = false;         // the last write did
  bool threaded = false;
  bool threadless = false;           // no thread could be had
  std::atomic<bool> closed = false;  // nothing more comes
};

void LineWriter::Shared::fail(int cause) {
  failed = true;
  if (error) return;
  error = cause;
  const std::uint64_t one = 1;
  if (failure.valid()) (void)!::write(failure.get(), &one, sizeof one);
}

// Takes from `text` what was written. False where it failed.
bool LineWriter::Shared::write_at_once(std::string_view& text) {
  while (!text.empty()) {
    const ssize_t count = write_now(descriptor, socket, text);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) writes_at_once = false;
    if (count == 0 || (count < 0 && (errno == EAGAIN || !writes_at_once))) return true;
    if (count < 0) {
      fail(errno);
      return false;
    }
    failed = false;
    written += static_cast<std::uint64_t>(count);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// The next text to write. After a failure, only where new text has come.
std::optional<std::string> LineWriter::Shared::next() {
  if (failed && !queue.has_text()) return std::nullopt;
  piece = queue.take();
  if (!piece) return std::nullopt;
  return (piece->left_out > 0 ? left_out(piece->left_out) : "") + piece->text;
}

// `cause`: an errno value; 0: it is written.
void LineWriter::Shared::end_piece(int cause) {
  failed = false;
  if (cause != 0) {
    queue.give_up(*piece);
    fail(cause);
  }
  piece.reset();
  changed.notify_all();
}

bool LineWriter::Shared::idle() const {
  return !piece && !queue.has_text() && (queue.empty() || failed);
}

// Without a thread: as much as poll(2) says there is room for.
void LineWriter::Shared::pump() {
  for (;;) {
    if (!piece) {
      auto text = next();
      if (!text) return;
      rest = *std::move(text);
    }
    int cause = 0;
    while (!rest.empty() && cause == 0) {
      if (!has_room(descriptor, 0)) return;
      const ssize_t count = write_chunk(descriptor, rest);
      if (count == -EAGAIN) return;
      if (count < 0) {
        cause = static_cast<int>(-count);
        continue;
      }
      written += static_cast<std::uint64_t>(count);
      rest.erase(0, static_cast<std::size_t>(count));
    }
    end_piece(cause);
  }
}

void LineWriter::Shared::run() {
  std::unique_lock lock(mutex);
  const int to = own.valid() ? own.get() : descriptor;
  while (!closed) {
    const auto text = next();
    if (!text) {
      changed.wait(lock);
      continue;
    }
    lock.unlock();
    std::string_view left = *text;
    int cause = 0;
    while (!left.empty() && cause == 0 && !closed) {
      const ssize_t count = write_chunk(to, left);
      if (count == -EAGAIN) {
        // Somebody has made the descriptor non-blocking.
        (void)has_room(to, kForever);
      } else if (count < 0) {
        cause = static_cast<int>(-count);
      } else {
        written += static_cast<std::uint64_t>(count);
        left.remove_prefix(static_cast<std::size_t>(count));
      }
    }
    lock.lock();
    end_piece(cause);
  }
}

LineWriter::LineWriter(int descriptor, LeftOut left_out)
    : shared_(std::make_shared<Shared>(descriptor, left_out)) {}

LineWriter::~LineWriter() {
  const std::scoped_lock lock(shared_->mutex);
  shared_->closed = true;
  shared_->changed.notify_all();
}

void LineWriter::write(std::string_view lines) {
  add(lines, false);
}

void LineWriter::write_always(std::string_view text) {
  add(text, true);
}

void LineWriter::add(std::string_view text, bool always) {
  Shared& shared = *shared_;
  const std::scoped_lock lock(shared.mutex);
  bool keep = always;
  if (shared.writes_at_once && !shared.piece && shared.queue.empty()) {
    std::string_view rest = text;
    if (!shared.write_at_once(rest)) return shared.queue.give_up({0, std::string(text)});
    if (rest.empty()) return;
    keep = keep || rest.size() < text.size();  // half a line is no use
    text = rest;
  }
  if (keep) {
    shared.queue.add_always(text);
  } else {
    (void)shared.queue.add(text);
  }
  if (!shared.threaded && !shared.threadless) {
    shared.own = Fd(::fcntl(shared.descriptor, F_DUPFD_CLOEXEC, 0));
    shared.threaded = start_thread([state = shared_] { state->run(); });
    shared.threadless = !shared.threaded;
  }
  if (shared.threadless) return shared.pump();
  shared.changed.notify_all();
}

bool LineWriter::wait(Duration patience) {
  Shared& shared = *shared_;
  std::unique_lock lock(shared.mutex);
  if (!shared.threadless) {
    return shared.changed.wait_for(lock, patience, [&] { return shared.idle(); });
  }
  if (!shared.idle()) (void)has_room(shared.descriptor, milliseconds_of(patience));
  shared.pump();
  return shared.idle();
}

std::uint64_t LineWriter::written() const {
  return shared_->written;
}

std::optional<int> LineWriter::error() const {
  const std::scoped_lock lock(shared_->mutex);
  return shared_->error;
}

int LineWriter::failure() const {
  return shared_->failure.get();
}

}  // namespace wyndrvr::os
