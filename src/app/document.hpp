// Where the result document goes: stdout, a file, or whatever else `--json FILE` names.
//
// What can be known beforehand (not writable, no space, a folder) is found out by `prepare`, before
// the run. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "app/output.hpp"
#include "app/patience.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"
#include "os/file_place.hpp"

namespace wyndrvr::app {

class Document {
 public:
  // `path`: absent: stdout. `octets`: that the text may have.
  [[nodiscard]] static Result<Document> prepare(const std::optional<std::string>& path,
                                                std::size_t octets);

  [[nodiscard]] bool on_stdout() const { return !place_; }
  // Error: why it is not written, with the option that named the place. On stdout, what becomes of
  // it is Output::finish's to tell.
  [[nodiscard]] Result<void> write(std::string_view text, Output& output, Patience& patience);

 private:
  Document() = default;
  [[nodiscard]] Result<void> write_stream(std::string_view text, Patience& patience);

  std::string path_;                    // as it was given
  std::optional<os::FilePlace> place_;  // absent: stdout
  os::Fd stream_;                       // none: a file, or a FIFO without a reader yet
};

}  // namespace wyndrvr::app
