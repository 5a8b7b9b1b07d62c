#include "app/document.hpp"

#include <utility>

#include <fmt/format.h>

#include "app/printable.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "os/line_writer.hpp"
#include "os/standard_streams.hpp"
#include "os/system_failure.hpp"

namespace wyndrvr::app {
namespace {

std::unexpected<Error> refuse(const std::string& path, const Error& cause) {
  return fail("--json {}: {}", printable(path), cause.message);
}

}  // namespace

Result<Document> Document::prepare(const std::optional<std::string>& path, std::size_t octets) {
  Document document;
  if (!path) {
    if (auto checked = os::check_descriptor(os::kStdout, octets); !checked) {
      return fail("--json: stdout: {}", checked.error().message);
    }
    return document;
  }
  document.path_ = *path;
  auto place = os::find_place(*path);
  if (!place) return refuse(*path, place.error());
  auto stream = os::check_place(*place, octets);
  if (!stream) return refuse(*path, stream.error());
  if (place->descriptor == os::kStdout) return document;
  document.place_ = *std::move(place);
  document.stream_ = *std::move(stream);
  return document;
}

Result<void> Document::write(std::string_view text, Output& output, Patience& patience) {
  if (!place_) {
    output.write_document(text);
    return {};
  }
  // A descriptor of ours may lead to where our text goes, which comes first.
  if (place_->descriptor) (void)output.finish(patience);
  const bool stream = place_->kind == os::FilePlace::Kind::kStream;
  const auto written = stream ? write_stream(text, patience) : os::write_place(*place_, text);
  if (!written) return refuse(path_, written.error());
  output.console().err(fmt::format("Result written to {}", path_));
  return {};
}

Result<void> Document::write_stream(std::string_view text, Patience& patience) {
  patience.begin();
  while (!stream_.valid()) {
    auto opened = os::open_stream(*place_);
    if (!opened) return std::unexpected(opened.error());
    stream_ = *std::move(opened);
    if (stream_.valid()) break;
    if (!patience.lasts(0)) return fail("cannot write '{}': nobody reads there", place_->path);
    os::sleep_for(Patience::kStep);
  }
  os::LineWriter writer(stream_.get(), left_out_line);
  patience.begin();
  writer.write_always(text);
  const bool read = wait_for_reader(writer, patience);
  if (writer.error()) {
    return os::system_failure(fmt::format("cannot write '{}'", place_->path), "write",
                              *writer.error());
  }
  if (!read) return fail("cannot write '{}': nobody reads there", place_->path);
  return {};
}

}  // namespace wyndrvr::app
