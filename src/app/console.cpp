#include "app/console.hpp"

#include <cerrno>
#include <cstdio>
#include <utility>

#include "app/output.hpp"

namespace wyndrvr::app {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";  // ECMA-48 erase in line

int write_flushed(std::FILE* stream, std::string_view text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  if (std::fflush(stream) == 0 && written) return 0;
  return errno != 0 ? errno : EIO;
}

}  // namespace

Console::Console(Write out, Write err) : out_(std::move(out)), err_(std::move(err)) {}

Console Console::standard() {
  return {[](std::string_view text) { static_cast<void>(write_flushed(stdout, text)); },
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

Result<void> write_stdout(std::string_view text) {
  if (const int error = write_flushed(stdout, text); error != 0) {
    return fail("{}", write_failure("stdout", error));
  }
  return {};
}

}  // namespace wyndrvr::app
