#include "os/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fd.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::os {
namespace {

std::string reading(const std::string& path) {
  return fmt::format("cannot read '{}'", path);
}
std::string writing(const std::string& path) {
  return fmt::format("cannot write '{}'", path);
}

Result<void> write_all(int descriptor, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      pollfd room{.fd = descriptor, .events = POLLOUT, .revents = 0};
      (void)::poll(&room, 1, -1);
      continue;
    }
    if (written < 0) return system_failure(writing(path), "write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_durably(int descriptor, std::string_view text, const std::string& path) {
  if (auto written = write_all(descriptor, text, path); !written) return written;
  if (::fsync(descriptor) != 0) return system_failure(writing(path), "fsync");
  return {};
}

Result<void> require_private(int descriptor, const std::string& path) {
  constexpr mode_t kGroupAndOthers = 077;
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return system_failure(reading(path), "fstat");
  if (!S_ISREG(status.st_mode)) return fail("{}: it is not a regular file", reading(path));
  const mode_t mode = status.st_mode & 07777U;
  if ((mode & kGroupAndOthers) == 0) return {};
  return fail("{}: its mode is {:04o}, so others than its owner can use it; run: chmod 600 '{}'",
              reading(path), mode, path);
}

// Reads on to the end of the file or of `block`, whichever comes first; the number of octets.
Result<std::size_t> read_up_to(int descriptor, std::span<char> block, const std::string& path) {
  std::size_t used = 0;
  while (used < block.size()) {
    const ssize_t got = ::read(descriptor, block.data() + used, block.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(reading(path), "read");
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  return used;
}

Result<void> copy_ownership(int descriptor, const struct stat& old, const std::string& path) {
  // Only root may give files away; for others the file becomes the writer's own. Before the mode,
  // for it clears the set-id bits.
  const bool kept_owner = ::fchown(descriptor, old.st_uid, old.st_gid) == 0;
  static_cast<void>(kept_owner);
  if (::fchmod(descriptor, old.st_mode & 07777U) != 0) {
    return system_failure(writing(path), "fchmod");
  }
  return {};
}

// Makes a rename survive a crash of the machine. Some file systems cannot sync a folder, and the
// text is complete either way, so a failure is none of the caller's.
void sync_folder(const std::string& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.valid()) ::fsync(fd.get());
}

struct NewFile {
  const FilePlace& place;
  std::string temporary;
  unsigned mode;  // where there is no old one
};

Result<void> fill_temporary(const NewFile& file, std::string_view text) {
  const std::string& path = file.place.path;
  const Fd fd(::open(file.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file.mode));
  if (!fd.valid()) return system_failure(writing(path), "open");
  struct stat old{};
  if (::stat(path.c_str(), &old) == 0) {
    if (auto copied = copy_ownership(fd.get(), old, path); !copied) return copied;
  }
  return write_durably(fd.get(), text, path);
}

Result<void> write_in_place(const FilePlace& place, std::string_view text) {
  const Fd fd(::open(place.path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return system_failure(writing(place.path), "open");
  return write_durably(fd.get(), text, place.path);
}

Result<void> write_stream(const FilePlace& place, std::string_view text) {
  auto fd = open_stream(place);
  if (!fd) return std::unexpected(fd.error());
  // A FIFO: waits for its reader.
  if (!fd->valid()) *fd = Fd(::open(place.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd->valid()) return system_failure(writing(place.path), "open");
  return write_all(fd->get(), text, place.path);
}

Result<void> replace(const NewFile& file, std::string_view text) {
  const std::string& path = file.place.path;
  if (auto filled = fill_temporary(file, text); !filled) {
    ::unlink(file.temporary.c_str());
    return filled;
  }
  if (::rename(file.temporary.c_str(), path.c_str()) == 0) {
    sync_folder(folder_of(path));
    return {};
  }
  const int error = errno;
  ::unlink(file.temporary.c_str());
  // A mount point, or another's file in a folder with the sticky bit, which only this call tells.
  const bool regular = file.place.kind == FilePlace::Kind::kRegular;
  if (regular && (error == EBUSY || error == EPERM || error == EACCES)) {
    return write_in_place(file.place, text);
  }
  return system_failure(writing(path), "rename", error);
}

}  // namespace

Result<FileKind> file_kind(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return FileKind::kMissing;
    return system_failure(fmt::format("cannot look at '{}'", path), "stat");
  }
  if (S_ISREG(status.st_mode)) return FileKind::kFile;
  return S_ISDIR(status.st_mode) ? FileKind::kFolder : FileKind::kOther;
}

Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return system_failure(reading(path), "open");
  std::string text;
  std::array<char, 16'384> block;
  for (;;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(reading(path), "read");
    if (got == 0) return text;
    const auto count = static_cast<std::size_t>(got);
    if (count > max_bytes - text.size()) {
      return fail("{}: it is larger than the {} bytes allowed", reading(path), max_bytes);
    }
    text.append(block.data(), count);
  }
}

Result<std::string> read_private_file(const std::string& path, std::size_t max_bytes) {
  // Non-blocking only so that a pipe is opened, and refused, without waiting for its writer.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return system_failure(reading(path), "open");
  if (auto fit = require_private(fd.get(), path); !fit) return std::unexpected(fit.error());
  // All at once: a string that grows would leave its earlier octets behind in the heap.
  std::string text(max_bytes + 1, '\0');
  const auto used = read_up_to(fd.get(), text, path);
  if (used && *used <= max_bytes) {
    text.resize(*used);
    return text;
  }
  ::explicit_bzero(text.data(), text.size());
  if (!used) return std::unexpected(used.error());
  return fail("{}: it is larger than the {} bytes allowed", reading(path), max_bytes);
}

Result<void> write_place(const FilePlace& place, std::string_view text, unsigned new_file_mode) {
  if (place.kind == FilePlace::Kind::kStream) return write_stream(place, text);
  if (place.in_place) return write_in_place(place, text);
  return replace({place, temporary_beside(place.path), new_file_mode}, text);
}

Result<void> write_file(const std::string& path, std::string_view text, unsigned new_file_mode) {
  auto place = find_place(path);
  if (!place) return std::unexpected(place.error());
  if (place->kind != FilePlace::Kind::kStream) {
    if (auto checked = check_place(*place, text.size()); !checked) {
      return std::unexpected(checked.error());
    }
  }
  return write_place(*place, text, new_file_mode);
}

Result<void> make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail("cannot make folder '{}': mkdir: {}", path, error.message());
  return {};
}

}  // namespace wyndrvr::os
