// Small text files: whole reads, and writes that are seen whole or not at all where that can be.
//
// For configuration, keys and reports, not for the hot path: every call blocks on the disk.
// Thread-safe. Errors name the path.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/file_place.hpp"

namespace wyndrvr::os {

enum class FileKind { kMissing, kFile, kFolder, kOther };

// Follows symbolic links; one that leads nowhere is missing. Fails where it cannot be told, such
// as below a folder that may not be searched.
[[nodiscard]] Result<FileKind> file_kind(const std::string& path);

// The whole text, at most `max_bytes`; more is an error. Reads pipes and devices as well.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

// As above, for a file of secrets: fails unless it is a regular file that only its owner can use
// (no permission for group or others). Both are asked of the opened file, so whatever the path
// leads to a moment later is not what is read. No copy of the text but the result is left in
// memory; to wipe that is the caller's part.
[[nodiscard]] Result<std::string> read_private_file(const std::string& path, std::size_t max_bytes);

// Writes what stands at a path.
//
// A regular file is replaced at once: a reader, or a crash, sees the old text or the new one. It
// keeps its mode and, where we may, its owner. A new file gets `new_file_mode` less the umask. A
// symbolic link stays one, and the file that it leads to is written. A regular file that cannot be
// replaced (a mount point, a folder that takes no new file) is written in place. Anything else (a
// FIFO, a device) is opened and written, which waits for whoever reads there.
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view text,
                                      unsigned new_file_mode = 0644);

// The same for a place that was found and checked before.
[[nodiscard]] Result<void> write_place(const FilePlace& place, std::string_view text,
                                       unsigned new_file_mode = 0644);

// Makes the folder and those above it; one that exists is no error.
[[nodiscard]] Result<void> make_folders(const std::string& path);

}  // namespace wyndrvr::os
