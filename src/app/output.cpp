#include "app/output.hpp"

#include <fmt/format.h>

#include "os/standard_streams.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::app {
namespace {

std::shared_ptr<os::LineWriter> writer_of(int descriptor) {
  return std::make_shared<os::LineWriter>(descriptor, left_out_line);
}

}  // namespace

Output::Output(const Options& options)
    : options_(options),
      out_{.descriptor = os::kStdout, .name = "stdout", .writer = nullptr},
      err_{.descriptor = os::kStderr, .name = "stderr", .writer = nullptr},
      console_([this](std::string_view text) { write(options_.out_to_stderr ? err_ : out_, text); },
               [this](std::string_view text) { write(err_, text); }) {
  const bool no_err = os::is_closed(os::kStderr);
  // Without both, nobody wants the text, and the exit code alone is asked for.
  const bool no_out = os::is_closed(os::kStdout) && (no_err || options.out_optional);
  if (!no_out) out_.writer = writer_of(os::kStdout);
  if (no_err) return;
  const bool shared = out_.writer && os::same_file(os::kStdout, os::kStderr);
  err_.writer = shared ? out_.writer : writer_of(os::kStderr);
}

std::vector<int> Output::losses() const {
  std::vector<int> descriptors;
  for (const Stream* stream : {&out_, &err_}) {
    if (!stream->writer) continue;
    if (stream->writer->failure() >= 0) descriptors.push_back(stream->writer->failure());
    // A pipe tells that its reader has gone before anything is written.
    if (os::is_write_only_pipe(stream->descriptor)) descriptors.push_back(stream->descriptor);
    if (stream == &out_ && err_.writer == out_.writer) break;
  }
  return descriptors;
}

void Output::write(Stream& stream, std::string_view text) {
  if (!stream.writer) return;
  if (keeps_all_) {
    stream.writer->write_always(text);
  } else {
    stream.writer->write(text);
  }
  if (!options_.tells_failures) return;
  tell_failure(out_, err_);
  tell_failure(err_, out_);
}

void Output::tell_failure(Stream& stream, Stream& other) {
  if (stream.told || !stream.writer || !stream.writer->error()) return;
  stream.told = true;
  if (!other.writer || other.writer == stream.writer) return;
  other.writer->write(fmt::format("wyndrvr: {}; what is said there is lost, the server goes on\n",
                                  write_failure(stream.name, *stream.writer->error())));
}

void Output::write_document(std::string_view text) {
  if (out_.writer) out_.writer->write_always(text);
}

std::string Output::finish(Patience& patience) {
  std::string failure;
  if (out_.writer) {
    patience.begin();
    const bool read = wait_for_reader(*out_.writer, patience);
    if (out_.writer->error()) {
      failure = write_failure(out_.name, *out_.writer->error());
    } else if (!read) {
      failure = fmt::format("cannot write to {}: nobody reads there", out_.name);
    }
  }
  if (!err_.writer || err_.writer == out_.writer) return failure;
  if (!failure.empty() && !out_.told) err_.writer->write_always("wyndrvr: " + failure + "\n");
  patience.begin(Patience::kForLog);
  (void)wait_for_reader(*err_.writer, patience);
  if (!failure.empty() || !err_.writer->error()) return failure;
  return write_failure(err_.name, *err_.writer->error());
}

std::string write_failure(std::string_view stream, int error) {
  return fmt::format("cannot write to {}: {}", stream, os::error_text(error));
}

bool wait_for_reader(os::LineWriter& writer, Patience& patience) {
  while (!writer.wait(Patience::kStep)) {
    if (!patience.lasts(writer.written())) return false;
  }
  return true;
}

std::string left_out_line(std::uint64_t lines) {
  return fmt::format("wyndrvr: {} {} left out: whoever reads here is too slow\n", lines,
                     lines == 1 ? "line was" : "lines were");
}

}  // namespace wyndrvr::app
