#include "app/console.hpp"

#include <cstdio>
#include <utility>

namespace wyndrvr::app {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";  // ECMA-48 erase in line

bool write_flushed(std::FILE* stream, std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  return std::fflush(stream) == 0 && written;
}

}  // namespace

Console::Console(Write out, Write err) : out_(std::move(out)), err_(std::move(err)) {}

Console Console::standard(bool out_to_stderr) {
  std::FILE* const out = out_to_stderr ? stderr : stdout;
  return {[out](std::string_view text) { static_cast<void>(write_flushed(out, text)); },
          [](std::string_view text) { static_cast<void>(write_flushed(stderr, text)); }};
}

void Console::out(std::string_view line) {
  clear_live();
  out_(std::string(line) + "\n");
}

void Console::err(std::string_view line) {
  clear_live();
  err_(std::string(line) + "\n");
}

void Console::live(std::string_view text) {
  err_(std::string(kClearLine) + std::string(text));
  live_shown_ = true;
}

void Console::clear_live() {
  if (!live_shown_) return;
  err_(kClearLine);
  live_shown_ = false;
}

bool write_stdout(std::string_view text) {
  return write_flushed(stdout, text);
}

}  // namespace wyndrvr::app
