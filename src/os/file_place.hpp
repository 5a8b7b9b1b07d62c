// What stands at a path that is to be written, and whether it can be: asked before there is
// anything to write.
//
// Links are followed by hand, since one that leads nowhere names the file to make, and one into
// /proc names an open descriptor. Nothing at the place is changed. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace wyndrvr::os {

struct FilePlace {
  enum class Kind {
    kNew,      // nothing yet
    kRegular,  // replaced at once, or written in place
    kStream,   // a pipe, a device: opened and written
  };

  std::string path;  // the links at its end resolved
  Kind kind = Kind::kNew;
  // Of a regular file: it cannot be replaced, since it is a mount point, or its folder takes no
  // new file.
  bool in_place = false;
  std::optional<int> descriptor;  // one of this process (/dev/stdout, /dev/fd/N)
};

// Error: a folder, a socket, a folder that is missing, links without end.
[[nodiscard]] Result<FilePlace> find_place(const std::string& path);

// Whether so many octets can be written there, as far as that can be known. Settles `in_place`. A
// stream is opened, and stays so: a reader takes a close for the end. No descriptor: a file, or a
// FIFO without a reader, who may come.
[[nodiscard]] Result<Fd> check_place(FilePlace& place, std::size_t octets);

// The same of a descriptor that is open already.
[[nodiscard]] Result<void> check_descriptor(int descriptor, std::size_t octets);

// Opens a stream for writing without waiting. No descriptor: a FIFO that nobody reads yet.
[[nodiscard]] Result<Fd> open_stream(const FilePlace& place);

// The file that takes `path`'s place once it is complete, and the folder that both are in.
[[nodiscard]] std::string temporary_beside(const std::string& path);
[[nodiscard]] std::string folder_of(const std::string& path);

}  // namespace wyndrvr::os
