// A Console whose two streams are kept for a test to read.
#pragma once

#include <string>

#include "app/console.hpp"

namespace wyndrvr::app {

struct RecordedConsole {
  std::string out;
  std::string err;
  Console console{[this](std::string_view text) { out += text; },
                  [this](std::string_view text) { err += text; }};
};

}  // namespace wyndrvr::app
