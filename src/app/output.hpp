// The program's stdout and stderr from the start of a run to its end. No write makes the run wait:
// a slow reader loses lines, and is told how many.
//
// What is said after `end_run` is the result: nothing of it is left out, and `finish` waits for its
// readers. Streams that lead to the same file share a writer, so that their lines keep their order.
// Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/console.hpp"
#include "app/patience.hpp"
#include "os/line_writer.hpp"

namespace wyndrvr::app {

struct OutputOptions {
  bool out_to_stderr = false;   // stdout belongs to a document
  bool out_optional = false;    // a stdout that the program was started without is no failure
  bool tells_failures = false;  // says on the other stream, once, that one fails
};

class Output {
 public:
  using Options = OutputOptions;

  explicit Output(const Options& options);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  [[nodiscard]] Console& console() { return console_; }
  // Descriptors that are readable, or in error, once a stream has lost its reader.
  [[nodiscard]] std::vector<int> losses() const;

  void end_run() { keeps_all_ = true; }
  // To stdout, whole.
  void write_document(std::string_view text);
  // Waits for the readers. Returns why something that was said is lost; empty: nothing is. A log on
  // stderr that nobody reads is no loss.
  [[nodiscard]] std::string finish(Patience& patience);

 private:
  struct Stream {
    int descriptor;
    std::string_view name;
    std::shared_ptr<os::LineWriter> writer;  // none: nobody wants its text
    bool told = false;
  };
  void write(Stream& stream, std::string_view text);
  void tell_failure(Stream& stream, Stream& other);

  Options options_;
  Stream out_;
  Stream err_;
  bool keeps_all_ = false;
  Console console_;
};

// "cannot write to stdout: Broken pipe"
[[nodiscard]] std::string write_failure(std::string_view stream, int error);

// Waits until the writer has written everything; false where patience ended before.
[[nodiscard]] bool wait_for_reader(os::LineWriter& writer, Patience& patience);

// The line that stands for those that a slow reader has lost.
[[nodiscard]] std::string left_out_line(std::uint64_t lines);

}  // namespace wyndrvr::app
