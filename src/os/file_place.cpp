#include "os/file_place.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "os/entropy.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

constexpr unsigned kMostLinks = 40;  // the kernel's own bound (path_resolution(7))

std::unexpected<Error> cannot_write(const FilePlace& place, std::string_view call,
                                    int error = errno) {
  return system_failure(fmt::format("cannot write '{}'", place.path), call, error);
}

// Whether a folder is one of /proc's whose links are open descriptors.
bool holds_descriptors(const std::string& folder) {
  struct statfs system{};
  if (::statfs(folder.c_str(), &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return false;
  std::error_code error;
  return std::filesystem::canonical(folder, error).filename() == "fd" && !error;
}

std::optional<int> parse_descriptor(std::string_view name) {
  int number = -1;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = failure == std::errc() && end == name.data() + name.size();
  return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

// This process's descriptor that such a link is.
std::optional<int> own_descriptor(const std::string& folder, const std::string& link) {
  std::error_code error;
  const bool own = std::filesystem::equivalent(folder, "/proc/self/fd", error) ||
                   std::filesystem::equivalent(folder, "/proc/thread-self/fd", error);
  return own ? parse_descriptor(std::filesystem::path(link).filename().native()) : std::nullopt;
}

// This process's descriptor that a path names by itself, so that it is found without /proc, too.
std::optional<int> named_descriptor(std::string_view path) {
  constexpr std::array<std::string_view, 3> kStreams = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
  const auto* const stream = std::ranges::find(kStreams, path);
  if (stream != kStreams.end()) return static_cast<int>(stream - kStreams.begin());
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"}) {
    if (path.starts_with(folder)) return parse_descriptor(path.substr(folder.size()));
  }
  return std::nullopt;
}

std::string read_link(const std::string& path) {
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

std::uint64_t mount_of(const std::string& path) {
  struct statx status{};
  const int asked = ::statx(AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &status);
  return asked == 0 && (status.stx_mask & STATX_MNT_ID) != 0 ? status.stx_mnt_id : 0;
}

// By what stat(2) says, links followed.
Result<void> settle_kind(FilePlace& place) {
  struct stat status{};
  if (::stat(place.path.c_str(), &status) != 0) {
    if (errno != ENOENT) return cannot_write(place, "stat");
    place.kind = FilePlace::Kind::kNew;
    const std::string folder = folder_of(place.path);
    if (place.path.ends_with('/')) return fail("there is no folder {}", place.path);
    if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
      return fail("there is no folder {}", folder);
    }
    return {};
  }
  if (S_ISDIR(status.st_mode)) return fail("'{}' is a folder", place.path);
  if (S_ISSOCK(status.st_mode)) return fail("'{}' is a socket", place.path);
  place.kind = S_ISREG(status.st_mode) ? FilePlace::Kind::kRegular : FilePlace::Kind::kStream;
  return {};
}

// Of the file system that `descriptor` is on. What cannot be asked is taken to be in order.
Result<void> check_space(int descriptor, std::size_t octets) {
  struct statvfs system{};
  if (::fstatvfs(descriptor, &system) != 0 || system.f_blocks == 0) return {};
  if ((system.f_flag & ST_RDONLY) != 0) return system_failure("cannot write", "statvfs", EROFS);
  const std::uint64_t blocks = ::geteuid() == 0 ? system.f_bfree : system.f_bavail;
  if (blocks * system.f_frsize >= octets) return {};
  return system_failure("cannot write", "statvfs", ENOSPC);
}

// A new file beside the place, which is removed when it is closed.
Result<Fd> open_trial(const FilePlace& place) {
  const std::string trial = temporary_beside(place.path);
  Fd fd(::open(trial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return cannot_write(place, "open");
  ::unlink(trial.c_str());
  return fd;
}

// Whether the trial can have the size that the text may have.
Result<void> check_room(const FilePlace& place, const Fd& fd, std::size_t octets) {
  const int allocated = ::fallocate(fd.get(), 0, 0, static_cast<off_t>(octets));
  const int error = allocated == 0 ? 0 : errno;
  // Not every file system can; then its free blocks are asked for.
  if (error == EOPNOTSUPP || error == ENOSYS || error == EINVAL) {
    return check_space(fd.get(), octets);
  }
  if (error != 0) return cannot_write(place, "fallocate", error);
  return {};
}

Result<void> check_regular(FilePlace& place, std::size_t octets) {
  const Fd fd(::open(place.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return cannot_write(place, "open");
  place.in_place = place.in_place || mount_of(place.path) != mount_of(folder_of(place.path));
  if (!place.in_place) {
    const auto trial = open_trial(place);
    if (trial) return check_room(place, *trial, octets);
    // Its folder takes no new file, and the old one may still have room.
    place.in_place = true;
  }
  struct stat status{};
  constexpr std::size_t kBlock = 512;  // of st_blocks (inode(7))
  // Its present blocks become free when it is cut.
  const std::size_t held =
      ::fstat(fd.get(), &status) == 0 ? static_cast<std::size_t>(status.st_blocks) * kBlock : 0;
  return check_space(fd.get(), octets - std::min(octets, held));
}

Result<FilePlace> place_of(int descriptor, FilePlace place) {
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return cannot_write(place, "fstat");
  if (S_ISDIR(status.st_mode)) return fail("'{}' is a folder", place.path);
  // Another may hold it as well, and its path may be that of another file by now.
  place.in_place = true;
  place.kind = FilePlace::Kind::kStream;
  place.descriptor = descriptor;
  return place;
}

}  // namespace

Result<FilePlace> find_place(const std::string& path) {
  if (path.empty()) return fail("the name of the file is empty");
  FilePlace place;
  place.path = path;
  if (const auto descriptor = named_descriptor(path)) return place_of(*descriptor, place);
  for (unsigned links = 0;; ++links) {
    struct stat status{};
    const bool is_link = ::lstat(place.path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    if (!is_link) break;
    if (links == kMostLinks) return cannot_write(place, "open", ELOOP);
    const std::string folder = folder_of(place.path);
    if (holds_descriptors(folder)) {
      const auto descriptor = own_descriptor(folder, place.path);
      if (descriptor) return place_of(*descriptor, place);
      if (auto settled = settle_kind(place); !settled) return std::unexpected(settled.error());
      place.in_place = true;  // as above, in another process
      return place;
    }
    const std::string target = read_link(place.path);
    if (target.empty()) return cannot_write(place, "readlink");
    place.path = target.starts_with('/') ? target : folder + "/" + target;
  }
  if (auto settled = settle_kind(place); !settled) return std::unexpected(settled.error());
  return place;
}

Result<void> check_descriptor(int descriptor, std::size_t octets) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0) return system_failure("cannot write", "fcntl");
  if ((flags & O_ACCMODE) == O_RDONLY) return system_failure("cannot write", "write", EBADF);
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return system_failure("cannot write", "fstat");
  // A device tells by a write of nothing: /dev/full has no room for that either.
  if (S_ISCHR(status.st_mode) && ::write(descriptor, "", 0) < 0 && errno != EAGAIN) {
    return system_failure("cannot write", "write");
  }
  pollfd end{.fd = descriptor, .events = 0, .revents = 0};
  const bool pipe = S_ISFIFO(status.st_mode);
  if (pipe && ::poll(&end, 1, 0) > 0) return system_failure("cannot write", "poll", EPIPE);
  if (S_ISREG(status.st_mode)) return check_space(descriptor, octets);
  return {};
}

Result<Fd> open_stream(const FilePlace& place) {
  Fd fd(place.descriptor
            ? ::fcntl(*place.descriptor, F_DUPFD_CLOEXEC, 0)
            : ::open(place.path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (fd.valid()) return fd;
  struct stat status{};
  const int error = errno;
  const bool fifo = ::stat(place.path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
  if (error == ENXIO && fifo) return Fd();
  return cannot_write(place, "open", error);
}

Result<Fd> check_place(FilePlace& place, std::size_t octets) {
  if (place.kind == FilePlace::Kind::kStream) {
    auto stream = open_stream(place);
    if (!stream || !stream->valid()) return stream;
    if (auto checked = check_descriptor(stream->get(), octets); !checked) {
      return std::unexpected(checked.error());
    }
    return stream;
  }
  if (place.kind == FilePlace::Kind::kRegular) {
    if (auto checked = check_regular(place, octets); !checked) {
      return std::unexpected(checked.error());
    }
    return Fd();
  }
  const auto trial = open_trial(place);
  if (!trial) return std::unexpected(trial.error());
  if (auto checked = check_room(place, *trial, octets); !checked) {
    return std::unexpected(checked.error());
  }
  return Fd();
}

std::string temporary_beside(const std::string& path) {
  return fmt::format("{}/.wyndrvr-{:016x}.tmp", folder_of(path), entropy64());
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace wyndrvr::os
